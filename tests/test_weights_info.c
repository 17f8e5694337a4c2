/* What weights say of themselves: what is written reads back, and nothing in it is believed before it is checked. */
#include "base/status.h"
#include "suite.h"
#include "train/weights_info.h"

static const char *const classes[] = {"cat", "dog \"x\", caf\xe9"};
static float numbers[2] = {1, 2};
static const dlc_tensor tensor = {"w", DLC_F32, 1, {2}, numbers};

START_TEST(what_is_written_reads_back)
{
  const dlc_weights_info info = {.n_classes = 2,
                                 .classes = classes,
                                 .model = "layers:\n  - flatten # \xc3\xa4\n",
                                 .eval_transforms = "resize(8)",
                                 .criterion = "cross_entropy:label_smoothing=0.1",
                                 .class_weights = (const float[]){0.1f, 3},
                                 .shape = {3, 8, 16},
                                 .bytes = true,
                                 .mean = {0.485f, 0.456f, 0.1f},
                                 .std = {0.229f, 1e-7f, 3}};
  dlc_weights_info read;
  const char *path = in_folder("w.safetensors");
  ck_assert_int_eq(dlc_weights_write(path, &tensor, 1, &info), DLC_OK);
  ck_assert_msg(dlc_weights_info_read(path, &read) == DLC_OK, "%s", dlc_reason());
  ck_assert_uint_eq(read.n_classes, 2);
  ck_assert_str_eq(read.classes[0], "cat");
  ck_assert_str_eq(read.classes[1], "dog \"x\", caf?");
  ck_assert_str_eq(read.model, info.model);
  ck_assert_str_eq(read.eval_transforms, "resize(8)");
  ck_assert_str_eq(read.criterion, "cross_entropy:label_smoothing=0.1");
  ck_assert_mem_eq(read.class_weights, info.class_weights, 2 * sizeof(float));
  ck_assert_mem_eq(read.shape, info.shape, sizeof info.shape);
  ck_assert(read.bytes);
  for (int c = 0; c < 3; c++) {
    ck_assert_msg(read.mean[c] == info.mean[c], "mean %.9g, was %.9g", (double)read.mean[c], (double)info.mean[c]);
    ck_assert_msg(read.std[c] == info.std[c], "std %.9g, was %.9g", (double)read.std[c], (double)info.std[c]);
  }
  dlc_weights_info_free(&read);
}
END_TEST

START_TEST(weights_of_floats_without_transforms_have_neither)
{
  const dlc_weights_info info = {.n_classes = 2, .classes = classes, .model = "m", .shape = {1, 2, 3}};
  dlc_weights_info read;
  const char *path = in_folder("w.safetensors");
  ck_assert_int_eq(dlc_weights_write(path, &tensor, 1, &info), DLC_OK);
  ck_assert_int_eq(dlc_weights_info_read(path, &read), DLC_OK);
  ck_assert(!read.bytes);
  ck_assert_ptr_null(read.eval_transforms);
  ck_assert_ptr_null(read.criterion);
  ck_assert_ptr_null(read.class_weights);
  dlc_weights_info_free(&read);
}
END_TEST

/* Reading refuses with `status` and `part` in the reason. */
static void ck_refused(const char *const *metadata, uint32_t n, dlc_status status, const char *part)
{
  dlc_weights_info read;
  const char *path = in_folder("w.safetensors");
  ck_assert_int_eq(dlc_safetensors_write(path, &tensor, 1, metadata, n), DLC_OK);
  const dlc_status given = dlc_weights_info_read(path, &read);
  ck_assert_msg(given == status, "status %d, expected %d, for %s = %s", given, status, part, metadata[2 * n - 1]);
  ck_assert_msg(strstr(dlc_reason(), part) != NULL, "expected '%s' in: %s", part, dlc_reason());
}

START_TEST(weights_without_their_story_are_not_found)
{
  static const char *const only_format[] = {"format", "pt"}, *const only_model[] = {"model", "m"},
                           *const no_shape[] = {"model", "m", "classes", "[\"a\", \"b\"]"};
  ck_refused(only_format, 1, DLC_NOT_FOUND, "does not say its model");
  ck_refused(only_model, 1, DLC_NOT_FOUND, "does not say its classes");
  ck_refused(no_shape, 2, DLC_NOT_FOUND, "does not say its input_shape");
}
END_TEST

START_TEST(wrong_metadata_is_refused_by_name)
{
  static const char *const bad[][2] = {
      {"classes", "cat, dog"},        {"classes", "[]"},
      {"classes", "[1, 2]"},          {"classes", "{\"a\": 1}"},
      {"input_shape", "[3, 8]"},      {"input_shape", "[3, 8, 0]"},
      {"input_shape", "[3, 8, 1e9]"}, {"input_shape", "[5, 8, 8]"},
      {"input_shape", "[3, 8, -8]"},  {"input_shape", "[3, 8, 99999999999]"},
      {"mean", "[0.5, 0.5]"},         {"mean", "[0.5, 0.5, \"x\"]"},
      {"std", "[1, 1, 1, 1, 1, 1]"},  {"std", "[1, 1, 1e400]"},
      {"mean", "[0.5, 0.5, 1e39]"},   {"std", "[1, 0, 1]"},
      {"class_weights", "[1]"},       {"class_weights", "[1, -1]"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const char *metadata[] = {"model", "m",         "classes", "[\"a\", \"b\"]", "input_shape",   "[3, 8, 8]",
                              "mean",  "[0, 0, 0]", "std",     "[1, 1, 1]",      "class_weights", "[1, 2]"};
    for (size_t k = 0; k < 12; k += 2)
      if (strcmp(metadata[k], bad[i][0]) == 0) metadata[k + 1] = bad[i][1];
    ck_refused(metadata, 6, DLC_INVALID, bad[i][0]);
  }
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("weights_info");
  tcase_add_checked_fixture(t, make_folder, remove_folder);
  tcase_add_test(t, what_is_written_reads_back);
  tcase_add_test(t, weights_of_floats_without_transforms_have_neither);
  tcase_add_test(t, weights_without_their_story_are_not_found);
  tcase_add_test(t, wrong_metadata_is_refused_by_name);
  return run_suite("weights_info", t);
}
