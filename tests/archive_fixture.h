/* For tests of sources: archives made byte by byte, as no tool would make most of them, and sources compared with what
 * they should hold. */
#ifndef DLC_TEST_ARCHIVE_FIXTURE_H
#define DLC_TEST_ARCHIVE_FIXTURE_H
#include "dataset_fixture.h"
#include <stdarg.h>

/* ---- bytes ---- */

typedef struct blob {
  uint8_t *data; /* owned */
  size_t n, room;
} blob;

static inline void blob_add(blob *b, const void *bytes, size_t n)
{
  if (b->n + n > b->room) {
    b->room = 2 * (b->n + n) + 64;
    b->data = realloc(b->data, b->room);
    ck_assert_ptr_nonnull(b->data);
  }
  if (n) memcpy(b->data + b->n, bytes, n);
  b->n += n;
}

/* A number of `bytes` bytes, the lowest first. */
static inline void blob_number(blob *b, uint64_t value, int bytes)
{
  uint8_t parts[8];
  for (int i = 0; i < bytes; i++) parts[i] = (uint8_t)(value >> 8 * i);
  blob_add(b, parts, (size_t)bytes);
}

static inline void blob_free(blob *b)
{
  free(b->data);
  *b = (blob){0};
}

static inline const char *write_blob(const char *name, const blob *b)
{
  const char *path = in_folder(name);
  unlink(path);
  FILE *f = fopen(path, "wb");
  ck_assert_msg(f != NULL, "%s", path);
  ck_assert_uint_eq(fwrite(b->data, 1, b->n, f), b->n);
  ck_assert_int_eq(fclose(f), 0);
  return path;
}

static inline blob read_blob(const char *path)
{
  blob b = {0};
  char part[65536];
  FILE *f = fopen(path, "rb");
  ck_assert_msg(f != NULL, "%s", path);
  for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) blob_add(&b, part, n);
  fclose(f);
  return b;
}

static inline void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void shell(const char *format, ...)
{
  char command[2 * PATH_MAX];
  va_list args;
  va_start(args, format);
  vsnprintf(command, sizeof command, format, args);
  va_end(args);
  run_program((char *[]){"sh", "-c", command, NULL});
}

/* ---- zip ---- */

static inline uint32_t crc32_of(const void *bytes, size_t n)
{
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < n; i++) {
    crc ^= ((const uint8_t *)bytes)[i];
    for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

/* An archive in the making: the entries, and the directory that follows them. */
typedef struct zip_writer {
  blob file, directory;
  uint32_t n;
} zip_writer;

/* What a test may spoil of an entry; zeros: a stored file. */
typedef struct zip_entry {
  const char *name;
  const void *data;
  size_t n;           /* of `data`, as it lies in the archive */
  uint32_t size, crc; /* unpacked; 0: those of `data` */
  uint16_t method, flags;
  uint32_t attributes;
  uint32_t offset; /* + 1; 0: where it is */
} zip_entry;

static inline void zip_add(zip_writer *z, zip_entry e)
{
  size_t length = strlen(e.name), offset = e.offset ? e.offset - 1 : z->file.n;
  uint32_t size = e.size ? e.size : (uint32_t)e.n, crc = e.crc ? e.crc : crc32_of(e.data, e.n);
  blob *parts[] = {&z->file, &z->directory};
  for (int i = 0; i < 2; i++) {
    blob *b = parts[i];
    blob_number(b, i ? 0x02014b50 : 0x04034b50, 4);
    if (i) blob_number(b, 3 << 8 | 20, 2); /* made on Unix */
    blob_number(b, 20, 2);
    blob_number(b, e.flags, 2);
    blob_number(b, e.method, 2);
    blob_number(b, 0, 4); /* time, date */
    blob_number(b, crc, 4);
    blob_number(b, e.n, 4);
    blob_number(b, size, 4);
    blob_number(b, length, 2);
    blob_number(b, 0, i ? 8 : 2); /* extra field; comment, disk, internal attributes */
    if (i) blob_number(b, (uint64_t)e.attributes << 16, 4);
    if (i) blob_number(b, offset, 4);
    blob_add(b, e.name, length);
  }
  blob_add(&z->file, e.data, e.n);
  z->n++;
}

static inline void zip_text(zip_writer *z, const char *name, const char *text)
{
  zip_add(z, (zip_entry){.name = name, .data = text, .n = strlen(text)});
}

/* The whole archive; the writer is empty afterwards. */
static inline blob zip_finish(zip_writer *z)
{
  size_t offset = z->file.n, bytes = z->directory.n;
  blob_add(&z->file, z->directory.data, bytes);
  blob_number(&z->file, 0x06054b50, 4);
  blob_number(&z->file, 0, 4); /* disks */
  blob_number(&z->file, z->n, 2);
  blob_number(&z->file, z->n, 2);
  blob_number(&z->file, bytes, 4);
  blob_number(&z->file, offset, 4);
  blob_number(&z->file, 0, 2); /* comment */
  blob_free(&z->directory);
  blob file = z->file;
  *z = (zip_writer){0};
  return file;
}

static inline const char *zip_write(zip_writer *z, const char *name)
{
  blob file = zip_finish(z);
  const char *path = write_blob(name, &file);
  blob_free(&file);
  return path;
}

/* ---- tar ---- */

/* `type`: '0' a file, '1' a hard link to `target`, '2' a symbolic one, '5' a folder. */
static inline void tar_add(blob *b, const char *name, char type, const char *target, const void *data, size_t n)
{
  uint8_t h[512] = {0};
  uint32_t sum = 0;
  snprintf((char *)h, 100, "%s", name);
  snprintf((char *)h + 100, 8, "0000644");
  snprintf((char *)h + 108, 8, "0000000");
  snprintf((char *)h + 116, 8, "0000000");
  snprintf((char *)h + 124, 12, "%011o", (unsigned)n & 077777777);
  snprintf((char *)h + 136, 12, "%011o", 0);
  memset(h + 148, ' ', 8);
  h[156] = (uint8_t)type;
  snprintf((char *)h + 157, 100, "%s", target);
  memcpy(h + 257, "ustar\00000", 8);
  for (int i = 0; i < 512; i++) sum += h[i];
  snprintf((char *)h + 148, 8, "%06o", sum);
  blob_add(b, h, sizeof h);
  blob_add(b, data, n);
  blob_add(b, (uint8_t[512]){0}, (512 - n % 512) % 512);
}

static inline void tar_text(blob *b, const char *name, const char *text)
{
  tar_add(b, name, '0', "", text, strlen(text));
}

static inline void tar_finish(blob *b)
{
  blob_add(b, (uint8_t[1024]){0}, 1024);
}

static inline const char *tar_write(blob *b, const char *name)
{
  tar_finish(b);
  const char *path = write_blob(name, b);
  blob_free(b);
  return path;
}

/* ---- sources ---- */

static inline dlc_source *must_open_source(const char *path)
{
  dlc_source *s = NULL;
  dlc_status status = dlc_source_open(registry, path, &s);
  ck_assert_msg(status == DLC_OK, "%d: %s", (int)status, dlc_reason());
  ck_assert_str_eq(s->origin, path);
  return s;
}

static inline uint32_t must_list(dlc_source *s, const dlc_entry **entries)
{
  uint32_t n = 0;
  dlc_status status = s->list(s, entries, &n);
  ck_assert_msg(status == DLC_OK, "%d: %s", (int)status, dlc_reason());
  return n;
}

static inline dlc_entry must_find(dlc_source *s, const char *path)
{
  dlc_entry e = {.size = sizeof e};
  dlc_status status = s->find(s, path, &e);
  ck_assert_msg(status == DLC_OK, "%s: %d", path, (int)status);
  ck_assert_str_eq(e.path, path);
  return e;
}

/* The paths, each with a blank: "a b/c ". */
static inline void check_list(dlc_source *s, const char *paths)
{
  char list[4096] = "";
  const dlc_entry *entries;
  uint32_t n = must_list(s, &entries);
  for (uint32_t i = 0; i < n; i++) {
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s ", dlc_entry_at(entries, i)->path);
  }
  ck_assert_str_eq(list, paths);
}

static inline void check_content(dlc_source *s, const char *path, const char *text)
{
  char buffer[256] = "";
  dlc_entry e = must_find(s, path);
  ck_assert_int_lt(e.bytes, 256);
  dlc_status status = s->read(s, &e, buffer);
  ck_assert_msg(status == DLC_OK, "%d: %s", (int)status, dlc_reason());
  ck_assert_str_eq(buffer, text);
}

static inline void check_unreadable(dlc_source *s, const char *path, dlc_status expected, const char *reason)
{
  char buffer[4096];
  dlc_entry e = must_find(s, path);
  ck_assert_int_le(e.bytes, (int64_t)sizeof buffer);
  dlc_status status = s->read(s, &e, buffer);
  ck_assert_msg(status != DLC_OK, "it was read");
  ck_assert_str_eq(dlc_reason(), reason);
  ck_assert_int_eq(status, expected);
}

static inline void check_refused(const char *path, dlc_status expected, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline void check_refused(const char *path, dlc_status expected, const char *format, ...)
{
  char reason[2 * PATH_MAX];
  dlc_source *s = NULL;
  va_list args;
  va_start(args, format);
  vsnprintf(reason, sizeof reason, format, args);
  va_end(args);
  dlc_status status = dlc_source_open(registry, path, &s);
  ck_assert_msg(status != DLC_OK, "it opened");
  ck_assert_str_eq(dlc_reason(), reason);
  ck_assert_int_eq(status, expected);
}

static inline int times_said(const char *text)
{
  int n = 0;
  for (const char *at = said; (at = strstr(at, text)); at++) n++;
  return n;
}

#endif
