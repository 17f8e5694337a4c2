/* safetensors: what is written reads back, damage is noticed, and no header is believed before it is checked. */
#include "base/file.h"
#include "base/status.h"
#include "suite.h"
#include "train/safetensors.h"
#include <math.h>

static void ck_ok(dlc_status status)
{
  ck_assert_msg(status == DLC_OK, "status %d: %s", status, dlc_reason());
}

typedef struct bytes {
  char *data;
  size_t n;
} bytes;

static bytes read_bytes(const char *path)
{
  bytes b;
  ck_ok(dlc_read_file(path, 1 << 24, &b.data, &b.n));
  return b;
}

/* Of a copy, which a read beyond its end would betray. */
static dlc_status parse(const char *data, size_t n, dlc_tensor_file *file)
{
  char *copy = malloc(n + 1);
  ck_assert_ptr_nonnull(copy);
  memcpy(copy, data, n);
  char *exact = realloc(copy, n ? n : 1);
  return dlc_safetensors_parse("F", exact ? exact : copy, n, file);
}

static dlc_status is_read(const char *data, size_t n)
{
  dlc_tensor_file file;
  const dlc_status status = parse(data, n, &file);
  dlc_safetensors_free(&file);
  return status;
}

/* ---- writing ---- */

static float weight[6] = {1, -2, 3.5f, 4, 5, 1e-30f};
static uint8_t flags[3] = {1, 0, 255};
static int64_t count = -7;
static const dlc_tensor tensors[] = {{"b.flags", DLC_U8, 1, {3}, flags},
                                     {"conv1.weight", DLC_F32, 2, {2, 3}, weight},
                                     {"empty", DLC_F64, 2, {0, 4}, NULL},
                                     {"a \"quoted\" name", DLC_I64, 0, {0}, &count}};
static const char *const metadata[] = {"format", "pt", "text", "two\nlines \xc3\xa4 \\"};

static const char *write_some(void)
{
  const char *path = in_folder("w.safetensors");
  ck_ok(dlc_safetensors_write(path, tensors, 4, metadata, 2));
  return path;
}

START_TEST(what_is_written_reads_back)
{
  dlc_tensor_file f;
  const char *path = write_some();
  ck_ok(dlc_safetensors_read(path, &f));
  ck_assert_uint_eq(f.n, 4);
  ck_assert_str_eq(f.tensors[0].name, "a \"quoted\" name");
  ck_assert_uint_eq(f.tensors[0].rank, 0);
  ck_assert_int_eq(*(int64_t *)f.tensors[0].data, -7);
  ck_assert_str_eq(f.types[0], "I64");
  ck_assert_str_eq(f.tensors[1].name, "b.flags");
  ck_assert_mem_eq(f.tensors[1].data, flags, 3);
  ck_assert_int_eq(f.tensors[2].dim[1], 3);
  ck_assert_mem_eq(f.tensors[2].data, weight, sizeof weight);
  ck_assert_uint_eq(dlc_tensor_bytes(&f.tensors[3]), 0);
  ck_assert_ptr_eq(dlc_tensor_find(&f, "conv1.weight"), &f.tensors[2]);
  ck_assert_ptr_null(dlc_tensor_find(&f, "conv1.bias"));
  ck_assert_str_eq(dlc_metadata_find(&f, "text"), metadata[3]);
  ck_assert_ptr_null(dlc_metadata_find(&f, "dlcore.xxh3"));
  dlc_safetensors_free(&f);
}
END_TEST

START_TEST(the_header_alone_says_the_same_without_data)
{
  dlc_tensor_file f;
  const char *path = write_some();
  ck_ok(dlc_safetensors_read_header(path, &f));
  ck_assert_uint_eq(f.n, 4);
  ck_assert_int_eq(dlc_tensor_find(&f, "conv1.weight")->dim[1], 3);
  ck_assert_ptr_null(dlc_tensor_find(&f, "conv1.weight")->data);
  ck_assert_str_eq(dlc_metadata_find(&f, "format"), "pt");
  dlc_safetensors_free(&f);
  bytes b = read_bytes(path);
  for (size_t n = 0; n < b.n; n++) {
    FILE *cut = fopen(path, "wb");
    ck_assert_ptr_nonnull(cut);
    ck_assert_uint_eq(fwrite(b.data, 1, n, cut), n);
    fclose(cut);
    ck_assert_msg(dlc_safetensors_read_header(path, &f) < 0, "a cut after %zu bytes was not noticed", n);
  }
  free(b.data);
}
END_TEST

/* So that a file does not collect the checksums of those it was made from. */
START_TEST(what_was_read_can_be_written_again)
{
  dlc_tensor_file f;
  const char *path = write_some(), *again = in_folder("again.safetensors");
  ck_ok(dlc_safetensors_read(path, &f));
  ck_ok(dlc_safetensors_write(again, f.tensors, f.n, f.metadata, f.n_metadata));
  bytes a = read_bytes(path), b = read_bytes(again);
  ck_assert_uint_eq(a.n, b.n);
  ck_assert_mem_eq(a.data, b.data, a.n);
  free(a.data);
  free(b.data);
  dlc_safetensors_free(&f);
}
END_TEST

START_TEST(what_no_reader_would_take_is_not_written)
{
  static const char *const twice[] = {"a", "1", "a", "2"}, *const latin[] = {"a", "caf\xe9"};
  const dlc_tensor wrong[] = {{"__metadata__", DLC_F32, 0, {0}, weight}, {"x", 0, 0, {0}, weight}};
  const dlc_tensor same[] = {{"x", DLC_F32, 0, {0}, weight}, {"x", DLC_I64, 0, {0}, &count}};
  const char *path = in_folder("w.safetensors");
  ck_assert_int_eq(dlc_safetensors_write(path, same, 2, NULL, 0), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "more than one thing to be written is called x");
  ck_assert_int_eq(dlc_safetensors_write(path, &wrong[0], 1, NULL, 0), DLC_INVALID);
  ck_assert_int_eq(dlc_safetensors_write(path, &wrong[1], 1, NULL, 0), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "tensor x has no type that can be written");
  ck_assert_int_eq(dlc_safetensors_write(path, NULL, 0, twice, 2), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "metadata `a` is given twice");
  ck_assert_int_eq(dlc_safetensors_write(path, NULL, 0, latin, 1), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "'caf\xe9' cannot be written: it is not UTF-8");
  ck_assert_int_eq(count_entries(), 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_leaves_nothing)
{
  const char *missing = in_folder("none/w.safetensors");
  ck_assert_int_eq(dlc_safetensors_write(missing, tensors, 1, NULL, 0), DLC_IO);
  ck_assert_msg(strstr(dlc_reason(), missing) && strstr(dlc_reason(), "No such file"), "%s", dlc_reason());
  ck_assert_int_eq(count_entries(), 0);
}
END_TEST

/* ---- damage ---- */

START_TEST(every_flipped_bit_is_noticed)
{
  bytes b = read_bytes(write_some());
  for (size_t i = 0; i < 8 * b.n; i++) {
    b.data[i / 8] ^= (char)(1 << i % 8);
    ck_assert_msg(is_read(b.data, b.n) == DLC_INVALID, "bit %zu of byte %zu was not noticed", i % 8, i / 8);
    b.data[i / 8] ^= (char)(1 << i % 8);
  }
  ck_ok(is_read(b.data, b.n));
  free(b.data);
}
END_TEST

START_TEST(every_cut_is_noticed)
{
  bytes b = read_bytes(write_some());
  for (size_t n = 0; n < b.n; n++)
    ck_assert_msg(is_read(b.data, n) == DLC_INVALID, "a cut after %zu of %zu bytes was not noticed", n, b.n);
  free(b.data);
}
END_TEST

START_TEST(a_wrong_checksum_is_said_in_one_line)
{
  bytes b = read_bytes(write_some());
  b.data[b.n - 1] ^= 1;
  ck_assert_int_eq(is_read(b.data, b.n), DLC_INVALID);
  char start[64];
  snprintf(start, sizeof start, "F: damaged: the checksum of its %zu bytes is ", b.n);
  ck_assert_msg(strncmp(dlc_reason(), start, strlen(start)) == 0 && strstr(dlc_reason(), ", it should be "), "%s",
                dlc_reason());
  free(b.data);
}
END_TEST

/* ---- headers ---- */

/* A file with this header text and `data_bytes` zero bytes of data; `claimed` 0: its true length. */
static bytes make_file(const char *header, uint64_t claimed, size_t data_bytes)
{
  const size_t n = strlen(header);
  bytes b = {calloc(1, 8 + n + data_bytes), 8 + n + data_bytes};
  ck_assert_ptr_nonnull(b.data);
  for (int i = 0; i < 8; i++) b.data[i] = (char)((claimed ? claimed : n) >> (8 * i));
  memcpy(b.data + 8, header, n);
  return b;
}

#define F32(shape, offsets) "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define SIGNED(digits)      "{\"__metadata__\":{\"dlcore.xxh3\":\"" digits "\"}}"

static const struct {
  const char *header;
  uint64_t claimed;
  size_t data_bytes;
  const char *reason; /* how it begins after "F: "; NULL: the file is good */
} headers[] = {
    {"{}", 0, 0, NULL},
    {"{}    ", 0, 0, NULL},
    {"{\"a\":" F32("[]", "[0,4]") "}", 0, 4, NULL},
    {"{\"a\":" F32("[0,9]", "[0,0]") ",\"b\":" F32("[1]", "[0,4]") ",\"c\":" F32("[0]", "[4,4]") "}", 0, 4, NULL},
    {"{\"b\":" F32("[1]", "[4,8]") ",\"a\":" F32("[1]", "[0,4]") "}", 0, 8, NULL},
    /* lengths */
    {"", 1u << 20, 4, "not safetensors, or cut: its header should have 1048576 bytes, the file has 12"},
    {"{}", UINT64_MAX, 0,
     "not safetensors, or cut: its header should have 18446744073709551615 bytes, the file has 10"},
    {"{}", UINT64_MAX - 7, 0,
     "not safetensors, or cut: its header should have 18446744073709551608 bytes, the file has 10"},
    {"{}", 1000, 16, "not safetensors, or cut: its header should have 1000 bytes, the file has 26"},
    {"", 0x1404034b50, 0, "not safetensors, but a zip file, as torch.save() writes"},
    /* what is no JSON object, or none alone */
    {"[]", 0, 0, "not safetensors: no JSON header"},
    {" {}", 0, 0, "not safetensors: no JSON header"},
    {"\xef\xbb\xbf{}", 0, 0, "not safetensors: no JSON header"},
    {"{\"a\":", 0, 0, "header, byte "},
    {"{]", 0, 0, "header, byte "},
    {"{}{}", 0, 0, "header, byte "},
    {"{} x", 0, 0, "header, byte "},
    {"{\"a\xff\":{}}", 0, 0, "header, byte "},
    {"{\"a\\u0000\":{}}", 0, 0, "header, byte "},
    {"{\"a\":{},\"a\":{}}", 0, 0, "header, byte "},
    {"{\"a\":{},\"\\u0061\":{}}", 0, 0, "header, byte "},
    {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"F32\"}}", 0, 0, "header, byte "},
    /* tensors */
    {"{\"a\":1}", 0, 0, "tensor a is not described by an object"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 0, 1, "tensor a has dtype missing, which dlcore does not know"},
    {"{\"a\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]}}", 0, 1,
     "tensor a has dtype F4, which dlcore does not know"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 0, 4, "tensor a has no shape of at most 8 dimensions"},
    {"{\"a\":" F32("[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 0, 4, "tensor a has no shape of at most 8 dimensions"},
    {"{\"a\":" F32("{}", "[0,4]") "}", 0, 4, "tensor a has no shape of at most 8 dimensions"},
    {"{\"a\":" F32("[-1]", "[0,4]") "}", 0, 4, "tensor a has an impossible shape"},
    {"{\"a\":" F32("[-1,-1]", "[0,4]") "}", 0, 4, "tensor a has an impossible shape"},
    {"{\"a\":" F32("[1.0]", "[0,4]") "}", 0, 4, "tensor a has an impossible shape"},
    {"{\"a\":" F32("[\"1\"]", "[0,4]") "}", 0, 4, "tensor a has an impossible shape"},
    {"{\"a\":" F32("[18446744073709551617]", "[0,4]") "}", 0, 4, "header, byte "},
    /* 4 elements modulo 2^64 */
    {"{\"a\":" F32("[4194305,4194305,211106198978564]", "[0,16]") "}", 0, 16, "tensor a has an impossible shape"},
    {"{\"a\":" F32("[4611686018427387905]", "[0,4]") "}", 0, 4, "tensor a has an impossible shape"},
    /* places */
    {"{\"a\":" F32("[2]", "[0,4]") "}", 0, 4, "tensor a has 4 bytes; its shape needs 8"},
    {"{\"a\":" F32("[1]", "[0,8]") "}", 0, 8, "tensor a has 8 bytes; its shape needs 4"},
    {"{\"a\":" F32("[1]", "[4,0]") "}", 0, 4, "tensor a lies at [4, 0), outside of the 4 bytes of data"},
    {"{\"a\":" F32("[1]", "[-4,0]") "}", 0, 4, "tensor a lies at [-4, 0), outside of the 4 bytes of data"},
    {"{\"a\":" F32("[1]", "[0,400]") "}", 0, 4, "tensor a lies at [0, 400), outside of the 4 bytes of data"},
    {"{\"a\":" F32("[1]", "[9223372036854775807,9223372036854775807]") "}", 0, 4,
     "tensor a lies at [9223372036854775807, 9223372036854775807), outside of the 4 bytes of data"},
    {"{\"a\":" F32("[1]", "[0]") "}", 0, 4, "tensor a has no data_offsets [begin, end]"},
    {"{\"a\":" F32("[1]", "[0,4,8]") "}", 0, 4, "tensor a has no data_offsets [begin, end]"},
    {"{\"a\":" F32("[1]", "[0,4.0]") "}", 0, 4, "tensor a has no data_offsets [begin, end]"},
    {"{\"a\":" F32("[1]", "{\"0\":0}") "}", 0, 4, "tensor a has no data_offsets [begin, end]"},
    {"{\"a\":" F32("[1]", "[0,4]") ",\"b\":" F32("[1]", "[0,4]") "}", 0, 4,
     "tensor b begins at byte 0 of the data, where another one lies"},
    {"{\"a\":" F32("[2]", "[0,8]") ",\"b\":" F32("[2]", "[4,12]") "}", 0, 12,
     "tensor b begins at byte 4 of the data, where another one lies"},
    {"{\"a\":" F32("[2]", "[0,8]") ",\"b\":" F32("[0]", "[4,4]") "}", 0, 8,
     "tensor b begins at byte 4 of the data, where another one lies"},
    {"{\"a\":" F32("[1]", "[4,8]") "}", 0, 8, "tensor a begins at byte 4 of the data, where a hole ends"},
    {"{\"a\":" F32("[1]", "[0,4]") ",\"b\":" F32("[1]", "[8,12]") "}", 0, 12,
     "tensor b begins at byte 8 of the data, where a hole ends"},
    {"{\"a\":" F32("[1]", "[0,4]") "}", 0, 8, "4 bytes of data belong to no tensor"},
    {"{}", 0, 1, "1 bytes of data belong to no tensor"},
    /* metadata */
    {"{\"__metadata__\":[]}", 0, 0, "__metadata__ is no object"},
    {"{\"__metadata__\":{\"epoch\":3}}", 0, 0, "metadata `epoch` is no text"},
    {"{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", 0, 0, "metadata `a` is no text"},
    {"{\"__metadata__\":{\"a\":null}}", 0, 0, "metadata `a` is no text"},
    /* checksums */
    {SIGNED("0000000000000000"), 0, 0, "damaged: the checksum of its 59 bytes is "},
    {SIGNED("000000000000000"), 0, 0, "damaged"},
    {"{ \"__metadata__\":{\"dlcore.xxh3\":\"0000000000000000\"}}", 0, 0,
     "damaged, or rewritten by another program that kept the metadata `dlcore` and `dlcore.xxh3`"},
    {"{\"__metadata__\":{\"dlcore\":\"1.0\"}}", 0, 0, "damaged, or rewritten by another program"},
};

START_TEST(headers_are_checked)
{
  char expected[256];
  bytes b = make_file(headers[_i].header, headers[_i].claimed, headers[_i].data_bytes);
  const dlc_status status = is_read(b.data, b.n);
  free(b.data);
  if (!headers[_i].reason) {
    ck_assert_msg(status == DLC_OK, "%s: %s", headers[_i].header, dlc_reason());
    return;
  }
  snprintf(expected, sizeof expected, "F: %s", headers[_i].reason);
  ck_assert_msg(status == DLC_INVALID && strncmp(dlc_reason(), expected, strlen(expected)) == 0,
                "%s: status %d: %s, expected %s", headers[_i].header, status, dlc_reason(), expected);
}
END_TEST

START_TEST(a_header_as_large_as_no_tensors_need_is_refused)
{
  enum { LARGE = (1 << 24) + 1 };
  char *text = malloc(LARGE + 1);
  ck_assert_ptr_nonnull(text);
  memset(text, ' ', LARGE);
  memcpy(text, "{}", 2);
  text[LARGE] = 0;
  bytes b = make_file(text, 0, 0);
  ck_assert_int_eq(is_read(b.data, b.n), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "F: its header has 16777217 bytes, at most 16777216 are allowed");
  free(b.data);
  text[LARGE - 1] = 0;
  b = make_file(text, 0, 0);
  ck_ok(is_read(b.data, b.n));
  free(b.data);
  free(text);
}
END_TEST

/* The published attack: as many tensors as fit share the same bytes. */
START_TEST(tensors_that_all_lie_in_one_place_are_refused)
{
  enum { N = 20000 };
  char *text = malloc(N * 80);
  ck_assert_ptr_nonnull(text);
  size_t n = 0;
  for (int i = 0; i < N; i++)
    n += (size_t)sprintf(text + n, "%c\"w%d\":" F32("[200,200]", "[0,160000]"), i ? ',' : '{', i);
  strcpy(text + n, "}");
  bytes b = make_file(text, 0, 160000);
  ck_assert_int_eq(is_read(b.data, b.n), DLC_INVALID);
  ck_assert_msg(strstr(dlc_reason(), "of the data, where another one lies"), "%s", dlc_reason());
  free(b.data);
  free(text);
}
END_TEST

START_TEST(depth_is_limited)
{
  enum { DEPTH = 100000 };
  char *text = malloc(DEPTH + 16);
  ck_assert_ptr_nonnull(text);
  strcpy(text, "{\"a\":");
  memset(text + 5, '[', DEPTH);
  text[5 + DEPTH] = 0;
  bytes b = make_file(text, 0, 0);
  ck_assert_int_eq(is_read(b.data, b.n), DLC_INVALID);
  ck_assert_msg(strstr(dlc_reason(), "depth"), "%s", dlc_reason());
  free(b.data);
  free(text);
}
END_TEST

START_TEST(data_that_is_not_aligned_is_read)
{
  dlc_tensor_file f;
  bytes b =
      make_file("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"b\":" F32("[1]", "[1,5]") "}", 0, 5);
  const float one = 1;
  memcpy(b.data + b.n - 4, &one, sizeof one);
  ck_ok(parse(b.data, b.n, &f));
  ck_assert_uint_eq((uintptr_t)f.tensors[1].data % sizeof(float), 0);
  ck_assert_float_eq(*(float *)f.tensors[1].data, 1);
  dlc_safetensors_free(&f);
  free(b.data);
}
END_TEST

/* ---- files of others: golden/safetensors/ ---- */

static void read_golden(const char *name, dlc_tensor_file *file)
{
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/golden/safetensors/%s.safetensors", TEST_SOURCE_DIR, name);
  ck_ok(dlc_safetensors_read(path, file));
}

static void ck_widened(const dlc_tensor_file *f, const char *name, const char *wide_name, const char *type)
{
  const dlc_tensor *t = dlc_tensor_find(f, name), *wide = dlc_tensor_find(f, wide_name);
  ck_assert_ptr_nonnull(t);
  ck_assert_ptr_nonnull(wide);
  ck_assert_str_eq(f->types[t - f->tensors], type);
  ck_assert_uint_eq(t->dtype, DLC_F32);
  ck_assert_int_eq(t->dim[0], wide->dim[0]);
  ck_assert_int_gt(t->dim[0], 900);
  const float *given = t->data, *expected = wide->data;
  for (int64_t i = 0; i < t->dim[0]; i++)
    ck_assert_msg(memcmp(&given[i], &expected[i], sizeof(float)) == 0 || (isnan(given[i]) && isnan(expected[i])),
                  "%s[%lld] is %a, expected %a", name, (long long)i, (double)given[i], (double)expected[i]);
}

START_TEST(floats_of_16_bits_are_widened_exactly)
{
  dlc_tensor_file f;
  read_golden("halves", &f);
  ck_widened(&f, "f16", "f16.expected", "F16");
  ck_widened(&f, "bf16", "bf16.expected", "BF16");
  dlc_safetensors_free(&f);
}
END_TEST

START_TEST(a_batch_norm_of_pytorch_is_read)
{
  static const float mean[] = {0.75f, 1.15f, 1.55f};
  dlc_tensor_file f;
  read_golden("batch_norm", &f);
  ck_assert_uint_eq(f.n, 5);
  const dlc_tensor *batches = dlc_tensor_find(&f, "num_batches_tracked");
  ck_assert_uint_eq(batches->rank, 0);
  ck_assert_uint_eq(batches->dtype, DLC_I64);
  ck_assert_int_eq(*(const int64_t *)batches->data, 1);
  const float *running = dlc_tensor_find(&f, "running_mean")->data;
  for (int i = 0; i < 3; i++) ck_assert_float_eq_tol(running[i], mean[i], 1e-6f);
  ck_assert_str_eq(dlc_metadata_find(&f, "format"), "pt");
  dlc_safetensors_free(&f);
}
END_TEST

START_TEST(types_that_dlcore_has_no_values_of_are_named)
{
  static const char *const foreign[] = {"BOOL", "I8",  "I16",     "U16",     "U32",
                                        "U64",  "C64", "F8_E4M3", "F8_E5M2", "F8_E8M0"};
  dlc_tensor_file f;
  read_golden("types", &f);
  ck_assert_uint_eq(f.n, 19);
  uint32_t found = 0;
  for (uint32_t i = 0; i < f.n; i++) {
    bool is_foreign = false;
    for (size_t k = 0; k < sizeof foreign / sizeof *foreign; k++) is_foreign |= strcmp(f.types[i], foreign[k]) == 0;
    ck_assert_msg((f.tensors[i].dtype == 0) == is_foreign, "%s: type %s read as %u", f.tensors[i].name, f.types[i],
                  f.tensors[i].dtype);
    ck_assert(!is_foreign || dlc_tensor_bytes(&f.tensors[i]) == 0);
    found += is_foreign;
  }
  ck_assert_uint_eq(found, sizeof foreign / sizeof *foreign);
  ck_assert_double_eq(*(const double *)dlc_tensor_find(&f, "scalar")->data, 2.5);
  ck_assert_float_eq(((const float *)dlc_tensor_find(&f, "bf16")->data)[1], 1);
  ck_assert_int_eq(dlc_tensor_find(&f, "empty")->dim[0], 0);
  dlc_safetensors_free(&f);
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("safetensors");
  tcase_add_checked_fixture(t, make_folder, remove_folder);
  tcase_add_test(t, what_is_written_reads_back);
  tcase_add_test(t, the_header_alone_says_the_same_without_data);
  tcase_add_test(t, what_was_read_can_be_written_again);
  tcase_add_test(t, what_no_reader_would_take_is_not_written);
  tcase_add_test(t, a_file_that_cannot_be_written_leaves_nothing);
  tcase_add_test(t, every_flipped_bit_is_noticed);
  tcase_add_test(t, every_cut_is_noticed);
  tcase_add_test(t, a_wrong_checksum_is_said_in_one_line);
  tcase_add_loop_test(t, headers_are_checked, 0, sizeof headers / sizeof *headers);
  tcase_add_test(t, a_header_as_large_as_no_tensors_need_is_refused);
  tcase_add_test(t, tensors_that_all_lie_in_one_place_are_refused);
  tcase_add_test(t, depth_is_limited);
  tcase_add_test(t, data_that_is_not_aligned_is_read);
  tcase_add_test(t, floats_of_16_bits_are_widened_exactly);
  tcase_add_test(t, a_batch_norm_of_pytorch_is_read);
  tcase_add_test(t, types_that_dlcore_has_no_values_of_are_named);
  return run_suite("safetensors", t);
}
