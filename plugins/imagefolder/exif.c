/* The orientation that cameras and phones note in EXIF data instead of turning the pixels (CIPA DC-008, tag 274).
 * Whatever looks wrong there counts as no orientation: it is no reason to lose a picture. [any] */
#include "codec.h"
#include <stdlib.h>
#include <string.h>

typedef struct tiff {
  const uint8_t *bytes;
  size_t n;
  bool little; /* endian */
} tiff;

/* A number of `width` bytes, 2 or 4; 0 outside. */
static uint32_t number(const tiff *t, size_t at, size_t width)
{
  uint32_t value = 0;
  if (at > t->n || t->n - at < width) return 0;
  for (size_t i = 0; i < width; i++) value = value << 8 | t->bytes[at + (t->little ? width - 1 - i : i)];
  return value;
}

uint32_t img_exif_orientation(const uint8_t *bytes, size_t n)
{
  tiff t = {bytes, n, n > 0 && bytes[0] == 'I'};
  if (n < 8 || bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M') || number(&t, 2, 2) != 42) return 1;
  size_t directory = number(&t, 4, 4);
  uint32_t entries = number(&t, directory, 2);
  for (uint32_t i = 0; i < entries; i++) {
    size_t entry = directory + 2 + 12 * (size_t)i; /* tag 2, type 2, count 4, value 4 */
    if (entry + 12 > n) break;
    if (number(&t, entry, 2) != 274) continue;
    uint32_t value = number(&t, entry + 8, 2);
    bool is_short = number(&t, entry + 2, 2) == 3 && number(&t, entry + 4, 4) == 1;
    return is_short && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/* Segments are FF MARKER LENGTH(2, itself included) CONTENT, up to the first scan. */
uint32_t img_exif_of_jpeg(const uint8_t *bytes, size_t n)
{
  enum { APP1 = 0xe1, SOS = 0xda };
  size_t at = 2;
  while (at + 4 <= n && bytes[at] == 0xff && bytes[at + 1] != SOS) {
    if (bytes[at + 1] == 0xff) { /* filling */
      at++;
      continue;
    }
    size_t length = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
    if (length < 2 || length > n - at - 2) break;
    if (bytes[at + 1] == APP1 && length >= 8 && memcmp(bytes + at + 4, "Exif\0\0", 6) == 0)
      return img_exif_orientation(bytes + at + 10, length - 8);
    at += 2 + length;
  }
  return 1;
}

/* Chunks are LENGTH(4) NAME(4) CONTENT CHECKSUM(4), after a signature of 8 bytes, up to the pixels. */
uint32_t img_exif_of_png(const uint8_t *bytes, size_t n)
{
  tiff file = {bytes, n, false};
  for (size_t at = 8; at + 8 <= n && memcmp(bytes + at + 4, "IDAT", 4) != 0;) {
    size_t length = number(&file, at, 4);
    if (length > n - at - 8) break;
    if (memcmp(bytes + at + 4, "eXIf", 4) == 0) return img_exif_orientation(bytes + at + 8, length);
    at += 12 + length;
  }
  return 1;
}

/* Orientation 1 to 8 by what lies at the top left: 2, 3, 4 mirror across, both ways, down; 5 to 8 also swap rows and
 * columns. */
dlc_status img_turn(img_job *job)
{
  dlc_picture *p = job->picture;
  uint32_t o = job->orientation;
  bool swap = o >= 5, down = o == 3 || o == 4 || o == 6 || o == 7, across = o == 2 || o == 3 || o == 7 || o == 8;
  int64_t height = p->height, width = p->width, channels = p->channels;
  size_t n = (size_t)(height * width * channels);
  uint8_t *old = malloc(n);
  if (!old)
    return img_fail(job, DLC_NOMEM, "out of memory: turning %lldx%lld pixels", (long long)width, (long long)height);
  memcpy(old, p->pixels, n);
  dlc_status status = swap ? img_room(job, width, height, channels) : DLC_OK;
  if (status == DLC_OK) {
    uint8_t *out = p->pixels;
    for (int64_t y = 0; y < p->height; y++) {
      for (int64_t x = 0; x < p->width; x++, out += channels) {
        int64_t row = swap ? x : y, column = swap ? y : x;
        if (down) row = height - 1 - row;
        if (across) column = width - 1 - column;
        memcpy(out, old + (row * width + column) * channels, (size_t)channels);
      }
    }
  }
  free(old);
  return status;
}
