/* The content of one idx file, plain or gzip. Everything is checked before it is believed: the header against the size,
 * the size against what can be. [any]
 *
 * The format: 00 00, the type of the values (08: unsigned bytes), the number of dimensions, each dimension as 32 bits
 * big-endian, the values. */
#include "idx.h"
#include <libdeflate.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_RATIO 1032 /* deflate: 258 bytes from 2 bits */

typedef struct idx_header {
  uint32_t rank, bytes; /* dimensions, length of the header */
  int64_t dim[4];
  uint64_t total; /* bytes of header and values */
} idx_header;

dlc_status idx_fail(idx_reason *why, dlc_status code, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(why->text, sizeof why->text, format, args);
  va_end(args);
  return code;
}

/* In huge pages where the system has them: a data set of 50 MB opens 25 %
 * faster without its 12000 page faults. */
uint8_t *idx_alloc(size_t n)
{
  const size_t huge = (size_t)2 << 20;
  void *block = NULL;
  if (n < 2 * huge) return malloc(n);
  if (posix_memalign(&block, huge, n) != 0) return NULL;
  (void)madvise(block, n, MADV_HUGEPAGE);
  return block;
}

static uint32_t big_endian(const uint8_t *p)
{
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Reads the header in the first `n` bytes. */
static dlc_status read_header(const char *path, const uint8_t *p, size_t n, int labels, idx_header *header,
                              idx_reason *why)
{
  const char *expected = labels ? "00 00 08 01 (labels: bytes, 1 dimension)"
                                : "00 00 08 03 or 00 00 08 04 (images: bytes, 3 or 4 dimensions)";
  if (n < 4) return idx_fail(why, DLC_INVALID, "%s: %zu bytes, too short for an idx file", path, n);
  if (p[0] || p[1] || p[2] != 8 || !(labels ? p[3] == 1 : p[3] == 3 || p[3] == 4))
    return idx_fail(why, DLC_INVALID, "%s: begins with %02x %02x %02x %02x, expected %s", path, p[0], p[1], p[2], p[3],
                    expected);
  header->rank = p[3];
  header->bytes = 4 + 4 * header->rank;
  if (n < header->bytes)
    return idx_fail(why, DLC_INVALID, "%s: %zu bytes, too short for an idx header of %u", path, n, header->bytes);
  uint64_t product = 1;
  for (uint32_t i = 0; i < header->rank; i++) {
    uint32_t dim = big_endian(p + 4 + 4 * i);
    if (dim == 0 || dim > INT32_MAX)
      return idx_fail(why, DLC_INVALID, "%s: dimension %u is %u, expected 1..%d", path, i, dim, INT32_MAX);
    if (product > IDX_MAX_BYTES / dim)
      return idx_fail(why, DLC_INVALID, "%s: the dimensions in the header make more than %llu bytes", path,
                      (unsigned long long)IDX_MAX_BYTES);
    product *= dim;
    header->dim[i] = dim;
  }
  header->total = header->bytes + product;
  return DLC_OK;
}

/* The size must be exactly what the header says. */
static dlc_status check_size(const char *path, const idx_header *header, uint64_t size, idx_reason *why)
{
  if (size == header->total) return DLC_OK;
  int missing = size < header->total;
  return idx_fail(why, DLC_INVALID, "%s: %llu bytes, expected %llu for %lld entries: %llu bytes %s", path,
                  (unsigned long long)size, (unsigned long long)header->total, (long long)header->dim[0],
                  (unsigned long long)(missing ? header->total - size : size - header->total),
                  missing ? "missing" : "too many");
}

static dlc_status nomem(const char *path, uint64_t bytes, idx_reason *why)
{
  return idx_fail(why, DLC_NOMEM, "%s: out of memory: %llu bytes", path, (unsigned long long)bytes);
}

/* Unpacks every member of a gzip file. The last four bytes of a member are its unpacked size, modulo 2^32: right for
 * the usual file of one member, a first guess for the others. */
static dlc_status unpack(const char *path, const uint8_t *packed, size_t n, uint8_t **data, size_t *size,
                         idx_reason *why)
{
  uint64_t limit = (uint64_t)n * MAX_RATIO < IDX_MAX_BYTES ? (uint64_t)n * MAX_RATIO : IDX_MAX_BYTES;
  uint64_t guess =
      packed[n - 4] | (uint64_t)packed[n - 3] << 8 | (uint64_t)packed[n - 2] << 16 | (uint64_t)packed[n - 1] << 24;
  size_t room = (size_t)(guess < limit ? guess : limit) + 1, from = 0, to = 0;
  struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
  uint8_t *out = idx_alloc(room);
  dlc_status status = inflater && out ? DLC_OK : nomem(path, room, why);
  while (status == DLC_OK && from < n) {
    size_t in_used, out_used;
    enum libdeflate_result result =
        libdeflate_gzip_decompress_ex(inflater, packed + from, n - from, out + to, room - to, &in_used, &out_used);
    if (result == LIBDEFLATE_SUCCESS) {
      from += in_used;
      to += out_used;
    } else if (result == LIBDEFLATE_INSUFFICIENT_SPACE && room <= limit) {
      size_t more = room <= limit / 2 ? room * 2 : (size_t)limit + 1;
      uint8_t *bigger = realloc(out, more);
      if (bigger) {
        out = bigger;
        room = more;
      } else {
        status = nomem(path, more, why);
      }
    } else if (from > 0) {
      status = idx_fail(why, DLC_INVALID, "%s: the last %zu bytes are not gzip data as those before", path, n - from);
    } else {
      status = idx_fail(why, DLC_INVALID, "%s: the gzip data (%zu bytes) is damaged or cut short", path, n);
    }
  }
  libdeflate_free_decompressor(inflater);
  if (status != DLC_OK) {
    free(out);
    return status;
  }
  *data = out;
  *size = to;
  return DLC_OK;
}

dlc_status idx_read(const char *name, uint8_t *content, size_t n, int labels, idx_array *array, idx_reason *why)
{
  idx_header header = {0};
  uint8_t *block = content;
  size_t size = n;
  dlc_status status = DLC_OK;
  if (n >= 2 && content[0] == 0x1f && content[1] == 0x8b) {
    block = NULL;
    if (n < 18) status = idx_fail(why, DLC_INVALID, "%s: %zu bytes, too short for a gzip file", name, n);
    else status = unpack(name, content, n, &block, &size, why);
    free(content);
  }
  if (status == DLC_OK) status = read_header(name, block, size, labels, &header, why);
  if (status == DLC_OK) status = check_size(name, &header, size, why);
  if (status != DLC_OK) {
    free(block);
    return status;
  }
  *array = (idx_array){.block = block, .data = block + header.bytes, .rank = header.rank};
  memcpy(array->dim, header.dim, sizeof array->dim);
  return DLC_OK;
}
