/* From the bytes of a file to a picture. Pure functions: no file, no thread, nothing kept from one picture to the next,
 * so a picture depends on its bytes alone. What is a picture is decided by content. [any] */
#ifndef IMAGEFOLDER_DECODE_H
#define IMAGEFOLDER_DECODE_H
#include <dlcore/plugin.h>
#include <stdbool.h>

#define IMG_REASON 256 /* bytes of a reason, with its NUL */

typedef struct img_rules {
  uint32_t channels;  /* 1 or 3: what every picture becomes */
  int64_t max_pixels; /* height * width, checked before anything is allocated */
  bool upright;       /* turn as the EXIF orientation says */
} img_rules;

/* DLC_OK, DLC_DAMAGED (the picture holds what could be decoded, the rest is black or what the codec made of it),
 * DLC_UNSUPPORTED (a kind of picture that is known and not read) or another error. Whatever is not DLC_OK leaves one
 * line in `reason`, without the file's name. */
dlc_status img_decode(const img_rules *rules, const uint8_t *bytes, size_t n, dlc_picture *picture,
                      char reason[IMG_REASON]);

/* 1 when the picture is grey, 3 when it has colours; 0 when its header cannot be read. */
uint32_t img_channels(const uint8_t *bytes, size_t n);

#endif
