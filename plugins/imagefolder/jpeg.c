/* JPEG by libjpeg-turbo with its default, exact settings: the pixels are Pillow's. Its classic interface, because
 * TurboJPEG's tells the first warning only, and most warnings are about what does no harm. [any] */
#include "codec.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h> /* needs <stdio.h> */

#include <jerror.h> /* needs jpeglib.h */

enum {
  MOST_SCANS = 500 /* a small file could ask for hours of them */,
  ROWS_AT_ONCE = 4 /* the most that one call gives */
};

/* One decoding. libjpeg's failures come as jumps to `failed`. */
typedef struct decoder {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf failed;
  uint8_t *inks; /* owned: the pixels of a CMYK file */
  bool damaged;
  char why[JMSG_LENGTH_MAX];
} decoder;

/* ---- what libjpeg says ---- */

/* The warnings after which pixels are missing or wrong. Others are about markers, which Pillow passes over in silence,
 * too. */
static bool is_damage(int message)
{
  return message == JWRN_JPEG_EOF || message == JWRN_HIT_MARKER || message == JWRN_HUFF_BAD_CODE ||
         message == JWRN_ARITH_BAD_CODE || message == JWRN_MUST_RESYNC;
}

static void on_message(j_common_ptr c, int level)
{
  decoder *d = c->client_data;
  if (level >= 0 || d->damaged || !is_damage(d->errors.msg_code)) return;
  d->errors.format_message(c, d->why);
  d->damaged = true;
}

static void on_error(j_common_ptr c)
{
  decoder *d = c->client_data;
  d->errors.format_message(c, d->why);
  longjmp(d->failed, 1);
}

static void on_progress(j_common_ptr c)
{
  decoder *d = c->client_data;
  if (d->jpeg.input_scan_number <= MOST_SCANS) return;
  snprintf(d->why, sizeof d->why, "more than %d scans", MOST_SCANS);
  longjmp(d->failed, 1);
}

static void start(decoder *d)
{
  *d = (decoder){0};
  d->jpeg.err = jpeg_std_error(&d->errors);
  d->jpeg.client_data = d;
  d->errors.emit_message = on_message;
  d->errors.error_exit = on_error;
}

static void stop(decoder *d)
{
  free(d->inks);
  jpeg_destroy_decompress(&d->jpeg);
}

/* ---- decoding ---- */

/* False: there is none. May jump. */
static bool read_header(decoder *d, const uint8_t *bytes, size_t n)
{
  jpeg_create_decompress(&d->jpeg);
  d->progress.progress_monitor = on_progress;
  d->jpeg.progress = &d->progress;
  jpeg_mem_src(&d->jpeg, bytes, n);
  return jpeg_read_header(&d->jpeg, FALSE) == JPEG_HEADER_OK;
}

/* What is missing of a damaged file is grey, or as coarse as the scans before it. May jump. */
static void read_pixels(decoder *d, J_COLOR_SPACE space, uint8_t *pixels)
{
  struct jpeg_decompress_struct *j = &d->jpeg;
  j->out_color_space = space;
  jpeg_start_decompress(j);
  const size_t row = (size_t)j->output_width * (size_t)j->output_components;
  while (j->output_scanline < j->output_height) {
    JSAMPROW rows[ROWS_AT_ONCE];
    for (JDIMENSION i = 0; i < ROWS_AT_ONCE; i++) rows[i] = pixels + (j->output_scanline + i) * row;
    jpeg_read_scanlines(j, rows,
                        j->output_height - j->output_scanline < ROWS_AT_ONCE ? j->output_height - j->output_scanline
                                                                             : ROWS_AT_ONCE);
  }
  jpeg_finish_decompress(j);
}

/* a * b / 255, rounded. */
static uint8_t times(uint32_t a, uint32_t b)
{
  uint32_t t = a * b + 128;
  return (uint8_t)((t + (t >> 8)) >> 8);
}

/* As Pillow: the file holds inverted inks (Adobe's habit), and black takes its share of each. May jump. */
static dlc_status read_inks(img_job *job, decoder *d)
{
  const size_t n = (size_t)d->jpeg.image_width * (size_t)d->jpeg.image_height;
  uint8_t *inks = malloc(4 * n), *out = job->picture->pixels;
  d->inks = inks;
  if (!inks)
    return img_fail(job, DLC_NOMEM, "out of memory: %ux%u pixels of CMYK", d->jpeg.image_width, d->jpeg.image_height);
  read_pixels(d, JCS_CMYK, inks);
  for (size_t i = 0; i < n; i++) {
    uint32_t black = inks[4 * i + 3];
    for (size_t c = 0; c < 3; c++) out[3 * i + c] = (uint8_t)(black - times(255u - inks[4 * i + c], black));
  }
  return DLC_OK;
}

/* May jump. */
static dlc_status decode(img_job *job, decoder *d)
{
  if (!read_header(d, job->bytes, job->n)) return img_fail(job, DLC_INVALID, "JPEG: %s", d->why);
  const J_COLOR_SPACE space = d->jpeg.jpeg_color_space;
  const bool grey = space == JCS_GRAYSCALE && job->rules->channels == 1;
  dlc_status status = img_room(job, d->jpeg.image_height, d->jpeg.image_width, grey ? 1 : 3);
  if (status == DLC_OK && job->rules->upright) job->orientation = img_exif_of_jpeg(job->bytes, job->n);
  if (status != DLC_OK) return status;
  if (space == JCS_CMYK || space == JCS_YCCK) status = read_inks(job, d);
  else read_pixels(d, grey ? JCS_GRAYSCALE : JCS_RGB, job->picture->pixels);
  return status == DLC_OK && d->damaged ? img_fail(job, DLC_DAMAGED, "JPEG: %s", d->why) : status;
}

dlc_status img_jpeg(img_job *job)
{
  decoder d;
  start(&d);
  dlc_status status = setjmp(d.failed) ? img_fail(job, DLC_INVALID, "JPEG: %s", d.why) : decode(job, &d);
  stop(&d);
  return status;
}

uint32_t img_jpeg_channels(const uint8_t *bytes, size_t n)
{
  decoder d;
  start(&d);
  bool found = setjmp(d.failed) ? false : read_header(&d, bytes, n);
  uint32_t channels = !found ? 0 : d.jpeg.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3;
  stop(&d);
  return channels;
}
