/* PGM and PPM, binary and as text (netpbm's pgm(5), ppm(5)): a header "P6 WIDTH HEIGHT MAXVAL", then samples of one
 * byte, of two (big endian) where MAXVAL > 255, or as decimal numbers. Samples are scaled to 0..255. [any] */
#include "codec.h"
#include <math.h>
#include <string.h>

typedef struct pnm_reader {
  const uint8_t *at, *end;
} pnm_reader;

static bool is_space(uint8_t c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* White space and comments. */
static void skip(pnm_reader *r)
{
  for (; r->at < r->end && (is_space(*r->at) || *r->at == '#'); r->at++)
    if (*r->at == '#')
      while (r->at + 1 < r->end && *r->at != '\n' && *r->at != '\r') r->at++;
}

/* A decimal number of at most `limit`; -1: none here. */
static int64_t number(pnm_reader *r, int64_t limit)
{
  int64_t value = 0;
  skip(r);
  const uint8_t *start = r->at;
  for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
    value = 10 * value + (*r->at - '0');
    if (value > limit) return -1;
  }
  return r->at > start ? value : -1;
}

/* The next sample; -1: there is none. */
static int64_t sample(pnm_reader *r, bool text, int64_t maxval)
{
  if (text) return number(r, 65535);
  if (r->end - r->at < (maxval > 255 ? 2 : 1)) return -1;
  int64_t value = *r->at++;
  return maxval > 255 ? value << 8 | *r->at++ : value;
}

/* As Pillow: rounded in double, and a sample above MAXVAL counts as MAXVAL. */
static uint8_t scale(int64_t value, int64_t maxval)
{
  if (value > maxval) value = maxval;
  return (uint8_t)(maxval == 255 ? value : lrint((double)value / (double)maxval * 255));
}

/* `copies`: pixels a sample fills, 3 where grey becomes colour. */
static dlc_status read_samples(img_job *job, pnm_reader *r, bool text, int64_t maxval, int64_t n, int copies)
{
  uint8_t *out = job->picture->pixels;
  for (int64_t i = 0; i < n; i++) {
    int64_t value = sample(r, text, maxval);
    if (value < 0) {
      memset(out, 0, (size_t)((n - i) * copies));
      return img_fail(job, DLC_DAMAGED, "PNM: %s after %lld of %lld samples",
                      text && r->at < r->end ? "no number" : "it ends", (long long)i, (long long)n);
    }
    for (int c = 0; c < copies; c++) *out++ = scale(value, maxval);
  }
  return DLC_OK;
}

dlc_status img_pnm(img_job *job)
{
  pnm_reader r = {job->bytes + 2, job->bytes + job->n};
  bool text = job->bytes[1] <= '3', grey = job->bytes[1] == '2' || job->bytes[1] == '5';
  int64_t width = number(&r, INT32_MAX), height = number(&r, INT32_MAX), maxval = number(&r, 65535);
  if (width < 0 || height < 0 || maxval < 1)
    return img_fail(job, DLC_INVALID, "PNM: expected P%c WIDTH HEIGHT MAXVAL, the last from 1 to 65535", job->bytes[1]);
  if (!text && r.at < r.end) r.at++; /* exactly one white space, then binary samples */
  if (r.at >= r.end) return img_fail(job, DLC_INVALID, "PNM: a header and no samples");
  int channels = grey && job->rules->channels == 1 ? 1 : 3;
  dlc_status status = img_room(job, height, width, channels);
  if (status != DLC_OK) return status;
  return read_samples(job, &r, text, maxval, height * width * (grey ? 1 : 3), grey ? channels : 1);
}
