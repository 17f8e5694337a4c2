/* Between decode.c and the codecs. */
#ifndef IMAGEFOLDER_CODEC_H
#define IMAGEFOLDER_CODEC_H
#include "decode.h"

/* One decoding. Owned by img_decode(). */
typedef struct img_job {
  const img_rules *rules;
  const uint8_t *bytes;
  size_t n;
  dlc_picture *picture;
  uint32_t orientation; /* EXIF's, 1 to 8; set by the codec when rules->upright */
  char *reason;
} img_job;

/* Keeps the reason and returns `status`. */
dlc_status img_fail(img_job *job, dlc_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Checks the limits and makes room in the picture. */
dlc_status img_room(img_job *job, int64_t height, int64_t width, int64_t channels);

/* Each makes a picture of rules->channels, or of 3 where 1 is wanted of a coloured one. */
dlc_status img_jpeg(img_job *job);
dlc_status img_png(img_job *job);
dlc_status img_pnm(img_job *job);

/* 1 or 3, or 0: no header. */
uint32_t img_jpeg_channels(const uint8_t *bytes, size_t n);
uint32_t img_png_channels(const uint8_t *bytes, size_t n);

/* Orientation, 1 to 8, in a block of EXIF data (a TIFF header and its first directory); 1 when there is none. */
uint32_t img_exif_orientation(const uint8_t *tiff, size_t n);
/* The same of a whole file. */
uint32_t img_exif_of_jpeg(const uint8_t *bytes, size_t n);
uint32_t img_exif_of_png(const uint8_t *bytes, size_t n);
/* Turns and mirrors the picture so that it stands upright. */
dlc_status img_turn(img_job *job);

#endif
