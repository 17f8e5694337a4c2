/* results.json: what came out of the run, for programs to read. */
#include "results.h"
#include "base/file.h"
#include "base/status.h"
#include "data/dataset.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

int64_t cli_peak_rss_bytes(void)
{
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

static json_t *number(double v)
{
  return isfinite(v) ? json_real(v) : json_null();
}

static void add_metrics(json_t *root, const char *phase, const dlc_metrics *m)
{
  char key[32];
  snprintf(key, sizeof key, "%s_loss", phase);
  json_object_set_new(root, key, number(m->samples > 0 ? m->loss : NAN));
  snprintf(key, sizeof key, "%s_accuracy", phase);
  json_object_set_new(root, key, number(m->samples > 0 ? m->accuracy : NAN));
  snprintf(key, sizeof key, "%s_top5", phase);
  if (!isnan(m->top5)) json_object_set_new(root, key, number(m->top5));
}

static json_t *as_json(const cli_job *job, const dlc_results *r)
{
  const cli_options *o = job->options;
  json_t *root = json_object();
  json_object_set_new(root, "version", json_string(DLCORE_VERSION));
  json_object_set_new(root, "dataset", json_string(job->dataset->name));
  json_object_set_new(root, "model", json_string(dlc_model_name(job->model)));
  json_object_set_new(root, "backend", json_string(job->backend_name));
  json_object_set_new(root, "optimizer", json_string(job->method.optimizer->name));
  json_object_set_new(root, "seed", json_integer(o->seed));
  json_object_set_new(root, "batch_size", json_integer(o->batch_size));
  json_object_set_new(root, "parameters", json_integer(r->parameters));
  json_object_set_new(root, "epochs", json_integer(r->epochs));
  json_object_set_new(root, "steps", json_integer(r->steps));
  if (r->best_epoch) {
    json_object_set_new(root, "best_epoch", json_integer(r->best_epoch));
    char key[40];
    snprintf(key, sizeof key, "best_%s", o->watch);
    json_object_set_new(root, key, number(r->best));
  }
  json_object_set_new(root, "out_of_patience", json_boolean(r->out_of_patience));
  json_object_set_new(root, "interrupted", json_boolean(r->interrupted));
  add_metrics(root, "train", &r->train);
  if (o->val_split > 0 || dlc_split_find(job->info, "val") >= 0) add_metrics(root, "val", &r->val);
  add_metrics(root, "test", &r->test);
  json_object_set_new(root, "images_per_second", number(r->images_per_second));
  json_object_set_new(root, "seconds_total", number(r->seconds_total));
  json_object_set_new(root, "seconds_to_first_step", number(r->seconds_to_first_step));
  json_object_set_new(root, "peak_rss_bytes", json_integer(cli_peak_rss_bytes()));
  return root;
}

dlc_status cli_results_write(const char *path, const cli_job *job, const dlc_results *r, uint32_t bad_images)
{
  json_t *root = as_json(job, r);
  json_object_set_new(root, "bad_images", json_integer(bad_images));
  char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
  json_decref(root);
  dlc_str file = {0};
  if (text) dlc_str_addf(&file, "%s\n", text);
  dlc_status status =
      text && dlc_str_ok(&file) ? dlc_write_file(path, dlc_str_get(&file), file.length) : dlc_fail_nomem();
  dlc_str_free(&file);
  free(text);
  return status;
}
