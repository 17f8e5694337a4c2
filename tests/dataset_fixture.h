/* For tests of the data set plugins: the built plugins behind a registry with a pool of threads, and a folder to put
 * files into. */
#ifndef DLC_TEST_DATASET_FIXTURE_H
#define DLC_TEST_DATASET_FIXTURE_H
#include "data/source.h"
#include "plugin_fixture.h"

static dlc_pool *pool;
static dlc_registry *registry;
static dlc_source_service sources;

static inline void set_up_with(uint32_t threads)
{
  make_plugin_folder();
  ck_assert_int_eq(dlc_pool_open(threads, &pool), DLC_OK);
  dlc_registry_config config = {.plugin_path = TEST_PLUGIN_DIR, .pool = pool, .sink = &ear};
  ck_assert_int_eq(dlc_registry_open(&config, &registry), DLC_OK);
  ck_assert_int_eq(dlc_source_serve(&sources, registry), DLC_OK);
}

static inline void set_up(void)
{
  set_up_with(3);
}

static inline void tear_down(void)
{
  dlc_registry_close(registry);
  dlc_pool_close(pool);
  remove_folder();
}

/* An open data set; close_dataset() gives everything back. */
typedef struct test_dataset {
  const dlc_dataset *dataset;
  dlc_source *source;
  dlc_option_value *values;
  dlc_data *data;
  const dlc_dataset_info *info;
} test_dataset;

static inline void close_dataset(test_dataset *t)
{
  if (t->data) t->dataset->close(t->data);
  if (t->source) t->source->close(t->source);
  free(t->values);
  *t = (test_dataset){.dataset = t->dataset};
}

/* `data_dir`: a folder, an archive, or NULL. */
static inline dlc_status open_dataset(const char *name, const char *options, const char *data_dir, test_dataset *t)
{
  const dlc_host *host;
  const void *object = NULL;
  memset(t, 0, sizeof *t);
  dlc_status status = dlc_registry_find(registry, DLC_IFACE_DATASET, name, &object, &host);
  ck_assert_msg(status == DLC_OK, "%s", dlc_reason());
  t->dataset = object;
  status = dlc_options_read(name, t->dataset->options, t->dataset->n_options, options, &t->values);
  ck_assert_msg(status == DLC_OK, "%s", dlc_reason());
  if (data_dir) status = dlc_source_open(registry, data_dir, &t->source);
  if (status == DLC_OK) status = t->dataset->open(t->dataset, host, t->source, t->values, &t->data);
  if (status == DLC_OK) t->info = t->dataset->info(t->data);
  else close_dataset(t);
  return status;
}

static inline test_dataset must_open(const char *name, const char *options, const char *data_dir)
{
  test_dataset t;
  dlc_status status = open_dataset(name, options, data_dir, &t);
  ck_assert_msg(status == DLC_OK, "%d: %s", status, dlc_reason());
  return t;
}

#endif
