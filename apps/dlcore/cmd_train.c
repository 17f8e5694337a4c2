/* dlcore train: checks everything, makes the run folder, trains, says and writes what came out. */
#include "bad_files.h"
#include "base/file.h"
#include "base/status.h"
#include "commands.h"
#include "job.h"
#include "loggers.h"
#include "profile.h"
#include "results.h"
#include "run_folder.h"
#include "stop.h"
#include "train/checkpoint_file.h"
#include "train_config.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct training {
  cli_job job;
  cli_console *console;
  cli_loggers loggers;
  cli_run_folder folder;
  cli_bad_files bad;
  dlc_profile *profile;                         /* NULL without --profile */
  char *weights, *best, *checkpoints, *results; /* paths; owned */
  dlc_run *run;
  int64_t saved_step; /* the step whose weights are on disk */
  bool stepped;
} training;

/* ---- what is said before ---- */

static int64_t count_trained(const dlc_method *method, const dlc_graph *g, const dlc_model_graph *m)
{
  int64_t n = 0;
  for (uint32_t i = 0; i < m->n_params; i++) {
    const dlc_value *v = dlc_value_at(g, m->params[i].value);
    if (v->role == DLC_ROLE_PARAMETER && !dlc_method_frozen(method, v->name)) n += dlc_count(v);
  }
  return n;
}

/* Builds the model for one picture: a model that does not fit is refused here. */
static int say_model(cli_job *job)
{
  dlc_graph_build *g;
  dlc_model_graph m;
  dlc_status status = cli_forward(job, job->shape, job->info->n_classes, &g, &m);
  if (status >= 0) {
    char trained[48] = "";
    if (job->method.n_frozen)
      snprintf(trained, sizeof trained, ", %lld of them trained",
               (long long)count_trained(&job->method, dlc_graph_view(g), &m));
    cli_say(job->console, DLC_LOG_INFO, "model     %s: %lld parameters%s (%s)", dlc_model_name(job->model),
            (long long)cli_count_parameters(g, &m), trained, job->model_path);
  }
  const int code = status < 0 ? CLI_FAILED : cli_job_fits(job, dlc_graph_view(g), &m);
  dlc_model_graph_free(&m);
  dlc_graph_free(g);
  return code;
}

static void say_recipe(const cli_job *job)
{
  const cli_options *o = job->options;
  cli_say(job->console, DLC_LOG_INFO, "backend   %s: %s", job->backend_name, dlc_machine_describe(job->machine));
  cli_say(job->console, DLC_LOG_INFO, "training  %lld epoch%s, batch %lld, %s, lr %g, seed %lld%s",
          (long long)o->epochs, o->epochs == 1 ? "" : "s", (long long)o->batch_size, job->method.optimizer->name, o->lr,
          (long long)o->seed, strcmp(o->dtype, "float64") == 0 ? ", float64" : "");
}

/* ---- called by the run ---- */

static void on_dump(void *ctx, const char *text)
{
  (void)ctx;
  fputs(text, stdout);
}

static bool on_batch(void *ctx, const dlc_progress *p)
{
  training *t = ctx;
  t->stepped = true;
  cli_progress(t->console, p);
  return !cli_stop_signal();
}

static double column(const dlc_row *row, const char *name)
{
  for (uint32_t i = 0; i < row->n; i++)
    if (strcmp(row->names[i], name) == 0) return row->values[i];
  return NAN;
}

static void say_epoch(const training *t, const dlc_row *row)
{
  static const char *const phases[] = {"train", "val", "test"};
  dlc_str line = {0};
  dlc_str_addf(&line, "epoch %lld/%lld", (long long)row->epoch, (long long)t->job.options->epochs);
  for (size_t i = 0; i < 3; i++) {
    char loss[16], accuracy[16];
    snprintf(loss, sizeof loss, "%s_loss", phases[i]);
    snprintf(accuracy, sizeof accuracy, "%s_acc", phases[i]);
    if (isnan(column(row, loss))) continue;
    dlc_str_addf(&line, "  %s loss %.4f acc %.2f%%", phases[i], column(row, loss), 100 * column(row, accuracy));
  }
  dlc_str_addf(&line, "  %.0f img/s  %.1f s", column(row, "img_s"), column(row, "seconds"));
  cli_say(t->console, DLC_LOG_INFO, "%s", dlc_str_get(&line));
  dlc_str_free(&line);
}

static void on_row(void *ctx, const dlc_row *row)
{
  training *t = ctx;
  cli_loggers_write(&t->loggers, row, t->console);
  if (row->kind == DLC_ROW_EPOCH) say_epoch(t, row);
}

/* A disk may be full now and not in an hour: only the last epoch's weights must be written (see finish()). */
static void on_epoch(void *ctx, uint32_t epoch, int64_t step, bool best)
{
  training *t = ctx;
  dlc_status status = DLC_OK;
  if (t->job.options->dry_run) return;
  if (best) status = dlc_run_save(t->run, t->best);
  if (status >= 0) status = dlc_run_save(t->run, t->weights);
  if (status >= 0) t->saved_step = step;
  else if (epoch < t->job.options->epochs) cli_say(t->console, DLC_LOG_WARN, "weights are not saved: %s", dlc_reason());
}

static bool save_wanted(void *ctx)
{
  const training *t = ctx;
  const bool asked = cli_save_asked();
  if (asked)
    cli_say(t->console, DLC_LOG_INFO, "SIGUSR1   %s",
            t->job.options->checkpoints ? "writing a checkpoint" : "nothing written: --no-checkpoints");
  return asked;
}

static void on_bad_sample(void *ctx, const char *name, const char *reason)
{
  training *t = ctx;
  cli_bad_files_add(&t->bad, t->console, name, reason);
}

/* ---- the way of a run ---- */

/* Everything that can be found wrong without touching the disk; names before what takes time. */
static int prepare(training *t, cli_options *o)
{
  int code = cli_run_folder_check(o);
  if (code == CLI_OK) code = cli_job_open(&t->job, o, t->console);
  if (code == CLI_OK) code = cli_job_method(&t->job);
  if (code == CLI_OK) code = cli_loggers_find(&t->loggers, &t->job);
  if (code == CLI_OK) code = cli_job_transforms(&t->job);
  if (code == CLI_OK) code = cli_job_model(&t->job);
  if (code == CLI_OK) code = cli_job_backend(&t->job);
  if (code == CLI_OK) code = cli_job_dataset(&t->job);
  if (code == CLI_OK) code = cli_job_class_weights(&t->job);
  if (code != CLI_OK) return code;
  cli_say_dataset(&t->job);
  code = cli_job_shape(&t->job);
  if (code == CLI_OK) code = say_model(&t->job);
  if (code == CLI_OK) say_recipe(&t->job);
  return code;
}

static int open_run(training *t, double started)
{
  dlc_train_config config;
  cli_train_config(&t->job, &config);
  if (t->job.options->checkpoint) config.init_from = NULL; /* all weights come from there; the file may be gone */
  config.profile = t->profile;
  config.on_dump = on_dump;
  config.on_batch = on_batch;
  config.save_wanted = save_wanted;
  config.on_row = on_row;
  config.on_epoch = on_epoch;
  config.on_bad_sample = on_bad_sample;
  config.ctx = t;
  return dlc_run_open(&config, started, &t->run) < 0 ? CLI_FAILED : CLI_OK;
}

/* What --resume found, brought into the run. */
static int resume(training *t)
{
  const cli_options *o = t->job.options;
  char *path = NULL;
  dlc_tensor_file file = {0};
  int64_t epochs, steps;
  if (!o->checkpoint) {
    if (o->resume) cli_say(t->console, DLC_LOG_INFO, "resume    no checkpoint there: starting from scratch");
    return CLI_OK;
  }
  const bool folder = dlc_path_is_dir(o->checkpoint);
  dlc_status status = folder ? dlc_checkpoint_find(o->checkpoint, &t->job.sink, &path, &file)
                             : dlc_safetensors_read(o->checkpoint, &file);
  if (status >= 0) status = dlc_run_resume(t->run, &file, path ? path : o->checkpoint);
  dlc_run_position(t->run, &epochs, &steps);
  if (status >= 0)
    cli_say(t->console, DLC_LOG_INFO, "resume    %s: after %lld epoch%s and %lld steps", path ? path : o->checkpoint,
            (long long)epochs, epochs == 1 ? "" : "s", (long long)steps);
  if (status >= 0 && epochs >= o->epochs)
    cli_say(t->console, DLC_LOG_INFO, "resume    nothing is left of %lld epoch%s; more with --epochs",
            (long long)o->epochs, o->epochs == 1 ? "" : "s");
  dlc_safetensors_free(&file);
  free(path);
  return status < 0 ? CLI_FAILED : CLI_OK;
}

static dlc_status remove_file(const char *path)
{
  return unlink(path) == 0 || errno == ENOENT ? DLC_OK : dlc_fail(DLC_IO, "%s: %s", path, strerror(errno));
}

/* What a former run left in the folder (--exist-ok) does not belong to what comes now. */
static dlc_status remove_former(const training *t)
{
  DLC_TRY(remove_file(t->results));
  if (t->job.options->resumed_run) return DLC_OK;
  cli_profile_begin(&t->folder);
  DLC_TRY(remove_file(t->best));
  DLC_TRY(remove_file(t->weights));
  return dlc_checkpoint_remove_all(t->checkpoints);
}

static int begin_folder(training *t)
{
  const cli_options *o = t->job.options;
  t->weights = cli_run_folder_file(&t->folder, "weights/last.safetensors");
  t->best = cli_run_folder_file(&t->folder, "weights/best.safetensors");
  t->checkpoints = cli_run_folder_file(&t->folder, "checkpoints");
  t->results = cli_run_folder_file(&t->folder, "results.json");
  char *config = cli_run_folder_file(&t->folder, "config.yaml"), *log = cli_run_folder_file(&t->folder, "log.txt");
  dlc_status status =
      t->weights && t->best && t->checkpoints && t->results && config && log ? DLC_OK : dlc_fail_nomem();
  if (status >= 0) status = remove_former(t);
  if (status >= 0) status = cli_config_write(config, o);
  if (status >= 0) status = cli_console_log_to(t->console, log, o->resumed_run != NULL);
  free(config);
  free(log);
  if (status < 0) return CLI_FAILED;
  cli_say(t->console, DLC_LOG_INFO, "run       %s", t->folder.path);
  int code = cli_loggers_open(&t->loggers, t->folder.path, o->resume != NULL, t->run);
  if (o->checkpoints) dlc_run_checkpoints(t->run, t->checkpoints);
  return code == CLI_OK ? cli_bad_files_begin(&t->bad, &t->folder) : code;
}

static void say_results(const training *t, const dlc_results *r)
{
  if (r->test.samples > 0)
    cli_say(t->console, DLC_LOG_INFO, "test      loss %.4f, accuracy %.2f%% of %lld images", r->test.loss,
            100 * r->test.accuracy, (long long)r->test.samples);
  cli_say(t->console, DLC_LOG_INFO, "time      %.1f s, first step after %.3f s, %.0f img/s; peak memory %.0f MiB",
          r->seconds_total, r->seconds_to_first_step, r->images_per_second,
          (double)cli_peak_rss_bytes() / (1024 * 1024));
  cli_bad_files_say(&t->bad, t->console);
  if (r->out_of_patience)
    cli_say(t->console, DLC_LOG_INFO, "patience  no better epoch than %u in %lld: the run ended early", r->best_epoch,
            (long long)t->job.options->patience);
  if (r->best_epoch && r->epochs > 1)
    cli_say(t->console, DLC_LOG_INFO, "best      epoch %u, %s %.4f (%s)", r->best_epoch, t->job.options->watch, r->best,
            t->best);
  cli_say(t->console, DLC_LOG_INFO, "weights   %s", t->weights);
}

static int finish(training *t, const dlc_results *r)
{
  if (t->saved_step != r->steps && dlc_run_save(t->run, t->weights) < 0) return CLI_FAILED;
  if (cli_results_write(t->results, &t->job, r, t->bad.count) < 0) return CLI_FAILED;
  int signal_number = r->interrupted ? cli_stop_signal() : 0;
  if (signal_number)
    cli_say(t->console, DLC_LOG_WARN, "stopped by signal %d after %lld steps; `dlcore --resume %s` goes on",
            signal_number, (long long)r->steps, t->folder.path);
  say_results(t, r);
  return signal_number ? 128 + signal_number : CLI_OK;
}

static int train_all(training *t, double started)
{
  int code = open_run(t, started);
  if (code != CLI_OK || t->job.options->dump_graph) return code;
  cli_stop_install();
  /* The folder is locked before its checkpoint is read: else another run could write a newer one in between. */
  if (!t->job.options->dry_run) code = cli_run_folder_make(t->job.options, dlc_model_name(t->job.model), &t->folder);
  if (code == CLI_OK) code = resume(t);
  if (code == CLI_OK && !t->job.options->dry_run) code = begin_folder(t);
  if (code != CLI_OK) return code;
  dlc_results results = {0};
  dlc_track_end(dlc_profile_main(t->profile));
  dlc_status status = dlc_run_train(t->run, &results);
  if (status < 0) return CLI_FAILED;
  cli_progress_clear(t->console);
  cli_loggers_close(&t->loggers, t->console);
  /* What was measured before the last steps says nothing about these weights. */
  if (results.interrupted) results.val = results.test = (dlc_metrics){NAN, NAN, 0, NAN};
  if (results.steps == 0 && results.interrupted) return 128 + cli_stop_signal();
  if (t->job.options->dry_run) cli_say(t->console, DLC_LOG_INFO, "dry run   one step and one evaluation went through");
  return t->job.options->dry_run ? CLI_OK : finish(t, &results);
}

static int print_config(const cli_options *o, cli_console *c)
{
  dlc_str text = {0};
  const int code = cli_config_text(o, &text) < 0 ? CLI_FAILED : CLI_OK;
  if (code == CLI_OK) fputs(dlc_str_get(&text), stdout);
  cli_report(c, code);
  dlc_str_free(&text);
  return code;
}

int cli_train(cli_options *o, cli_console *c, double started)
{
  training t = {.console = c, .saved_step = -1};
  if (o->dump_graph && c->shown < DLC_LOG_WARN) c->shown = DLC_LOG_WARN; /* stdout is for the graph */
  if (o->print_config) return print_config(o, c);
  if (o->dry_run) o->epochs = o->limit_batches = 1;
  int code = cli_profile_open(o, &t.profile);
  dlc_track_begin(dlc_profile_main(t.profile), "prepare");
  if (code == CLI_OK) code = prepare(&t, o);
  if (code == CLI_OK) code = train_all(&t, started);
  cli_progress_clear(c);
  cli_report(c, code);
  cli_loggers_close(&t.loggers, c);
  if (code != CLI_OK && !t.stepped) cli_run_folder_undo(&t.folder, o->output);
  if (t.run) dlc_run_close(t.run); /* ends the threads that the profile times */
  if (t.stepped && code != CLI_FAILED) cli_profile_report(t.profile, o, c, &t.folder);
  cli_job_close(&t.job);
  dlc_profile_close(t.profile);
  cli_run_folder_free(&t.folder);
  cli_bad_files_close(&t.bad);
  free(t.weights);
  free(t.best);
  free(t.checkpoints);
  free(t.results);
  return code;
}
