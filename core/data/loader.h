/* Batches in order: which samples, shuffled how, read by whom. The order is a function of (seed, epoch); the content of
 * a batch a function of the order, the epoch and the seed alone, whatever the number of workers. */
#ifndef DLC_DATA_LOADER_H
#define DLC_DATA_LOADER_H
#include "data/sample.h"
#include <stdbool.h>

/* The samples of one phase: indexes into one split of a dataset. */
typedef struct dlc_subset {
  uint32_t split;
  uint32_t count;
  uint32_t *index; /* owned */
} dlc_subset;

/* Cuts a validation part off the train split, by a permutation that depends on the seed alone. `fraction` in (0, 1) or
 * a count >= 1; 0: no validation part. `stratified`: the same share of every class. Either result is freed with
 * dlc_subset_free(). */
dlc_status dlc_subset_split(const dlc_dataset_info *info, uint32_t split, double fraction, bool stratified,
                            uint64_t seed, dlc_subset *train, dlc_subset *val);
dlc_status dlc_subset_all(const dlc_dataset_info *info, uint32_t split, dlc_subset *subset);
void dlc_subset_free(dlc_subset *subset);

/* What training, validation and test are of a dataset. Without a fraction: its splits train, val and test. With one,
 * validation is cut off the training data; a dataset that has a val split of its own and no test split is then tested
 * on that. Test parts without labels are left out. Empty where there is none; each is freed with dlc_subset_free(),
 * also after a failure. */
typedef struct dlc_parts {
  dlc_subset train, val, test;
} dlc_parts;
dlc_status dlc_parts_make(const dlc_dataset_info *info, double fraction, bool stratified, uint64_t seed,
                          dlc_parts *parts);
void dlc_parts_free(dlc_parts *parts);

/* What is done about a picture that cannot be read, or not whole. */
enum {
  DLC_BAD_FAIL = 0, /* the epoch ends with its reason */
  DLC_BAD_SKIP = 1, /* another sample of the subset takes its place, always the same one */
  DLC_BAD_WARN = 2  /* what could be read is used; if nothing could, as DLC_BAD_SKIP */
};

typedef struct dlc_loader dlc_loader;

typedef struct dlc_loader_config {
  dlc_sample_config sample; /* what outlives the loader: see there */
  const dlc_subset *subset; /* outlives the loader */
  uint32_t batch_size;
  uint32_t workers; /* threads that read ahead; 0: the caller reads */
  bool shuffle;
  int on_bad; /* DLC_BAD_... */
  /* [main] Told once for every bad sample, in the order in which they occur. Optional. */
  void (*tell_bad)(void *ctx, const char *name, const char *reason);
  void *ctx;
  dlc_profile *profile; /* outlives the loader; NULL: none */
  const char *name;     /* with a profile: what its threads are called after */
} dlc_loader_config;

dlc_status dlc_loader_open(const dlc_loader_config *config, dlc_loader **loader); /* [main] */
void dlc_loader_close(dlc_loader *loader);                                        /* [main] joins the workers */

/* [main] Begins an epoch (counted from 0) at one of its batches; abandons what was left of the former one. With
 * workers, reading ahead begins at once: start an epoch as soon as it is known that it comes. */
dlc_status dlc_loader_start(dlc_loader *loader, uint32_t epoch, uint32_t first_batch);
/* [main] The next batch into the caller's buffers (the format of dlc_sample_format_make()): batch_size samples at most,
 * *n = how many; the rest of the buffers is untouched. DLC_END after the last. */
dlc_status dlc_loader_next(dlc_loader *loader, void *samples, int32_t *labels, uint32_t *n);
/* Seconds that next() has waited for data since open. */
double dlc_loader_waited(const dlc_loader *loader);
/* Memory of the batches that are read ahead. */
size_t dlc_loader_bytes(const dlc_loader *loader);

#endif
