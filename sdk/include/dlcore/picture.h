/* A picture in memory: what datasets give and transforms change. */
#ifndef DLCORE_PICTURE_H
#define DLCORE_PICTURE_H
#include "base.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Row by row, pixel by pixel, channels interleaved: pixels[(y * width + x) * channels + c], 0..255. 1 channel: grey,
 * 3: RGB. The buffer belongs to dlcore and is reused for the next picture. */
typedef struct dlc_picture dlc_picture;
struct dlc_picture {
  uint32_t size;
  int64_t height, width, channels;
  uint8_t *pixels;
  /* [any] Makes room and sets height, width, channels and pixels. Fails with DLC_INVALID where a limit is exceeded:
   * call it with the header's numbers before anything is decoded. */
  dlc_status (*reserve)(dlc_picture *p, int64_t height, int64_t width, int64_t channels);
  /* [any] Scratch of at least n bytes (compressed data), valid until the next call; NULL: out of memory. */
  void *(*scratch)(dlc_picture *p, size_t n);
};

#ifdef __cplusplus
}
#endif
#endif
