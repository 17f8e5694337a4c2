/* What tests of graphs and runs share: a host table without a registry, core ops by name, a data set in memory. */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H
#include "base/names.h"
#include "base/random.h"
#include "base/status.h"
#include "dlcore/dataset.h"
#include "graph/graph.h"
#include "ops/ops.h"
#include <check.h>
#undef fail /* a macro of Check; a field of dlc_host here */
#include <stdlib.h>
#include <string.h>

static inline dlc_status rig_fail(const dlc_host *h, dlc_status code, const char *format, ...)
{
  va_list args;
  (void)h;
  va_start(args, format);
  dlc_vfail(code, format, args);
  va_end(args);
  return code;
}

static inline void rig_log(const dlc_host *h, int level, const char *message)
{
  (void)h;
  (void)level;
  (void)message;
}

/* host->ctx is the thread table to hand out, or NULL. */
static inline const void *rig_service(const dlc_host *h, const char *name)
{
  return strcmp(name, DLC_SERVICE_THREADS) == 0  ? h->ctx
         : strcmp(name, DLC_SERVICE_RANDOM) == 0 ? (const void *)dlc_random_service()
                                                 : NULL;
}

static inline dlc_host rig_host(const dlc_threads *threads)
{
  return (dlc_host){.size = sizeof(dlc_host),
                    .abi_major = 1,
                    .ctx = (void *)threads,
                    .log = rig_log,
                    .fail = rig_fail,
                    .service = rig_service};
}

static inline dlc_status rig_find(void *ctx, const char *name, const dlc_op **op)
{
  (void)ctx;
  for (const dlc_op *const *o = dlc_core_ops; *o; o++)
    if (strcmp((*o)->name, name) == 0) {
      *op = *o;
      return DLC_OK;
    }
  return dlc_fail(DLC_NOT_FOUND, "no op `%s`", name);
}

static inline dlc_op_finder rig_finder(const dlc_host *host)
{
  return (dlc_op_finder){.find = rig_find, .ctx = NULL, .host = host};
}

static inline void rig_ok(dlc_status status)
{
  ck_assert_msg(status >= 0, "status %d: %s", status, dlc_reason());
}

/* ---- a data set in memory: class k is a bright bar in row k, under noise; learnable in a few steps ---- */
enum { RIG_CLASSES = 4, RIG_SIDE = 12, RIG_PIXELS = RIG_SIDE * RIG_SIDE };

typedef struct rig_data {
  dlc_dataset_info info;
  dlc_split splits[2];
  uint8_t *samples[2];
  int32_t *labels[2];
  int resident;
  int64_t fail_at; /* read() of this sample fails; -1: none does */
  int damaged;     /* it does not fail, but gives a damaged picture */
} rig_data;

static inline void rig_sample(uint32_t split, uint32_t index, uint8_t *out, int32_t *label)
{
  uint32_t words[4];
  dlc_random_words(7, 0x20000 + split, 0, index, 0, words);
  *label = (int32_t)(words[0] % RIG_CLASSES);
  for (uint32_t i = 0; i < RIG_PIXELS; i++) {
    if (i % 4 == 0) dlc_random_words(7, 0x20000 + split, 1, index, i, words);
    out[i] = (uint8_t)(words[i % 4] % 100);
    if (i / RIG_SIDE == (uint32_t)*label * 3 + 1) out[i] = (uint8_t)(out[i] + 120);
  }
}

static inline void rig_data_open(rig_data *d, uint32_t n_train, uint32_t n_test, int resident)
{
  static const char *const names[RIG_CLASSES] = {"a", "b", "c", "d"};
  static const char *const split_names[2] = {"train", "test"};
  const uint32_t count[2] = {n_train, n_test};
  *d = (rig_data){.resident = resident, .fail_at = -1};
  for (uint32_t s = 0; s < 2; s++) {
    d->samples[s] = malloc((size_t)count[s] * RIG_PIXELS + 1);
    d->labels[s] = malloc(count[s] * sizeof(int32_t) + 1);
    for (uint32_t i = 0; i < count[s]; i++) rig_sample(s, i, d->samples[s] + (size_t)i * RIG_PIXELS, &d->labels[s][i]);
    d->splits[s] =
        (dlc_split){sizeof(dlc_split), split_names[s], count[s], d->labels[s], resident ? d->samples[s] : NULL};
  }
  d->info = (dlc_dataset_info){.size = sizeof(dlc_dataset_info),
                               .n_classes = RIG_CLASSES,
                               .class_names = names,
                               .channels = 1,
                               .height = RIG_SIDE,
                               .width = RIG_SIDE,
                               .n_splits = 2,
                               .splits = d->splits,
                               .origin = "memory"};
}

static inline void rig_data_close(rig_data *d)
{
  for (int s = 0; s < 2; s++) {
    free(d->samples[s]);
    free(d->labels[s]);
  }
}

static inline const dlc_dataset_info *rig_info(dlc_data *data)
{
  return &((rig_data *)(void *)data)->info;
}

static inline dlc_status rig_read(dlc_data *data, uint32_t split, int64_t index, dlc_picture *picture)
{
  rig_data *d = (rig_data *)(void *)data;
  if (index == d->fail_at && !d->damaged) return dlc_fail(DLC_IO, "cannot read it");
  if (picture->reserve(picture, RIG_SIDE, RIG_SIDE, 1) < 0) return DLC_NOMEM;
  memcpy(picture->pixels, d->samples[split] + (size_t)index * RIG_PIXELS, RIG_PIXELS);
  return index == d->fail_at ? dlc_fail(DLC_DAMAGED, "half of it is missing") : DLC_OK;
}

static const dlc_dataset rig_dataset = {.size = sizeof(dlc_dataset), .name = "rig", .info = rig_info, .read = rig_read};

static inline dlc_data *rig_as_data(rig_data *d)
{
  return (dlc_data *)(void *)d;
}

#endif
