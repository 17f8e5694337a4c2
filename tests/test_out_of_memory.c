/* The n-th allocation fails, for every n until all succeed: each time there is a reason, nothing crashes, and nothing
 * is kept. What is freed is overwritten, so that a later use of it shows. */
#include "base/clock.h"
#include "base/pool.h"
#include "data/loader.h"
#include "host/host.h"
#include "rig.h"
#include "suite.h"
#include "train/checkpoint_file.h"
#include "train/train.h"
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

/* ---- an allocator that fails on demand, for the whole process ---- */

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);
extern void __libc_free(void *p);

static atomic_long outstanding;
static atomic_long until_failure; /* this one fails; 0: none does */
static atomic_bool failed;
static bool ever_after; /* the later ones fail, too */

static bool must_fail(void)
{
  long left = atomic_load(&until_failure);
  if (left == 0) return false;
  if (left > 1) {
    atomic_fetch_sub(&until_failure, 1);
    return false;
  }
  if (atomic_exchange(&failed, true) && !ever_after) return false;
  errno = ENOMEM;
  return true;
}

static void *counted(void *p)
{
  if (p) atomic_fetch_add(&outstanding, 1);
  return p;
}

#pragma GCC visibility push(default) /* libraries and plugins find these by name */
void *malloc(size_t n)
{
  return must_fail() ? NULL : counted(__libc_malloc(n));
}
void *calloc(size_t n, size_t size)
{
  return must_fail() ? NULL : counted(__libc_calloc(n, size));
}
void *realloc(void *p, size_t n)
{
  if (must_fail()) return NULL;
  return p ? __libc_realloc(p, n) : counted(__libc_malloc(n));
}
void *aligned_alloc(size_t align, size_t n)
{
  return must_fail() ? NULL : counted(__libc_memalign(align, n));
}
int posix_memalign(void **p, size_t align, size_t n)
{
  *p = aligned_alloc(align, n);
  return *p ? 0 : ENOMEM;
}
void free(void *p)
{
  if (p) atomic_fetch_sub(&outstanding, 1);
  __libc_free(p);
}
#pragma GCC visibility pop

/* ---- the torture ---- */

enum { MOST = 100000 }; /* allocations: more is a loop */

static void torture(const char *what, dlc_status (*act)(void))
{
  mallopt(M_PERTURB, 0x5a);
  rig_ok(act()); /* what libraries keep for good is kept now */
  for (int mode = 0; mode < 2; mode++) {
    ever_after = mode == 1;
    long n = 1;
    for (bool reached = true; reached; n++) {
      ck_assert_int_lt(n, MOST);
      const long before = atomic_load(&outstanding);
      dlc_fail(DLC_INTERNAL, "no reason");
      atomic_store(&failed, false);
      atomic_store(&until_failure, n);
      dlc_status status = act();
      atomic_store(&until_failure, 0);
      reached = atomic_load(&failed);
      const long kept = atomic_load(&outstanding) - before;
      ck_assert_msg(kept == 0, "%s: %ld allocations are kept after allocation %ld failed (%d: %s)", what, kept, n,
                    status, dlc_reason());
      ck_assert_msg(status >= 0 || strcmp(dlc_reason(), "no reason") != 0, "%s: allocation %ld failed without a reason",
                    what, n);
      ck_assert_msg(reached || status >= 0, "%s: failed with all its memory: %s", what, dlc_reason());
    }
    ck_assert_msg(n > 3, "%s: only %ld allocations", what, n - 2);
  }
}

/* ---- a whole run on the reference kernels ---- */

static const char model_text[] = "name: small\n"
                                 "layers:\n"
                                 "  - conv2d: {name: conv1, out_channels: 2, kernel_size: [3, 3], padding: same}\n"
                                 "  - relu\n"
                                 "  - max_pool2d: 2\n"
                                 "  - flatten\n"
                                 "  - linear: {name: fc, out_features: classes}\n";

static rig_data data;
static uint32_t workers;
static const char *dump;

static void on_dump(void *ctx, const char *text)
{
  *(bool *)ctx = strstr(text, "arena") != NULL;
}

static dlc_status train_with(dlc_model *model, dlc_machine *machine)
{
  const dlc_host host = rig_host(NULL);
  const dlc_op *optimizer = NULL;
  const char *missing;
  double attr[8] = {0};
  bool dumped = false;
  dlc_run *run;
  dlc_results results;
  DLC_TRY(rig_find(NULL, "adam", &optimizer));
  DLC_TRY(dlc_attr_defaults(optimizer, attr, &missing));
  const dlc_train_config config = {.model = model,
                                   .dataset = &rig_dataset,
                                   .data = rig_as_data(&data),
                                   .machine = machine,
                                   .finder = rig_finder(&host),
                                   .epochs = 1,
                                   .batch_size = 4,
                                   .workers = workers,
                                   .shuffle = true,
                                   .val_split = 0.25,
                                   .method.lr = 0.01,
                                   .method.optimizer = optimizer,
                                   .method.optimizer_attr = attr,
                                   .limit_batches = 2,
                                   .dump_graph = dump,
                                   .on_dump = on_dump,
                                   .ctx = &dumped};
  DLC_TRY(dlc_run_open(&config, dlc_seconds(), &run));
  dlc_status status = dumped == (dump != NULL) ? dlc_run_train(run, &results) : dlc_fail(DLC_INTERNAL, "no dump");
  if (status >= 0) status = dlc_run_save(run, in_folder("weights.safetensors"));
  dlc_run_close(run);
  return status;
}

static dlc_status train(void)
{
  dlc_model *model;
  dlc_machine *machine;
  DLC_TRY(dlc_model_parse(model_text, strlen(model_text), "small.yaml", &model));
  dlc_status status = dlc_machine_open(&(dlc_machine_config){0}, &machine);
  if (status >= 0) {
    status = train_with(model, machine);
    dlc_machine_close(machine);
  }
  dlc_model_free(model);
  return status;
}

START_TEST(a_run)
{
  rig_data_open(&data, 14, 5, 1);
  torture("a run", train);
  dump = "plan";
  torture("a run that shows its graph", train);
  dump = NULL;
  rig_data_close(&data);
}
END_TEST

START_TEST(a_run_with_a_loader_thread)
{
  rig_data_open(&data, 14, 5, 0);
  workers = 1;
  torture("a run with a loader thread", train);
  workers = 0;
  rig_data_close(&data);
}
END_TEST

/* ---- files ---- */

static dlc_status write_and_read(void)
{
  static const char *const metadata[] = {"format", "pt"};
  float numbers[6] = {1, 2, 3, 4, 5, 6};
  uint8_t bytes[3] = {7, 8, 9};
  const dlc_tensor tensors[] = {{"a.weight", DLC_F32, 2, {2, 3}, numbers}, {"b", DLC_U8, 1, {3}, bytes}};
  dlc_tensor_file file;
  DLC_TRY(dlc_safetensors_write(in_folder("t.safetensors"), tensors, 2, metadata, 1));
  DLC_TRY(dlc_safetensors_read(in_folder("t.safetensors"), &file));
  dlc_safetensors_free(&file);
  return DLC_OK;
}

START_TEST(a_safetensors_file)
{
  torture("a safetensors file", write_and_read);
  ck_assert_msg(count_entries() == 1, "%d files are left, expected the one", count_entries());
}
END_TEST

static dlc_status write_and_find_checkpoints(void)
{
  static const char *const metadata[] = {"format", "pt"};
  float numbers[6] = {1, 2, 3, 4, 5, 6};
  const dlc_tensor tensor = {"a.weight", DLC_F32, 2, {2, 3}, numbers};
  const dlc_checkpoint c = {&tensor, 1, metadata, 1};
  dlc_tensor_file file;
  char *path;
  DLC_TRY(dlc_checkpoint_write(in_folder("c"), &c));
  DLC_TRY(dlc_checkpoint_write_epoch(in_folder("c"), &c, 1, 0.5, 1));
  DLC_TRY(dlc_checkpoint_write_epoch(in_folder("c"), &c, 2, 0.6, 1));
  if (truncate(in_folder("c/last.safetensors"), 100) != 0) return dlc_fail(DLC_IO, "no checkpoint");
  DLC_TRY(dlc_checkpoint_find(in_folder("c"), NULL, &path, &file));
  free(path);
  dlc_safetensors_free(&file);
  return DLC_OK;
}

START_TEST(checkpoints)
{
  torture("checkpoints", write_and_find_checkpoints);
  ck_assert_msg(count_entries_of(in_folder("c")) <= 3, "%d files are left", count_entries_of(in_folder("c")));
}
END_TEST

/* ---- model files ---- */

static const char branching[] =
    "init: {conv2d: {weight: {kaiming_normal: {mode: fan_out}}, bias: zeros}, linear: xavier_uniform}\n"
    "blocks:\n"
    "  basic:\n"
    "    parameters: {channels: , size: [3, 3]}\n"
    "    layers:\n"
    "      - residual:\n"
    "          layers: [conv2d: {out_channels: $channels, kernel_size: 1}, batch_norm2d: {name: bn_$channels}]\n"
    "          shortcut: {name: down, layers: [conv2d: {out_channels: $channels, "
    "kernel_size: $size, padding: same}]}\n"
    "layers:\n"
    "  - sequence: {name: stage, layers: [repeat: {times: 2, layers: [basic: 2]}]}\n"
    "  - parallel: {branches: [[], [relu]]}\n"
    "  - flatten\n"
    "  - linear: {name: a, out_features: 64, init: {bias: {constant: 1}}}\n"
    "  - linear: {share: a}\n"
    "  - linear: classes\n";

static dlc_status build_model(void)
{
  const dlc_host host = rig_host(NULL);
  const dlc_op_finder finder = rig_finder(&host);
  const dlc_model_use use = {.classes = 3, .training = true};
  const int64_t dim[4] = {2, 1, 4, 4};
  dlc_model *model;
  dlc_model_graph m = {0};
  dlc_graph_build *g;
  uint32_t input;
  DLC_TRY(dlc_model_parse(branching, strlen(branching), "m.yaml", &model));
  dlc_status status = dlc_graph_new(&finder, &g);
  if (status >= 0) {
    status = dlc_graph_value(g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &input);
    if (status >= 0) status = dlc_model_build(model, g, input, &use, &m);
    dlc_model_graph_free(&m);
    dlc_graph_free(g);
  }
  dlc_model_free(model);
  return status;
}

START_TEST(a_model_file)
{
  torture("a model file", build_model);
}
END_TEST

/* ---- plugins ---- */

/* Those that load no further library, which would stay in memory for good. */
static void link_plugins(void)
{
  static const char *const names[] = {"dlcore-csv.so", "dlcore-idx.so", "dlcore-shapes.so"};
  for (int i = 0; i < 3; i++) {
    char target[PATH_MAX];
    snprintf(target, sizeof target, "%s/%s", TEST_PLUGIN_DIR, names[i]);
    ck_assert_int_eq(symlink(target, in_folder(names[i])), 0);
  }
  setenv("HOME", folder, 1);
}

static dlc_status list_plugins(void)
{
  dlc_pool *pool;
  dlc_registry *registry;
  const void *object;
  DLC_TRY(dlc_pool_open(2, &pool));
  const dlc_registry_config config = {.plugin_path = folder, .program = in_folder("bin"), .pool = pool};
  dlc_status status = dlc_registry_open(&config, &registry);
  if (status >= 0) {
    for (const dlc_op *const *op = dlc_core_ops; *op && status >= 0; op++)
      status = dlc_registry_add(registry, DLC_IFACE_OP, *op);
    dlc_registry_load_all(registry);
    for (uint32_t i = 0; dlc_registry_file(registry, i); i++)
      if (!dlc_registry_file(registry, i)->plugin && !dlc_registry_file(registry, i)->reason)
        status = dlc_fail(DLC_INTERNAL, "neither taken nor refused");
    if (dlc_registry_find(registry, DLC_IFACE_DATASET, "mnits", &object, NULL) != DLC_NOT_FOUND)
      status = dlc_fail(DLC_INTERNAL, "found what is not there");
    dlc_registry_close(registry);
  }
  dlc_pool_close(pool);
  return status;
}

START_TEST(a_list_of_plugins)
{
  link_plugins();
  torture("a list of plugins", list_plugins);
}
END_TEST

static dlc_status read_options(void)
{
  static const dlc_option options[] = {{sizeof(dlc_option), DLC_OPTION_STRING, "name", "x", NULL, "a text"},
                                       {sizeof(dlc_option), DLC_OPTION_INT, "n", "1", "1..9", "a number"}};
  dlc_option_value *values;
  DLC_TRY(dlc_options_read("test", options, 2, "n=3,name=y", &values));
  free(values);
  return DLC_OK;
}

START_TEST(options)
{
  torture("options", read_options);
}
END_TEST
#endif

int main(void)
{
  TCase *c = tcase_create("out_of_memory");
#ifdef M_PERTURB
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_test(c, a_run);
  tcase_add_test(c, a_run_with_a_loader_thread);
  tcase_add_test(c, a_safetensors_file);
  tcase_add_test(c, checkpoints);
  tcase_add_test(c, a_model_file);
  tcase_add_test(c, a_list_of_plugins);
  tcase_add_test(c, options);
#endif
#endif
  return run_suite("out_of_memory", c);
}
