/* Training from pictures in folders and archives: the same bytes of weights whatever the wrapping and however many
 * workers, and nothing kept from one epoch to the next. */
#include "archive_fixture.h"
#include "base/random.h"
#include "ops/ops.h"
#include "train/train.h"
#include "transforms/transforms.h"
#include <malloc.h>

static const char model_text[] = "layers:\n"
                                 "  - conv2d: {out_channels: 4, kernel_size: 3}\n"
                                 "  - relu\n"
                                 "  - max_pool2d: 2\n"
                                 "  - flatten\n"
                                 "  - linear: classes\n";
static const char train_list[] = "color_jitter(brightness=0.2, hue=0.05) random_horizontal_flip random_rotation(10) "
                                 "random_resized_crop(size=12, scale=[0.5, 1.0]) normalize(half)";
static const char eval_list[] = "resize([12, 12]) normalize(half)";

/* ---- pictures ---- */

static blob make_picture(uint32_t number)
{
  uint32_t w[4];
  char head[32];
  blob b = {0};
  dlc_random_words(3, 0x40000, 0, number, 0, w);
  const uint32_t width = 12 + w[0] % 9, height = 12 + w[1] % 9;
  const int n = snprintf(head, sizeof head, "P6\n%u %u\n255\n", width, height);
  blob_add(&b, head, (size_t)n);
  for (uint32_t i = 0; i < width * height * 3; i++) {
    dlc_random_words(3, 0x40001, 0, number, i, w);
    const uint8_t bright = i % 3 == number % 2 ? 120 : 0;
    blob_add(&b, &(uint8_t){(uint8_t)(w[0] % 130 + bright)}, 1);
  }
  return b;
}

/* 41 pictures to train on and 9 to test on, of two classes: as folder, tar, tar.gz and zip. */
static void write_pictures(void)
{
  zip_writer z = {0};
  shell("mkdir -p %s/set/train/a %s/set/train/b %s/set/test/a %s/set/test/b", folder, folder, folder, folder);
  for (uint32_t i = 0; i < 50; i++) {
    char name[64];
    blob picture = make_picture(i);
    snprintf(name, sizeof name, "set/%s/%s/%u.ppm", i < 41 ? "train" : "test", i % 2 ? "b" : "a", i);
    write_blob(name, &picture);
    zip_add(&z, (zip_entry){.name = name, .data = picture.data, .n = picture.n});
    blob_free(&picture);
  }
  zip_write(&z, "set.zip");
  shell("cd %s && tar cf set.tar set && gzip -k set.tar", folder);
}

/* ---- a run ---- */

typedef struct settings {
  const char *set; /* in the test's folder */
  uint32_t workers, epochs;
  size_t cache_bytes;
} settings;

static dlc_status find_op(void *ctx, const char *name, const dlc_op **op)
{
  (void)ctx;
  for (const dlc_op *const *o = dlc_core_ops; *o; o++)
    if (strcmp((*o)->name, name) == 0) {
      *op = *o;
      return DLC_OK;
    }
  return dlc_fail(DLC_NOT_FOUND, "no op `%s`", name);
}

static dlc_status find_transform(void *ctx, const char *name, const dlc_transform **transform)
{
  (void)ctx;
  for (const dlc_transform *const *t = dlc_core_transforms; *t; t++)
    if (strcmp((*t)->name, name) == 0) {
      *transform = *t;
      return DLC_OK;
    }
  return dlc_fail(DLC_NOT_FOUND, "no transform `%s`", name);
}

static dlc_pipeline *must_parse(const char *text)
{
  const dlc_transform_finder finder = {find_transform, NULL, dlc_registry_host(registry)};
  dlc_pipeline *p = NULL;
  ck_assert_msg(dlc_pipeline_parse(text, &finder, &p) >= 0, "%s", dlc_reason());
  return p;
}

/* What a process holds, after an epoch. */
typedef struct holdings {
  int threads, descriptors;
  size_t bytes;
} holdings;

static int count_files(const char *path)
{
  DIR *d = opendir(path);
  int n = 0;
  while (d && readdir(d)) n++;
  if (d) closedir(d);
  return n;
}

enum { EPOCHS = 150 };

typedef struct watcher {
  holdings after[EPOCHS]; /* by epoch */
  uint32_t epochs;
} watcher;

static void on_row(void *ctx, const dlc_row *row)
{
  watcher *w = ctx;
  if (row->kind != DLC_ROW_EPOCH || w->epochs == EPOCHS) return;
  w->after[w->epochs++] =
      (holdings){count_files("/proc/self/task"), count_files("/proc/self/fd"), mallinfo2().uordblks};
}

static void train(const settings *s, const char *weights, watcher *w)
{
  test_dataset set = must_open("imagefolder", NULL, in_folder(s->set));
  const dlc_machine_config mc = {.host = dlc_registry_host(registry)};
  const dlc_sgd attr = {.momentum = 0.9};
  const dlc_op *sgd = NULL;
  dlc_machine *machine;
  dlc_model *model;
  dlc_run *run;
  dlc_results results;
  dlc_pipeline *lists[2] = {must_parse(train_list), must_parse(eval_list)};
  *w = (watcher){0};
  ck_assert_int_eq(dlc_machine_open(&mc, &machine), DLC_OK);
  ck_assert_int_eq(dlc_model_parse(model_text, strlen(model_text), "m.yaml", &model), DLC_OK);
  ck_assert_int_eq(find_op(NULL, "sgd", &sgd), DLC_OK);
  const dlc_train_config config = {.model = model,
                                   .dataset = set.dataset,
                                   .data = set.data,
                                   .machine = machine,
                                   .finder = {find_op, NULL, dlc_registry_host(registry)},
                                   .epochs = s->epochs,
                                   .batch_size = 8,
                                   .workers = s->workers,
                                   .seed = 4,
                                   .shuffle = true,
                                   .val_split = 0.2,
                                   .stratified = true,
                                   .train_transforms = lists[0],
                                   .eval_transforms = lists[1],
                                   .cache_bytes = s->cache_bytes,
                                   .method.lr = 0.01,
                                   .method.optimizer = sgd,
                                   .method.optimizer_attr = &attr,
                                   .on_row = on_row,
                                   .ctx = w};
  ck_assert_msg(dlc_run_open(&config, 0, &run) >= 0, "%s", dlc_reason());
  ck_assert_msg(dlc_run_train(run, &results) >= 0, "%s", dlc_reason());
  ck_assert_msg(dlc_run_save(run, in_folder(weights)) >= 0, "%s", dlc_reason());
  dlc_run_close(run);
  dlc_pipeline_free(lists[0]);
  dlc_pipeline_free(lists[1]);
  dlc_model_free(model);
  dlc_machine_close(machine);
  close_dataset(&set);
}

static void check_same(const settings *s, const blob *expected)
{
  watcher w;
  train(s, "other.safetensors", &w);
  blob other = read_blob(in_folder("other.safetensors"));
  ck_assert_uint_eq(other.n, expected->n);
  ck_assert_msg(memcmp(other.data, expected->data, other.n) == 0, "%s with %u workers gives other weights", s->set,
                s->workers);
  blob_free(&other);
}

/* ---- tests ---- */

START_TEST(wrapping_workers_and_kept_pictures_do_not_change_a_byte_of_the_weights)
{
  static const char *const sets[] = {"set", "set.tar", "set.tar.gz", "set.zip"};
  static const uint32_t workers[] = {0, 1, 2, 8};
  settings s = {.set = "set", .epochs = 2};
  watcher w;
  write_pictures();
  train(&s, "first.safetensors", &w);
  blob first = read_blob(in_folder("first.safetensors"));
  for (int i = 0; i < 4; i++) {
    s.set = sets[i];
    s.workers = 2;
    s.cache_bytes = i % 2 ? 1 << 20 : 20000; /* all are kept, or some */
    check_same(&s, &first);
    s.set = "set.zip";
    s.workers = workers[i];
    check_same(&s, &first);
  }
  blob_free(&first);
}
END_TEST

/* The least that was held at the end of epochs `from` to `to`: a worker that is reading ahead holds more for a moment.
 */
static holdings least(const watcher *w, uint32_t from, uint32_t to)
{
  holdings l = w->after[from - 1];
  for (uint32_t i = from; i < to; i++) {
    const holdings *h = &w->after[i];
    if (h->threads < l.threads) l.threads = h->threads;
    if (h->descriptors < l.descriptors) l.descriptors = h->descriptors;
    if (h->bytes < l.bytes) l.bytes = h->bytes;
  }
  return l;
}

/* Buffers grow until each has met the largest picture, which chance may put off for some epochs. After that sixteen
 * bytes a picture would be 26 thousand in forty epochs. */
START_TEST(epochs_leave_nothing_behind)
{
  const settings s = {.set = "set.zip", .workers = 3, .epochs = EPOCHS, .cache_bytes = 1 << 20};
  static watcher w;
  write_pictures();
  train(&s, "w.safetensors", &w);
  ck_assert_uint_eq(w.epochs, EPOCHS);
  const holdings early = least(&w, 71, 110), late = least(&w, 111, 150);
  ck_assert_int_eq(late.threads, early.threads);
  ck_assert_int_eq(late.descriptors, early.descriptors);
  ck_assert_msg(late.bytes <= early.bytes + 1024, "%zu bytes after epochs 71 to 110, %zu after 111 to 150", early.bytes,
                late.bytes);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("data run");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, wrapping_workers_and_kept_pictures_do_not_change_a_byte_of_the_weights);
  tcase_add_test(tests, epochs_leave_nothing_behind);
  return run_suite("data run", tests);
}
