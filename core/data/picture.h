/* A picture buffer that grows and is used again, as datasets and transforms get it. One thread at a time. */
#ifndef DLC_DATA_PICTURE_H
#define DLC_DATA_PICTURE_H
#include "dlcore/picture.h"

typedef struct dlc_picture_buffer {
  dlc_picture picture; /* first: plugins get a pointer to it */
  uint8_t *pixels, *scratch;
  size_t pixel_capacity, scratch_capacity;
} dlc_picture_buffer;

/* A picture of more bytes is refused before anything is allocated for it. */
#define DLC_PICTURE_BYTES_MAX ((int64_t)1 << 30)

void dlc_picture_init(dlc_picture_buffer *b);
void dlc_picture_free(dlc_picture_buffer *b);

#endif
