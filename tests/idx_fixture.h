/* For tests of the idx plugin: a small, right set of four files, and ways to put others in their place. */
#ifndef DLC_TEST_IDX_FIXTURE_H
#define DLC_TEST_IDX_FIXTURE_H
#include "dataset_fixture.h"
#include <stdarg.h>

/* Not over a file that is there: ext4 would write it to the disk at once, thousands of times. */
static inline void write_bytes(const char *path, const void *bytes, size_t n)
{
  unlink(path);
  FILE *f = fopen(path, "wb");
  ck_assert_msg(f != NULL, "%s", path);
  ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
  ck_assert_int_eq(fclose(f), 0);
}

/* folder/NAME: the magic 00 00 08 RANK, the dimensions, then `n` bytes. */
static inline void write_idx(const char *name, const void *bytes, size_t n, uint32_t rank, const uint32_t *dim)
{
  uint8_t file[4096] = {0, 0, 8, (uint8_t)rank};
  size_t at = 4;
  for (uint32_t i = 0; i < rank; i++)
    for (int shift = 24; shift >= 0; shift -= 8) file[at++] = (uint8_t)(dim[i] >> shift);
  ck_assert_uint_le(at + n, sizeof file);
  memcpy(file + at, bytes, n);
  write_bytes(in_folder(name), file, at + n);
}
#define DIMS(...)                                                                                                      \
  sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (uint32_t[])                                                   \
  {                                                                                                                    \
    __VA_ARGS__                                                                                                        \
  }

static const uint8_t train_labels[6] = {3, 0, 9, 1, 1, 7}, test_labels[2] = {4, 2};

/* Byte k of the train images; the test images begin at 100. */
static inline uint8_t pixel(size_t k)
{
  return (uint8_t)(k * 7);
}

/* 6 and 2 images of 4x5 in folder/BELOW, the files' names beginning with `prefix`. */
static inline void write_set(const char *below, const char *prefix, const char *test)
{
  uint8_t pixels[160];
  char name[256];
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = pixel(i);
  run_program((char *[]){"mkdir", "-p", (char *)in_folder(below), NULL});
  snprintf(name, sizeof name, "%s/%strain-images-idx3-ubyte", below, prefix);
  write_idx(name, pixels, 120, DIMS(6, 4, 5));
  snprintf(name, sizeof name, "%s/%strain-labels-idx1-ubyte", below, prefix);
  write_idx(name, train_labels, 6, DIMS(6));
  snprintf(name, sizeof name, "%s/%s%s-images-idx3-ubyte", below, prefix, test);
  write_idx(name, pixels + 100, 40, DIMS(2, 4, 5));
  snprintf(name, sizeof name, "%s/%s%s-labels-idx1-ubyte", below, prefix, test);
  write_idx(name, test_labels, 2, DIMS(2));
}

static inline void write_good_set(void)
{
  write_set(".", "", "t10k");
}

/* gzip -n folder/NAME in its place. */
static inline void pack(const char *name)
{
  run_program((char *[]){"gzip", "-n", (char *)in_folder(name), NULL});
}

static inline void check_good_set(const dlc_dataset_info *info)
{
  ck_assert_int_eq(info->splits[0].count, 6);
  ck_assert_int_eq(info->splits[1].count, 2);
  ck_assert_int_eq(info->channels, 1);
  ck_assert_int_eq(info->height, 4);
  ck_assert_int_eq(info->width, 5);
  for (int i = 0; i < 6; i++) ck_assert_int_eq(info->splits[0].labels[i], train_labels[i]);
  for (int i = 0; i < 2; i++) ck_assert_int_eq(info->splits[1].labels[i], test_labels[i]);
  for (size_t i = 0; i < 120; i++) ck_assert_uint_eq(info->splits[0].samples[i], pixel(i));
  for (size_t i = 0; i < 40; i++) ck_assert_uint_eq(info->splits[1].samples[i], pixel(100 + i));
}

static inline void check_fails(const char *dataset, const char *options, const char *data_dir, dlc_status expected,
                               const char *format, ...) __attribute__((format(printf, 5, 6)));
static inline void check_fails(const char *dataset, const char *options, const char *data_dir, dlc_status expected,
                               const char *format, ...)
{
  char reason[4096];
  test_dataset t;
  va_list args;
  va_start(args, format);
  vsnprintf(reason, sizeof reason, format, args);
  va_end(args);
  dlc_status status = open_dataset(dataset, options, data_dir, &t);
  ck_assert_msg(status != DLC_OK, "opened");
  ck_assert_str_eq(dlc_reason(), reason);
  ck_assert_int_eq(status, expected);
}

#endif
