/* For tests of the cifar plugin: small CIFAR data sets in both versions, written as the original files are, and ways to
 * get something wrong in them. */
#ifndef DLC_TEST_CIFAR_FIXTURE_H
#define DLC_TEST_CIFAR_FIXTURE_H
#include "dataset_fixture.h"
#include <stdarg.h>

/* Byte k of picture i, its labels; pictures are counted through all train batches. The test split begins at 90. */
static inline uint8_t pixel(int64_t i, int64_t k)
{
  return (uint8_t)(i * 41 + k * 7 + k / 1024);
}
static inline int label_10(int64_t i)
{
  return (int)(i * 3 % 10);
}
static inline int fine_label(int64_t i)
{
  return (int)(i * 37 % 100);
}
static inline int coarse_label(int64_t i)
{
  return fine_label(i) / 5;
}

/* ---- a file, byte by byte ---- */

typedef struct text {
  uint8_t *at;
  size_t n, room;
} text;

static inline void add(text *t, const void *bytes, size_t n)
{
  if (t->n + n > t->room) {
    t->room = 2 * (t->n + n);
    t->at = realloc(t->at, t->room);
    ck_assert_ptr_nonnull(t->at);
  }
  if (n) memcpy(t->at + t->n, bytes, n);
  t->n += n;
}
#define ADD(t, literal) add(t, literal, sizeof(literal) - 1)

/* n bytes of pictures, from picture `first` on. */
static inline void add_pixels(text *t, int64_t first, int64_t n)
{
  for (int64_t at = 0; at < n; at += 3072) {
    uint8_t bytes[3072];
    for (int64_t k = 0; k < 3072; k++) bytes[k] = pixel(first + at / 3072, k);
    add(t, bytes, n - at < 3072 ? (size_t)(n - at) : 3072);
  }
}

/* An opcode and its argument of `width` bytes. */
static inline void add_op(text *t, char opcode, uint64_t argument, int width)
{
  add(t, &opcode, 1);
  for (int i = 0; i < width; i++) add(t, &(uint8_t){(uint8_t)(argument >> (8 * i))}, 1);
}

static inline void add_string(text *t, const char *string)
{
  add_op(t, 'U', strlen(string), 1);
  add(t, string, strlen(string));
}

static inline void save(text *t, const char *name)
{
  const char *path = in_folder(name);
  unlink(path);
  FILE *f = fopen(path, "wb");
  ck_assert_msg(f != NULL, "%s", path);
  if (t->n) ck_assert_uint_eq(fwrite(t->at, 1, t->n, f), t->n);
  ck_assert_int_eq(fclose(f), 0);
  free(t->at);
}

/* ---- pickles ---- */

/* A batch, and what is wrong with it: what is 0 or NULL is right. */
typedef struct batch {
  int kind;             /* 10, 100 */
  int64_t first, count; /* pictures */
  const char *labels_key, *data_key, *dtype;
  int fortran, flat, columns; /* flat: one dimension */
  int labels, bytes;          /* fewer (< 0) or more of them than there should be */
  int last_label, text_label;
} batch;

static inline void add_labels(text *t, const batch *b, const char *key, int (*label)(int64_t))
{
  int64_t n = b->count + b->labels;
  add_string(t, key);
  ADD(t, "q\4]q\5(");
  for (int64_t i = 0; i < n; i++) {
    if (i == n - 1 && b->text_label) add_string(t, "cat");
    else if (i == n - 1 && b->last_label) add_op(t, 'J', (uint64_t)b->last_label, 4);
    else add_op(t, 'K', (uint64_t)label(b->first + i), 1);
  }
  ADD(t, "e");
}

static inline void add_data(text *t, const batch *b)
{
  uint64_t columns = b->columns ? (uint64_t)b->columns : 3072;
  int64_t bytes = b->count * 3072 + b->bytes;
  add_string(t, b->data_key ? b->data_key : "data");
  ADD(t, "q\6cnumpy.core.multiarray\n_reconstruct\nq\7cnumpy\nndarray\nq\x08K\0\x85U\1b\x87Rq\x09(K\1");
  add_op(t, 'M', (uint64_t)b->count, 2);
  if (b->flat) ADD(t, "\x85");
  else add_op(t, 'M', columns, 2), ADD(t, "\x86");
  ADD(t, "cnumpy\ndtype\nq\x0a");
  add_string(t, b->dtype ? b->dtype : "u1");
  ADD(t, "K\0K\1\x87Rq\x0b(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb");
  add(t, b->fortran ? "\x88" : "\x89", 1);
  add_op(t, 'T', (uint64_t)bytes, 4);
  add_pixels(t, b->first, bytes);
  ADD(t, "tb");
}

static inline void write_batch(const char *name, batch b)
{
  text t = {0};
  ADD(&t, "\x80\2}q\1(U\x0b"
          "batch_labelq\2U\x15training batch 1 of 5q\3");
  if (b.kind == 10) {
    add_labels(&t, &b, b.labels_key ? b.labels_key : "labels", label_10);
  } else {
    add_labels(&t, &b, b.labels_key ? b.labels_key : "fine_labels", fine_label);
    add_labels(&t, &b, "coarse_labels", coarse_label);
  }
  add_data(&t, &b);
  ADD(&t, "U\x09"
          "filenamesq\x0c]q\x0d(");
  for (int64_t i = 0; i < b.count; i++) {
    add_string(&t, "cat_s_000001.png");
    add_op(&t, 'r', (uint64_t)(14 + i), 4);
  }
  ADD(&t, "eu.");
  save(&t, name);
}

static inline void add_names(text *t, const char *key, const char *stem, int n)
{
  add_string(t, key);
  ADD(t, "]q\2(");
  for (int i = 0; i < n; i++) {
    char name[32];
    snprintf(name, sizeof name, "%s %d", stem, i);
    add_string(t, name);
  }
  ADD(t, "e");
}

static inline void write_meta(const char *name, const char *key, const char *stem, int n, int n_coarse)
{
  text t = {0};
  ADD(&t, "\x80\2}q\1(");
  add_names(&t, key, stem, n);
  if (n_coarse) add_names(&t, "coarse_label_names", "group", n_coarse);
  ADD(&t, "U\7num_visM\0\x0cu.");
  save(&t, name);
}

/* ---- whole data sets ---- */

static inline void make_below(const char *below)
{
  run_program((char *[]){"mkdir", "-p", (char *)in_folder(below), NULL});
}

/* "BELOW/NAME"; two results live at once. */
static inline const char *join(const char *below, const char *name)
{
  static char paths[2][PATH_MAX];
  static int next;
  char *path = paths[next++ % 2];
  snprintf(path, PATH_MAX, "%s/%s", below, name);
  return path;
}

/* Two pictures a batch. */
static inline void write_python_10(const char *below)
{
  make_below(below);
  for (int i = 0; i < 5; i++) {
    char name[32];
    snprintf(name, sizeof name, "data_batch_%d", i + 1);
    write_batch(join(below, name), (batch){.kind = 10, .first = 2 * i, .count = 2});
  }
  write_batch(join(below, "test_batch"), (batch){.kind = 10, .first = 90, .count = 3});
  write_meta(join(below, "batches.meta"), "label_names", "thing", 10, 0);
}

static inline void write_python_100(const char *below)
{
  make_below(below);
  write_batch(join(below, "train"), (batch){.kind = 100, .count = 10});
  write_batch(join(below, "test"), (batch){.kind = 100, .first = 90, .count = 3});
  write_meta(join(below, "meta"), "fine_label_names", "thing", 100, 20);
}

static inline void write_records(const char *name, int kind, int64_t first, int64_t count)
{
  text t = {0};
  for (int64_t i = first; i < first + count; i++) {
    if (kind == 10) add(&t, &(uint8_t){(uint8_t)label_10(i)}, 1);
    else add(&t, (uint8_t[]){(uint8_t)coarse_label(i), (uint8_t)fine_label(i)}, 2);
    add_pixels(&t, i, 3072);
  }
  save(&t, name);
}

static inline void write_lines(const char *name, const char *stem, int n, const char *line_end)
{
  text t = {0};
  for (int i = 0; i < n; i++) {
    char line[32];
    add(&t, line, (size_t)snprintf(line, sizeof line, "%s %d%s", stem, i, line_end));
  }
  ADD(&t, "\n");
  save(&t, name);
}

static inline void write_binary_10(const char *below)
{
  make_below(below);
  for (int i = 0; i < 5; i++) {
    char name[32];
    snprintf(name, sizeof name, "data_batch_%d.bin", i + 1);
    write_records(join(below, name), 10, 2 * i, 2);
  }
  write_records(join(below, "test_batch.bin"), 10, 90, 3);
  write_lines(join(below, "batches.meta.txt"), "thing", 10, "\n");
}

static inline void write_binary_100(const char *below)
{
  make_below(below);
  write_records(join(below, "train.bin"), 100, 0, 10);
  write_records(join(below, "test.bin"), 100, 90, 3);
  write_lines(join(below, "fine_label_names.txt"), "thing", 100, "\n");
  write_lines(join(below, "coarse_label_names.txt"), "group", 20, "\n");
}

static inline void check_split(const dlc_split *split, const char *name, int64_t first, int64_t count,
                               int (*label)(int64_t))
{
  ck_assert_str_eq(split->name, name);
  ck_assert_int_eq(split->count, count);
  for (int64_t i = 0; i < count; i++) {
    ck_assert_int_eq(split->labels[i], label(first + i));
    uint8_t expected[3072];
    for (int64_t k = 0; k < 3072; k++) expected[k] = pixel(first + i, k);
    ck_assert_mem_eq(split->samples + i * 3072, expected, 3072);
  }
}

static inline void check_set(const dlc_dataset_info *info, int (*label)(int64_t), uint32_t n_classes)
{
  ck_assert_int_eq(info->channels, 3);
  ck_assert_int_eq(info->height, 32);
  ck_assert_int_eq(info->width, 32);
  ck_assert_uint_eq(info->n_classes, n_classes);
  ck_assert_str_eq(info->class_names[0], n_classes == 20 ? "group 0" : "thing 0");
  ck_assert_str_eq(info->class_names[9], n_classes == 20 ? "group 9" : "thing 9");
  ck_assert_uint_eq(info->n_splits, 2);
  check_split(&info->splits[0], "train", 0, 10, label);
  check_split(&info->splits[1], "test", 90, 3, label);
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
