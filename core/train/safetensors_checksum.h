/* The checksum in files that dlcore writes: XXH3-64 of the whole file with the checksum's own digits as '0', the first
 * text of the metadata, where it stands at a fixed place. */
#ifndef DLC_TRAIN_SAFETENSORS_CHECKSUM_H
#define DLC_TRAIN_SAFETENSORS_CHECKSUM_H
#include "train/safetensors.h"

#define DLC_CHECKSUM_KEY "dlcore.xxh3"
#define DLC_VERSION_KEY  "dlcore" /* who wrote it; a file with this key has a checksum */
#define DLC_SIGNED_START "{\"__metadata__\":{\"" DLC_CHECKSUM_KEY "\":\""
enum { DLC_DIGITS = 16, DLC_DIGITS_AT = 8 + sizeof DLC_SIGNED_START - 1 };

/* `head`: the length and the header, beginning with DLC_SIGNED_START and DLC_DIGITS times '0', which are filled in for
 * the file that the tensors, in this order, make with it. */
void dlc_safetensors_sign(char *head, size_t n, const dlc_tensor *const *tensors, uint32_t n_tensors);
/* Whether the bytes of a file have a checksum where dlcore writes it, and, by a failure, that it is wrong. */
dlc_status dlc_safetensors_verify(const char *path, const char *bytes, size_t length, bool *has);

#endif
