/* A run that is stopped and goes on ends with the same bytes as one that is not: weights, every state, every row but
 * its times. At every batch, in the middle of epochs and of evaluations, for every way of learning that keeps
 * something. */
#include "base/clock.h"
#include "base/pool.h"
#include "host/host.h"
#include "rig.h"
#include "train/checkpoint_file.h"
#include "train/train.h"
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

static const char model_text[] = "layers:\n"
                                 "  - conv2d: {name: conv1, out_channels: 3, kernel_size: 3, padding: same}\n"
                                 "  - batch_norm2d: {name: bn1}\n"
                                 "  - relu\n"
                                 "  - max_pool2d: 2\n"
                                 "  - dropout: 0.25\n"
                                 "  - flatten\n"
                                 "  - linear: {name: fc1, out_features: classes}\n";

enum { TRAIN = 100, TEST = 30, BATCH = 16, EPOCHS = 3 };

typedef struct way {
  const char *name, *optimizer, *schedule;
  double ema, mixup, cutmix, clip;
  uint32_t accumulate, workers, dtype;
} way;

static const way ways[] = {
    {.name = "sgd", .optimizer = "sgd"},
    {.name = "adam, cosine by step", .optimizer = "adam", .schedule = "cosine"},
    {.name = "adamw, average, clipping", .optimizer = "adamw", .ema = 0.9, .clip = 0.5},
    {.name = "rmsprop, mixed", .optimizer = "rmsprop", .mixup = 0.4, .cutmix = 1, .schedule = "plateau:patience=0"},
    {.name = "adagrad, accumulated, two workers", .optimizer = "adagrad", .accumulate = 3, .workers = 2},
    {.name = "lars, one cycle", .optimizer = "lars", .schedule = "one_cycle"},
    {.name = "in float64", .optimizer = "sgd", .dtype = DLC_F64, .ema = 0.9, .mixup = 0.4, .clip = 1, .accumulate = 2},
};

/* ---- one run, or part of one ---- */

typedef struct story {
  const way *w;
  const char *folder; /* of checkpoints */
  uint32_t stop_at;   /* batches of any phase after which it stops; 0: it does not */
  uint32_t seen;      /* batches in this part */
  bool go_on;         /* from the newest checkpoint */
  char rows[1 << 14]; /* every row, its times left out */
  size_t length;
  char *final; /* the last checkpoint's bytes, its times left out */
  size_t final_length;
  dlc_results results;
} story;

static bool on_batch(void *ctx, const dlc_progress *p)
{
  story *s = ctx;
  (void)p;
  return ++s->seen != s->stop_at;
}

static void on_row(void *ctx, const dlc_row *row)
{
  story *s = ctx;
  s->length += (size_t)snprintf(s->rows + s->length, sizeof s->rows - s->length, "%u %lld %lld", row->kind,
                                (long long)row->epoch, (long long)row->step);
  for (uint32_t i = 0; i < row->n; i++)
    if (strcmp(row->names[i], "seconds") != 0 && strcmp(row->names[i], "img_s") != 0)
      s->length +=
          (size_t)snprintf(s->rows + s->length, sizeof s->rows - s->length, " %s %a", row->names[i], row->values[i]);
  s->length += (size_t)snprintf(s->rows + s->length, sizeof s->rows - s->length, "\n");
}

/* A resumed run's loggers drop what comes again. */
static void drop_rows(story *s, int64_t epochs, int64_t steps)
{
  char kept[sizeof s->rows];
  size_t length = 0;
  for (char *line = s->rows; line < s->rows + s->length;) {
    unsigned kind;
    long long epoch, step;
    const size_t n = strcspn(line, "\n") + 1;
    ck_assert_int_eq(sscanf(line, "%u %lld %lld", &kind, &epoch, &step), 3);
    if (kind == DLC_ROW_EPOCH ? epoch <= epochs : step <= steps) {
      memcpy(kept + length, line, n);
      length += n;
    }
    line += n;
  }
  memcpy(s->rows, kept, length);
  s->length = length;
  s->rows[length] = '\0';
}

static void keep_final(story *s)
{
  dlc_tensor_file file;
  char *path;
  FILE *out = open_memstream(&s->final, &s->final_length);
  rig_ok(dlc_checkpoint_find(s->folder, NULL, &path, &file));
  for (uint32_t i = 0; i < file.n; i++) {
    fprintf(out, "%s\n", file.tensors[i].name);
    fwrite(file.tensors[i].data, 1, dlc_tensor_bytes(&file.tensors[i]), out);
  }
  for (uint32_t i = 0; i < file.n_metadata; i++)
    if (strcmp(file.metadata[2 * i], "seconds") != 0 && strncmp(file.metadata[2 * i], "dlcore.", 7) != 0)
      fprintf(out, "%s: %s\n", file.metadata[2 * i], file.metadata[2 * i + 1]);
  fclose(out);
  dlc_safetensors_free(&file);
  free(path);
}

static void take_checkpoint(story *s, dlc_run *run)
{
  dlc_tensor_file file;
  char *path;
  int64_t epochs, steps;
  const dlc_status status = dlc_checkpoint_find(s->folder, NULL, &path, &file);
  if (status == DLC_NOT_FOUND) {
    drop_rows(s, 0, 0);
    return;
  }
  rig_ok(status);
  rig_ok(dlc_run_resume(run, &file, path));
  dlc_run_position(run, &epochs, &steps);
  drop_rows(s, epochs, steps);
  dlc_safetensors_free(&file);
  free(path);
}

static void run_part(story *s)
{
  rig_data data;
  dlc_pool *pool;
  dlc_registry *registry;
  dlc_machine *machine;
  dlc_model *model;
  dlc_run *run;
  const void *backend = NULL;
  const dlc_host *host = NULL;
  const dlc_op *optimizer = NULL;
  const char *missing;
  double attr[8] = {0};
  const way *w = s->w;
  rig_data_open(&data, TRAIN, TEST, 1);
  rig_ok(dlc_pool_open(2, &pool));
  const dlc_registry_config rc = {.plugin_path = TEST_PLUGIN_DIR, .pool = pool};
  rig_ok(dlc_registry_open(&rc, &registry));
  rig_ok(dlc_registry_find(registry, DLC_IFACE_BACKEND, "cpu", &backend, &host));
  const dlc_machine_config mc = {.backend = backend, .host = host};
  rig_ok(dlc_machine_open(&mc, &machine));
  rig_ok(dlc_model_parse(model_text, strlen(model_text), "model.yaml", &model));
  rig_ok(rig_find(NULL, w->optimizer, &optimizer));
  rig_ok(dlc_attr_defaults(optimizer, attr, &missing));
  dlc_train_config config = {.model = model,
                             .dataset = &rig_dataset,
                             .data = rig_as_data(&data),
                             .machine = machine,
                             .finder = rig_finder(host),
                             .epochs = EPOCHS,
                             .batch_size = BATCH,
                             .workers = w->workers,
                             .dtype = w->dtype,
                             .seed = 5,
                             .shuffle = true,
                             .val_split = 0.2,
                             .checkpoint_keep = 1,
                             .method = {.lr = 0.01,
                                        .optimizer = optimizer,
                                        .optimizer_attr = attr,
                                        .schedule = {.by_step = true, .warmup_epochs = 0.3},
                                        .ema = w->ema,
                                        .mixup = w->mixup,
                                        .cutmix = w->cutmix,
                                        .clip_norm = w->clip,
                                        .accumulate = w->accumulate},
                             .on_batch = on_batch,
                             .on_row = on_row,
                             .ctx = s};
  rig_ok(dlc_schedule_read(w->schedule ? w->schedule : "constant", &config.method.schedule));
  rig_ok(dlc_run_open(&config, dlc_seconds(), &run));
  s->seen = 0;
  if (s->go_on) take_checkpoint(s, run);
  dlc_run_checkpoints(run, s->folder);
  rig_ok(dlc_run_train(run, &s->results));
  if (!s->results.interrupted) keep_final(s);
  dlc_run_close(run);
  dlc_model_free(model);
  dlc_machine_close(machine);
  dlc_registry_close(registry);
  dlc_pool_close(pool);
  rig_data_close(&data);
}

/* ---- comparisons ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
  (void)st, (void)type, (void)at;
  return remove(path);
}

/* Stopped after every `every` batches until it ends; 0: never stopped. */
static void run_story(story *s, const way *w, uint32_t every)
{
  char folder[] = "/tmp/dlcore-resume-XXXXXX";
  *s = (story){.w = w, .folder = mkdtemp(folder), .stop_at = every};
  ck_assert_ptr_nonnull(s->folder);
  do {
    run_part(s);
    s->go_on = true;
  } while (s->results.interrupted);
  nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

START_TEST(stopped_runs_end_with_the_same_bytes)
{
  const way *w = &ways[_i];
  story *whole = malloc(sizeof *whole), *parts = malloc(sizeof *parts);
  run_story(whole, w, 0);
  static const uint32_t intervals[] = {2, 3, 5, 7, 11}; /* batches of training and evaluation */
  for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++) {
    const uint32_t every = intervals[i];
    if (w->accumulate > 1 && every <= w->accumulate) continue; /* it would never get past its first step */
    run_story(parts, w, every);
    ck_assert_msg(strcmp(whole->rows, parts->rows) == 0, "%s, stopped every %u batches: rows\n%s\nexpected\n%s",
                  w->name, every, parts->rows, whole->rows);
    ck_assert_msg(whole->final_length == parts->final_length &&
                      memcmp(whole->final, parts->final, whole->final_length) == 0,
                  "%s, stopped every %u batches: other bytes in the last checkpoint", w->name, every);
    ck_assert(whole->results.test.loss == parts->results.test.loss);
    free(parts->final);
  }
  free(whole->final);
  free(whole);
  free(parts);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("resume");
  TCase *t = tcase_create("bytes");
  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, stopped_runs_end_with_the_same_bytes, 0, sizeof ways / sizeof *ways);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
