/* Which codec, and what all pictures have in common: limits, grey or colour, orientation. [any] */
#include "codec.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

dlc_status img_fail(img_job *job, dlc_status status, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(job->reason, IMG_REASON, format, args);
  va_end(args);
  return status;
}

dlc_status img_room(img_job *job, int64_t height, int64_t width, int64_t channels)
{
  if (height < 1 || width < 1)
    return img_fail(job, DLC_INVALID, "%lldx%lld is no size of a picture", (long long)width, (long long)height);
  if (height > job->rules->max_pixels / width)
    return img_fail(job, DLC_INVALID, "%lldx%lld pixels, more than max-pixels %lld", (long long)width,
                    (long long)height, (long long)job->rules->max_pixels);
  dlc_status status = job->picture->reserve(job->picture, height, width, channels);
  if (status != DLC_OK) img_fail(job, status, "no room for %lldx%lld pixels", (long long)width, (long long)height);
  return status;
}

/* ---- what kind of file ---- */

static bool starts(const uint8_t *bytes, size_t n, const char *magic, size_t length)
{
  return n >= length && memcmp(bytes, magic, length) == 0;
}
#define STARTS(bytes, n, magic) starts(bytes, n, magic, sizeof(magic) - 1)

static bool is_jpeg(const uint8_t *bytes, size_t n)
{
  return STARTS(bytes, n, "\xff\xd8\xff");
}

static bool is_png(const uint8_t *bytes, size_t n)
{
  return STARTS(bytes, n, "\x89PNG\r\n\x1a\n");
}

/* P2, P5: grey; P3, P6: colour. */
static bool is_pnm(const uint8_t *bytes, size_t n)
{
  return n >= 3 && bytes[0] == 'P' && memchr("2356", bytes[1], 4) && memchr(" \t\r\n#", bytes[2], 5);
}

/* Kinds that people do have in their folders. */
static const char *other_kind(const uint8_t *bytes, size_t n)
{
  if (STARTS(bytes, n, "GIF8")) return "a GIF file";
  if (STARTS(bytes, n, "BM") && n >= 26) return "a BMP file";
  if (STARTS(bytes, n, "II*\0") || STARTS(bytes, n, "MM\0*")) return "a TIFF file";
  if (STARTS(bytes, n, "RIFF") && n >= 12 && memcmp(bytes + 8, "WEBP", 4) == 0) return "a WebP file";
  if (n >= 12 && (memcmp(bytes + 4, "ftypavif", 8) == 0 || memcmp(bytes + 4, "ftyphei", 7) == 0))
    return "an AVIF or HEIC file";
  if (STARTS(bytes, n, "\xff\x0a") || STARTS(bytes, n, "\0\0\0\x0cJXL ")) return "a JPEG XL file";
  if (STARTS(bytes, n, "\0\0\0\x0cjP  ")) return "a JPEG 2000 file";
  return NULL;
}

static dlc_status no_picture(img_job *job)
{
  if (job->n == 0) return img_fail(job, DLC_INVALID, "the file is empty");
  const char *kind = other_kind(job->bytes, job->n);
  if (kind) return img_fail(job, DLC_UNSUPPORTED, "%s, expected JPEG, PNG, PPM or PGM", kind);
  char start[16] = "";
  for (size_t i = 0; i < job->n && i < 4; i++) snprintf(start + 3 * i, 4, " %02x", job->bytes[i]);
  return img_fail(job, DLC_INVALID, "no JPEG, PNG, PPM or PGM: the file begins with%s", start);
}

/* ---- grey or colour ---- */

/* Pillow's convert("L"): ITU-R BT.601 luma in 16-bit fixed point. The front of the buffer is overwritten, never what is
 * still to be read. */
static void make_grey(dlc_picture *picture)
{
  int64_t n = picture->height * picture->width;
  uint8_t *p = picture->pixels;
  for (int64_t i = 0; i < n; i++)
    p[i] = (uint8_t)((p[3 * i] * 19595u + p[3 * i + 1] * 38470u + p[3 * i + 2] * 7471u + 0x8000u) >> 16);
  picture->channels = 1;
}

dlc_status img_decode(const img_rules *rules, const uint8_t *bytes, size_t n, dlc_picture *picture,
                      char reason[IMG_REASON])
{
  img_job job = {.rules = rules, .bytes = bytes, .n = n, .picture = picture, .orientation = 1, .reason = reason};
  dlc_status status = is_jpeg(bytes, n)  ? img_jpeg(&job)
                      : is_png(bytes, n) ? img_png(&job)
                      : is_pnm(bytes, n) ? img_pnm(&job)
                                         : no_picture(&job);
  if (status != DLC_OK && status != DLC_DAMAGED) return status;
  if (rules->channels == 1 && picture->channels == 3) make_grey(picture);
  dlc_status turned = job.orientation > 1 ? img_turn(&job) : DLC_OK;
  return turned == DLC_OK ? status : turned;
}

uint32_t img_channels(const uint8_t *bytes, size_t n)
{
  if (is_jpeg(bytes, n)) return img_jpeg_channels(bytes, n);
  if (is_png(bytes, n)) return img_png_channels(bytes, n);
  if (is_pnm(bytes, n)) return bytes[1] == '2' || bytes[1] == '5' ? 1 : 3;
  return 0;
}
