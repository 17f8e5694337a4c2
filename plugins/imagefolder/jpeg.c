/* JPEG by TurboJPEG with its default, exact settings: the pixels are Pillow's.
 *
 * A handle lives for one picture. Kept longer it would remember the tables of the picture before, which a file without
 * its own would then be decoded with: the outcome would depend on what this thread did before. Making one takes about a
 * microsecond. [any] */
#include "codec.h"
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

typedef struct jpeg_header {
  int width, height, colorspace;
} jpeg_header;

/* False: there is none. TurboJPEG complains about a header with uncommon sampling factors too, after it has read it,
 * and decompresses such a file all the same. */
static bool read_header(tjhandle tj, const uint8_t *bytes, size_t n, jpeg_header *header)
{
  int sampling;
  *header = (jpeg_header){.colorspace = -1};
  tjDecompressHeader3(tj, bytes, n, &header->width, &header->height, &sampling, &header->colorspace);
  return header->width > 0 && header->height > 0 && header->colorspace >= 0;
}

/* What is wrong with a file after a warning, decoding goes on; the second time from a clean buffer, because decoding
 * may yet have stopped somewhere, and what was in the buffer before must not show. */
static dlc_status decompress(img_job *job, tjhandle tj, const jpeg_header *header, int format, uint8_t *pixels)
{
  for (int attempt = 0; attempt < 2; attempt++) {
    if (tjDecompress2(tj, job->bytes, job->n, pixels, header->width, 0, header->height, format, TJFLAG_LIMITSCANS) == 0)
      return DLC_OK;
    if (tjGetErrorCode(tj) != TJERR_WARNING) return img_fail(job, DLC_INVALID, "JPEG: %s", tjGetErrorStr2(tj));
    if (attempt == 0) memset(pixels, 0, (size_t)header->width * (size_t)header->height * (size_t)tjPixelSize[format]);
  }
  return img_fail(job, DLC_DAMAGED, "JPEG: %s", tjGetErrorStr2(tj));
}

/* a * b / 255, rounded. */
static uint8_t times(uint32_t a, uint32_t b)
{
  uint32_t t = a * b + 128;
  return (uint8_t)((t + (t >> 8)) >> 8);
}

/* As Pillow: the file holds inverted inks (Adobe's habit), and black takes its share of each. */
static dlc_status decompress_cmyk(img_job *job, tjhandle tj, const jpeg_header *header)
{
  size_t n = (size_t)header->width * (size_t)header->height;
  uint8_t *inks = malloc(4 * n), *out = job->picture->pixels;
  if (!inks) return img_fail(job, DLC_NOMEM, "out of memory: %dx%d pixels of CMYK", header->width, header->height);
  dlc_status status = decompress(job, tj, header, TJPF_CMYK, inks);
  for (size_t i = 0; i < n && (status == DLC_OK || status == DLC_DAMAGED); i++) {
    uint32_t black = inks[4 * i + 3];
    for (size_t c = 0; c < 3; c++) out[3 * i + c] = (uint8_t)(black - times(255u - inks[4 * i + c], black));
  }
  free(inks);
  return status;
}

static dlc_status decode(img_job *job, tjhandle tj)
{
  jpeg_header header;
  if (!read_header(tj, job->bytes, job->n, &header)) return img_fail(job, DLC_INVALID, "JPEG: %s", tjGetErrorStr2(tj));
  bool inks = header.colorspace == TJCS_CMYK || header.colorspace == TJCS_YCCK;
  bool grey = header.colorspace == TJCS_GRAY && job->rules->channels == 1;
  dlc_status status = img_room(job, header.height, header.width, grey ? 1 : 3);
  if (status != DLC_OK) return status;
  if (job->rules->upright) job->orientation = img_exif_of_jpeg(job->bytes, job->n);
  if (inks) return decompress_cmyk(job, tj, &header);
  return decompress(job, tj, &header, grey ? TJPF_GRAY : TJPF_RGB, job->picture->pixels);
}

dlc_status img_jpeg(img_job *job)
{
  tjhandle tj = tjInitDecompress();
  if (!tj) return img_fail(job, DLC_NOMEM, "out of memory: a JPEG decoder");
  dlc_status status = decode(job, tj);
  tjDestroy(tj);
  return status;
}

uint32_t img_jpeg_channels(const uint8_t *bytes, size_t n)
{
  jpeg_header header;
  tjhandle tj = tjInitDecompress();
  bool found = tj && read_header(tj, bytes, n, &header);
  if (tj) tjDestroy(tj);
  return !found ? 0 : header.colorspace == TJCS_GRAY ? 1 : 3;
}
