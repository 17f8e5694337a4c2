/* safetensors: what is written reads back, and no header is believed before it is checked. */
#include "rig.h"
#include "train/safetensors.h"
#include <stdio.h>
#include <unistd.h>

static char folder[64], path[96];

static void setup(void)
{
  strcpy(folder, "/tmp/dlcore-safetensors-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof(path), "%s/w.safetensors", folder);
}

static void teardown(void)
{
  unlink(path);
  rmdir(folder);
}

static void write_bytes(const void *data, size_t n)
{
  FILE *f = fopen(path, "wb");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(data, 1, n, f), n);
  fclose(f);
}

/* A file with this header text and `data_bytes` zero bytes of data. */
static void write_file(const char *header, uint64_t claimed, size_t data_bytes)
{
  const size_t n = strlen(header);
  char *bytes = calloc(1, 8 + n + data_bytes);
  for (int i = 0; i < 8; i++) bytes[i] = (char)(claimed >> (8 * i));
  memcpy(bytes + 8, header, n);
  write_bytes(bytes, 8 + n + data_bytes);
  free(bytes);
}

START_TEST(what_is_written_reads_back)
{
  static const char *const metadata[] = {"format", "pt"};
  float w[6] = {1, -2, 3.5f, 4, 5, 1e-30f};
  uint8_t flags[3] = {1, 0, 255};
  int64_t count = -7;
  const dlc_tensor tensors[] = {{"b.flags", DLC_U8, 1, {3}, flags},
                                {"conv1.weight", DLC_F32, 2, {2, 3}, w},
                                {"a \"quoted\" name", DLC_I64, 0, {0}, &count}};
  dlc_tensor_file f;
  rig_ok(dlc_safetensors_write(path, tensors, 3, metadata, 1));
  rig_ok(dlc_safetensors_read(path, &f));
  ck_assert_uint_eq(f.n, 3);
  ck_assert_str_eq(f.tensors[0].name, "a \"quoted\" name");
  ck_assert_uint_eq(f.tensors[0].rank, 0);
  ck_assert_int_eq(*(int64_t *)f.tensors[0].data, -7);
  ck_assert_str_eq(f.tensors[1].name, "b.flags");
  ck_assert_mem_eq(f.tensors[1].data, flags, 3);
  ck_assert_int_eq(f.tensors[2].dim[1], 3);
  ck_assert_mem_eq(f.tensors[2].data, w, sizeof(w));
  dlc_safetensors_free(&f);
}
END_TEST

static const struct {
  const char *header;
  uint64_t claimed; /* 0: the true length */
  size_t data_bytes;
  const char *reason; /* after "PATH: " */
} wrong[] = {
    {"", 1u << 20, 4, "not safetensors, or cut: its header should have 1048576 bytes, the file has 12"},
    {"{}", UINT64_MAX, 0,
     "not safetensors, or cut: its header should have 18446744073709551615 bytes, the file has 10"},
    {"[]", 0, 0, "not safetensors: no JSON header"},
    {"{\"a\":1}", 0, 0, "tensor a is not described by an object"},
    {"{\"a\":{\"dtype\":\"F8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 0, 1,
     "tensor a has dtype F8, which dlcore does not know"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 0, 4, "tensor a has no shape of at most 8 dimensions"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 0, 4, "tensor a has an impossible shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4194305,4194305,211106198978564],\"data_offsets\":[0,4]}}", 0, 4,
     "tensor a has an impossible shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 0, 4,
     "tensor a has 4 bytes; its shape needs 8"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 0, 4,
     "tensor a lies at [4, 0), outside of the 4 bytes of data"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,400]}}", 0, 4,
     "tensor a lies at [0, 400), outside of the 4 bytes of data"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 0, 4,
     "tensor a has no data_offsets [begin, end]"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],"
     "\"data_offsets\":[0,4]}}",
     0, 4, "tensor b begins at byte 0 of the data, where another one lies"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 0, 8,
     "tensor a begins at byte 4 of the data, where a hole ends"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 0, 8,
     "4 bytes of data belong to no tensor"},
};

START_TEST(a_wrong_header_is_refused)
{
  dlc_tensor_file f;
  char expected[256];
  write_file(wrong[_i].header, wrong[_i].claimed ? wrong[_i].claimed : strlen(wrong[_i].header), wrong[_i].data_bytes);
  ck_assert_int_eq(dlc_safetensors_read(path, &f), DLC_INVALID);
  snprintf(expected, sizeof(expected), "%s: %s", path, wrong[_i].reason);
  ck_assert_str_eq(dlc_reason(), expected);
}
END_TEST

START_TEST(duplicate_names_and_broken_json_are_refused)
{
  static const char *const headers[] = {"{\"a\":{},\"a\":{}}", "{\"a\":", "{]"};
  for (int i = 0; i < 3; i++) {
    dlc_tensor_file f;
    write_file(headers[i], strlen(headers[i]), 0);
    ck_assert_int_eq(dlc_safetensors_read(path, &f), DLC_INVALID);
    ck_assert_msg(strstr(dlc_reason(), "header, byte "), "%s", dlc_reason());
  }
}
END_TEST

START_TEST(every_truncation_of_a_file_is_refused)
{
  float w[3] = {1, 2, 3};
  const dlc_tensor tensor = {"w", DLC_F32, 1, {3}, w};
  dlc_tensor_file file;
  char bytes[512];
  rig_ok(dlc_safetensors_write(path, &tensor, 1, NULL, 0));
  FILE *f = fopen(path, "rb");
  size_t n = fread(bytes, 1, sizeof(bytes), f);
  fclose(f);
  ck_assert_uint_gt(n, 60);
  for (size_t cut = 0; cut < n; cut++) {
    write_bytes(bytes, cut);
    ck_assert_msg(dlc_safetensors_read(path, &file) < 0, "a file cut to %zu of %zu bytes was accepted", cut, n);
  }
}
END_TEST

START_TEST(a_file_that_cannot_be_written_leaves_nothing)
{
  float w = 1;
  const dlc_tensor tensor = {"w", DLC_F32, 1, {1}, &w};
  char missing[128];
  snprintf(missing, sizeof(missing), "%s/none/w.safetensors", folder);
  ck_assert_int_eq(dlc_safetensors_write(missing, &tensor, 1, NULL, 0), DLC_IO);
  ck_assert_msg(strstr(dlc_reason(), missing) && strstr(dlc_reason(), "No such file"), "%s", dlc_reason());
  ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("safetensors");
  TCase *c = tcase_create("safetensors");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, what_is_written_reads_back);
  tcase_add_loop_test(c, a_wrong_header_is_refused, 0, sizeof(wrong) / sizeof(*wrong));
  tcase_add_test(c, duplicate_names_and_broken_json_are_refused);
  tcase_add_test(c, every_truncation_of_a_file_is_refused);
  tcase_add_test(c, a_file_that_cannot_be_written_leaves_nothing);
  suite_add_tcase(s, c);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
