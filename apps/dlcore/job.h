/* The things a run is made of, found and opened from the options: pool, registry, dataset, model, backend, method.
 * Functions return exit codes. [main] */
#ifndef DLCORE_APP_JOB_H
#define DLCORE_APP_JOB_H
#include "console.h"
#include "data/sample.h"
#include "data/source.h"
#include "graph/model.h"
#include "host/host.h"
#include "train/method.h"

typedef struct cli_job {
  cli_options *options;
  cli_console *console;
  dlc_sink sink;
  dlc_pool *pool;
  dlc_registry *registry;
  dlc_source_service sources;
  dlc_op_finder finder;
  /* cli_job_dataset() */
  dlc_source *source; /* of --data-dir; NULL without */
  const dlc_dataset *dataset;
  dlc_option_value *dataset_values;
  dlc_data *data;
  const dlc_dataset_info *info;
  /* cli_job_transforms() */
  dlc_pipeline *train_transforms, *eval_transforms; /* NULL: none */
  /* cli_job_shape() */
  int64_t shape[3]; /* of what the network sees: channels, height, width */
  /* cli_job_model() */
  dlc_model *model;
  char *model_path;
  /* cli_job_backend() */
  dlc_machine *machine;
  const char *backend_name;
  /* cli_job_method() */
  dlc_method method;
  char *loss_text;  /* its loss with the attributes, "cross_entropy:label_smoothing=0.1" */
  dlc_arena memory; /* of what it holds */
} cli_job;

int cli_job_open(cli_job *job, cli_options *o, cli_console *c);
void cli_job_close(cli_job *job);

/* Opens --dataset with --data-dir. `auto` becomes the name of what was taken, in the options too. datasets.c */
int cli_job_dataset(cli_job *job);
/* Splits, shape, classes and how many pictures each has to train on: two lines. */
void cli_say_dataset(const cli_job *job);
/* Reads the lists of transforms. transforms.c */
int cli_job_transforms(cli_job *job);
/* After both: where there are no lists and pictures differ in size, usual ones are taken, in the options too. */
int cli_job_usual_transforms(cli_job *job);
/* That, and the shape that comes out in evaluation. */
int cli_job_shape(cli_job *job);
/* One list; NULL and "none" give NULL. `option` begins the reason. */
int cli_read_transforms(cli_job *job, const char *option, const char *text, dlc_pipeline **pipeline);
int cli_job_model(cli_job *job);
/* `auto` becomes the name of what was taken, in the options too. */
int cli_job_backend(cli_job *job);
/* --opt, --loss, --sched and what else says how a run learns. method.c */
int cli_job_method(cli_job *job);
/* A loss by "NAME:k=v,...", and its attributes in memory of the job. `label`, as "--loss", begins the reason. */
int cli_read_loss(cli_job *job, const char *label, const char *spec, const dlc_op **op, void **attr);
/* --class-weights; after the dataset. */
int cli_job_class_weights(cli_job *job);

/* The object of the registry that "NAME:k=v,..." stands for; *options is what follows the colon, or NULL. `option`, as
 * "--dataset", begins the reason. */
int cli_find_object(cli_job *job, const char *option, const char *iface, const char *spec, const void **object,
                    const dlc_host **host, const char **options);
/* dlc_options_read() with wrong values as CLI_USAGE. The caller frees *values. */
int cli_read_options(const char *option, const char *name, const dlc_option *table, uint32_t n, const char *text,
                     dlc_option_value **values);

/* The model's forward graph for one picture of this shape, as in evaluation: in training some need more than one. */
dlc_status cli_forward(cli_job *job, const int64_t chw[3], int64_t classes, dlc_graph_build **g, dlc_model_graph *m);
/* Whether --freeze, --param-group and --loss suit it. fits.c */
int cli_job_fits(const cli_job *job, const dlc_graph *g, const dlc_model_graph *m);
/* Elements of all parameters of it. */
int64_t cli_count_parameters(dlc_graph_build *g, const dlc_model_graph *m);

/* What --cache-memory allows: as given, or a quarter of what is free. memory.c */
size_t cli_cache_bytes(const cli_options *o);
/* Pictures of every class in a split, zeros where it has no labels; the caller frees it. NULL without memory. */
int64_t *cli_count_classes(const dlc_dataset_info *info, const dlc_split *split);

#endif
