/* Checkpoints on the disk. A folder holds the newest generation, last.safetensors, the one before it,
 * previous.safetensors, and the best epochs, epoch-N.safetensors. At every instant, also when the process is killed or
 * the disk is full, there is a whole and verified generation as soon as there was one. What is in a checkpoint is the
 * caller's affair; one process writes into a folder at a time. [main] */
#ifndef DLC_TRAIN_CHECKPOINT_FILE_H
#define DLC_TRAIN_CHECKPOINT_FILE_H
#include "base/log.h"
#include "train/safetensors.h"

/* What goes into a checkpoint. Not owned. */
typedef struct dlc_checkpoint {
  const dlc_tensor *tensors; /* weights by PyTorch's names, `__optim__/SLOT/PARAMETER`, `__ema__/PARAMETER` */
  uint32_t n;
  const char *const *metadata; /* pairs key, value; UTF-8 */
  uint32_t n_metadata;
} dlc_checkpoint;

/* Makes this the newest generation of the folder, which is made if need be. The file is written under a temporary name,
 * synced, read again and compared before it takes its place; then the one before becomes previous.safetensors (unless
 * that one is damaged: then previous.safetensors stays). After a failure the generations are what they were, and there
 * is a line that says why. Also removes what writers that were killed left behind. */
dlc_status dlc_checkpoint_write(const char *folder, const dlc_checkpoint *c);

/* Writes epoch-EPOCH.safetensors, unless `keep` others are better, and removes what is then not among the `keep` best.
 * `score`: larger is better (give -loss); NaN is worse than any; of equals, the earlier epoch is better. It is kept in
 * the file, so that a resumed run goes on pruning where the first one stopped. */
dlc_status dlc_checkpoint_write_epoch(const char *folder, const dlc_checkpoint *c, int64_t epoch, double score,
                                      uint32_t keep);

/* Removes all of them: those of a run that begins anew say nothing about it. A folder that is not there has none. */
dlc_status dlc_checkpoint_remove_all(const char *folder);

/* Reads the newest generation that verifies: last, previous, then the epochs from the latest. `sink` gets one line
 * about each that is passed over. `*path`: which one it is; the caller frees it, and *file with dlc_safetensors_free().
 * DLC_NOT_FOUND where there is none at all, DLC_INVALID where none of those there is any good. */
dlc_status dlc_checkpoint_find(const char *folder, const dlc_sink *sink, char **path, dlc_tensor_file *file);

#endif
