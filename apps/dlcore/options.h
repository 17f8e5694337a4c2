/* What the program can be told, from one table: the command line, the environment, the configuration file, --help and
 * the written config.yaml all read it. [main] */
#ifndef DLCORE_APP_OPTIONS_H
#define DLCORE_APP_OPTIONS_H
#include "base/arena.h"
#include "base/str.h"
#include "dlcore/base.h"
#include <stdbool.h>

/* Exit codes. A function that returns one leaves its reason in dlc_reason(), unless it says otherwise. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* Commands, as bits of cli_option.commands. */
enum {
  CLI_TRAIN = 1,
  CLI_SUMMARY = 2,
  CLI_PLUGINS = 4,
  CLI_PREDICT = 8,
  CLI_DATA = 16,
  CLI_EVAL = 32,
  CLI_PLOT = 64,
  CLI_ALL = 127
};

enum {
  CLI_INT = 1,
  CLI_FLOAT,
  CLI_BOOL,
  CLI_STRING,
  CLI_LIST,
  CLI_SPLIT,
  CLI_SIZE,      /* int64_t, bytes: 512M; "auto" is -1 */
  CLI_TRANSFORMS /* a text; in a configuration file also a list */
};

enum {
  CLI_SETTING = 1, /* may stand in a configuration file and in the environment */
  CLI_RECORDED = 2 /* shapes the run: written to config.yaml */
};

typedef struct cli_list {
  const char **items;
  uint32_t n;
} cli_list;

/* Effective values. Numbers that were not set and have no default: -1, or NaN where they are floats. */
typedef struct cli_options {
  int command;        /* CLI_TRAIN, ... */
  cli_list arguments; /* what is no option: of `plugins NAME`, `predict INPUT...`, `data info`, `plot RUN...` */
  const char *dataset, *data_dir;
  const char *model, *init, *init_from, *input;
  const char *backend, *opt, *output, *name, *color, *config, *plugin_path, *dump_graph;
  cli_list logger;
  const char *train_transforms, *eval_transforms, *on_bad_image;
  const char *weights, *run, *split, *format, *file;
  int64_t epochs, batch_size, seed, threads, workers, limit_batches, classes, limit_per_class, cache_memory, topk,
      count;
  double lr, momentum, weight_decay, l1, val_split, clip;
  cli_list param_group, freeze, eval_mode;
  const char *dtype, *sched, *sched_by, *loss, *class_weights, *watch, *resume;
  double clip_grad, warmup_epochs, warmup_lr, label_smoothing, mixup, cutmix, model_ema;
  int64_t val_batch_size, accumulate, patience, overfit_batches, checkpoint_steps, checkpoint_keep;
  bool checkpoints, dry_run, print_config;
  const char *checkpoint;  /* cli_resume_find(): a folder of checkpoints or one of them; NULL: from scratch */
  const char *resumed_run; /* the run folder that goes on; NULL: a new one */
  const char *profile_by, *profile_sort, *profile_steps;
  int64_t profile_rows;
  bool profile;
  bool shuffle, stratified, exist_ok, quiet, verbose, progress, json, help, version;
  dlc_arena arena;     /* owner of every string above */
  unsigned char *rank; /* of each table entry: where its value came from (CLI_FROM_...) */
} cli_options;

typedef struct cli_option {
  const char *group, *name;
  const char *aliases; /* "data-path|data", or NULL */
  char letter;         /* 0: none */
  unsigned char type, commands, flags;
  size_t offset;
  const char *def;   /* as a user would type it; NULL: not set */
  const char *range; /* "1..64", "0.." (INT, FLOAT), "a|b" (STRING), or NULL */
  const char *value; /* what stands for the value in --help; NULL: takes none */
  const char *help;
} cli_option;

extern const cli_option cli_table[];
extern const size_t cli_table_size;

/* Where a value came from; a higher one wins. */
enum { CLI_FROM_DEFAULT, CLI_FROM_FILE, CLI_FROM_ENVIRONMENT, CLI_FROM_COMMAND };

/* Everything together: defaults, configuration file, DLCORE_* and command line. Returns CLI_OK or CLI_USAGE; with
 * --help or --version nothing else is read or checked. *warning: a line the user should see, or NULL. */
int cli_options_parse(int argc, char **argv, cli_options *o, const char **warning);
/* These options become what the run folder's config.yaml says, not what the environment does, but for those that were
 * typed. An exit code. */
int cli_options_of_run(cli_options *o, const char *run, const char *const *names, size_t n);
/* What a configuration file said becomes the default again. */
dlc_status cli_options_forget_file(cli_options *o);
void cli_options_free(cli_options *o);

const cli_option *cli_option_named(const char *name); /* aliases too; NULL: none */
/* Whether it stands on the command line. */
bool cli_option_typed(const cli_options *o, const char *name);
/* Of the options with all of `flags` and one of `commands`; NULL: none is near. */
const char *cli_option_nearest(const char *name, int commands, int flags);
/* Checks and stores one value. `label` begins the reason: "--epochs", "f.yaml:3:9: epochs". */
dlc_status cli_option_set(cli_options *o, const cli_option *option, const char *text, int from, const char *label);
/* The value as it would be typed; false where it is not set. Lists are not shown. */
bool cli_option_show(const cli_options *o, const cli_option *option, dlc_str *out);

/* help.c */
void cli_help(int command);
const char *cli_command_name(int command);

/* shared_files.c: where the model or recipe NAME, or the file of this path, is; the caller frees *path. An exit code.
 */
enum { CLI_MODEL_FILE, CLI_RECIPE_FILE };
int cli_find_file(int which, const char *name, char **path);

/* resume.c: what --resume stands for; the options of the run that goes on are read. An exit code. */
int cli_resume_find(cli_options *o);

/* config.c */
dlc_status cli_config_read(const char *path, cli_options *o);
dlc_status cli_config_write(const char *path, const cli_options *o);
dlc_status cli_config_text(const cli_options *o, dlc_str *text);

#endif
