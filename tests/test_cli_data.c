/* What the program does with data: which dataset is taken, lists of transforms, bad pictures, what weights carry. */
#include "picture_folder.h"
#include "program.h"
#include "train/weights_info.h"
#include <jansson.h>

/* Trains on folders of pictures without a plugin for computing. */
#define TINY        "--backend reference --model mlp --batch-size 4 --epochs 1 --logger none "
#define SMALL_LISTS "--train-transforms resize([8,8]) --eval-transforms resize([8,8]) "

static char *file_of(const char *run, const char *name)
{
  char path[256];
  snprintf(path, sizeof path, "runs/%s/%s", run, name);
  return read_file(path, NULL);
}

static void ck_file_contains(const char *run, const char *name, const char *part)
{
  char *text = file_of(run, name);
  ck_contains(text, part);
  free(text);
}

/* ---- which dataset ---- */

START_TEST(pictures_are_found_by_content)
{
  make_pictures("pets", 4);
  ck_runs(TINY SMALL_LISTS "--data-dir pets --name x", 0);
  ck_contains(out_text, "dataset   imagefolder: 8 train, 4 val, 4 test, colour, of many sizes (pets)");
  ck_contains(out_text, "classes   2, 4 each: cat, dog");
  ck_file_contains("x", "config.yaml", "dataset: imagefolder\n");
}
END_TEST

START_TEST(folder_without_data_says_what_was_looked_for)
{
  ck_assert_int_eq(mkdir("empty", 0777), 0);
  ck_refuses(TINY "--data-dir empty", 1,
             "empty holds no full set of idx or CIFAR files (--dataset idx or cifar says why): dataset imagefolder: "
             "empty: no picture");
  ck_refuses(TINY "--data-dir nowhere", 1, "--data-dir: nowhere: ");
  ck_assert(!exists("runs"));
}
END_TEST

START_TEST(damaged_idx_files_are_not_taken_for_something_else)
{
  make_pictures("pets", 1);
  write_text("pets/train-images-idx3-ubyte", "no idx");
  write_text("pets/train-labels-idx1-ubyte", "no idx");
  write_text("pets/t10k-images-idx3-ubyte", "no idx");
  write_text("pets/t10k-labels-idx1-ubyte", "no idx");
  ck_refuses(TINY "--data-dir pets", 1, "dataset idx: pets/train-");
}
END_TEST

START_TEST(pictures_of_a_class_can_be_limited)
{
  make_pictures("pets", 4);
  ck_runs(TINY SMALL_LISTS "--data-dir pets --max-samples-per-class 3 --name x", 0);
  ck_contains(out_text, "classes   2, 3 each: cat, dog");
  ck_file_contains("x", "config.yaml", "limit-per-class: 3\n");
  ck_refuses(QUICK "--limit-per-class 3", 2, "--limit-per-class: dataset shapes cannot be limited so");
}
END_TEST

START_TEST(unequal_classes_are_counted_one_by_one)
{
  make_pictures("pets", 2);
  write_picture("pets/train/dog/more.ppm", 9, 9, 0);
  ck_runs(TINY SMALL_LISTS "--data-dir pets --name x", 0);
  ck_contains(out_text, "classes   2: cat (2), dog (3)");
}
END_TEST

/* ---- transforms ---- */

START_TEST(pictures_of_many_sizes_get_usual_transforms_in_one_line)
{
  make_pictures("pets", 2);
  ck_runs("--data-dir pets --model convnet-004 --epochs 1 --logger none --name x", 0);
  ck_contains(out_text, "they go through resize(256) center_crop(224) normalize(half)\n");
  ck_file_contains("x", "config.yaml", "\ntrain-transforms: resize(256) center_crop(224) normalize(half)\n");
  ck_file_contains("x", "config.yaml", "\neval-transforms: resize(256) center_crop(224) normalize(half)\n");
}
END_TEST

START_TEST(evaluation_never_takes_the_list_for_training)
{
  make_pictures("pets", 2);
  ck_refuses(TINY "--data-dir pets --train-transforms resize([8,8])", 1,
             "--eval-transforms: the pictures differ in size");
  ck_runs(QUICK "--train-transforms random_horizontal_flip --name x", 0);
  ck_lacks(out_text, "eval-transforms");
}
END_TEST

START_TEST(list_in_a_configuration_is_what_would_be_typed)
{
  write_text("c.yaml", "train-transforms:\n"
                       "  - random_horizontal_flip\n"
                       "  - resize: 28\n"
                       "  - random_resized_crop: {size: [28, 28], scale: [0.5, 1.0]}\n"
                       "  - grayscale:\n"
                       "  - normalize: {mean: 0.25, std: [0.5]}\n"
                       "eval-transforms: [{normalize: {mean: [0.25], std: [0.5]}}]\n");
  ck_runs(QUICK "-c c.yaml --name a", 0);
  ck_file_contains("a", "config.yaml",
                   "random_horizontal_flip resize(28) random_resized_crop(size=[28, 28], scale=[0.5, 1.0]) grayscale "
                   "normalize(mean=0.25, std=[0.5])");
  ck_runs("-c runs/a/config.yaml --name b", 0);
  ck_assert(same_files("runs/a/config.yaml", "runs/b/config.yaml"));
  ck_assert(same_files("runs/a/weights/last.safetensors", "runs/b/weights/last.safetensors"));
}
END_TEST

START_TEST(none_on_the_command_line_beats_the_list_of_a_configuration)
{
  write_text("c.yaml", "train-transforms: random_crop(20)\neval-transforms: []\n");
  ck_runs(QUICK "-c c.yaml --train-transforms none --name a", 0);
  ck_runs(QUICK "--name b", 0);
  ck_assert(same_files("runs/a/weights/last.safetensors", "runs/b/weights/last.safetensors"));
}
END_TEST

static void refuse_config(const char *text, const char *reason)
{
  write_text("c.yaml", text);
  ck_refuses(QUICK "-c c.yaml", 2, reason);
  ck_assert(!exists("runs"));
}

START_TEST(bad_list_is_refused_with_line_and_column)
{
  refuse_config("train-transforms:\n  - [resize]\n", "c.yaml:2:5: expected one transform, as in `- resize: 256`");
  refuse_config("train-transforms:\n  - resize: 8\n    grayscale:\n", "c.yaml:3:5: expected one transform");
  refuse_config("train-transforms:\n  - {}\n", "c.yaml:2:6: expected one transform");
  refuse_config("train-transforms:\n  - resize: {size: {a: 1}}\n", "c.yaml:2:20: expected a value or a list of values");
  refuse_config("train-transforms:\n  - resize: [[1]]\n", "c.yaml:2:14: expected a value");
  refuse_config("train-transforms: {resize: 8}\n", "c.yaml:1:19: expected a value or a list of values");
}
END_TEST

START_TEST(bad_transform_is_refused_with_its_option_and_column)
{
  ck_refuses(QUICK "--train-transforms grayscale()resiez(8)", 2, "--train-transforms: column 12: ");
  ck_contains(err_text, "did you mean 'resize'?");
  ck_refuses(QUICK "--eval-transforms resize(8", 2, "--eval-transforms: column 9: expected ',' or ')'");
  ck_refuses(QUICK "--train-transforms resize(sise=8)", 2, "`sise`");
  ck_assert(!exists("runs"));
}
END_TEST

/* Of four permutations, one at least would not give both classes the same share by chance. */
START_TEST(stratified_changes_what_is_cut_off)
{
  int different = 0;
  make_pictures("pets", 8);
  ck_assert_int_eq(rename("pets/val", "val"), 0);
  for (int seed = 0; seed < 4; seed++) {
    char arguments[256], a[64], b[64];
    for (int strata = 0; strata < 2; strata++) {
      snprintf(arguments, sizeof arguments,
               TINY SMALL_LISTS "--data-dir pets --val-split 0.5 --seed %d --stratified=%d --name %c%d", seed, strata,
               strata ? 's' : 'r', seed);
      ck_runs(arguments, 0);
    }
    snprintf(a, sizeof a, "runs/r%d/weights/last.safetensors", seed);
    snprintf(b, sizeof b, "runs/s%d/weights/last.safetensors", seed);
    different += !same_files(a, b);
  }
  ck_assert_int_gt(different, 0);
  ck_file_contains("s0", "config.yaml", "stratified: true\n");
}
END_TEST

START_TEST(memory_for_pictures_is_read_with_units)
{
  ck_runs(QUICK "--cache-memory 3K --name a", 0);
  ck_file_contains("a", "config.yaml", "cache-memory: 3072\n");
  ck_runs(QUICK "--cache-memory auto --name b", 0);
  char *text = file_of("b", "config.yaml");
  ck_lacks(text, "cache-memory");
  free(text);
  ck_refuses(QUICK "--cache-memory 3X", 2, "--cache-memory: expected auto or a number of bytes");
  ck_refuses(QUICK "--cache-memory -1", 2, "got '-1'");
  ck_refuses(QUICK "--cache-memory M", 2, "got 'M'");
  ck_refuses(QUICK "--cache-memory 9999999999999T", 2, "--cache-memory");
}
END_TEST

START_TEST(memory_and_threads_do_not_change_a_byte)
{
  make_pictures("pets", 4);
  ck_runs(TINY SMALL_LISTS "--data-dir pets --cache-memory 0 --workers 0 --epochs 2 --name a", 0);
  ck_runs(TINY SMALL_LISTS "--data-dir pets --cache-memory 1M --workers 3 --epochs 2 --name b", 0);
  ck_assert(same_files("runs/a/weights/last.safetensors", "runs/b/weights/last.safetensors"));
}
END_TEST

/* ---- bad pictures ---- */

static double bad_images(const char *run)
{
  char *text = file_of(run, "results.json");
  json_t *root = json_loads(text, 0, NULL);
  free(text);
  const json_t *n = json_object_get(root, "bad_images");
  ck_assert_msg(json_is_integer(n), "no bad_images");
  double value = (double)json_integer_value(n);
  json_decref(root);
  return value;
}

START_TEST(bad_picture_ends_the_run_with_its_name)
{
  make_pictures("pets", 2);
  write_text("pets/train/dog/1.ppm", "P6 9 9 255\ntoo short");
  ck_runs(TINY SMALL_LISTS "--data-dir pets --name x", 1);
  ck_contains(err_text, "pets/train/dog/1.ppm");
}
END_TEST

START_TEST(skipped_pictures_are_listed_counted_and_told)
{
  make_pictures("pets", 2);
  write_text("pets/train/dog/1.ppm", "no picture");
  ck_runs(TINY SMALL_LISTS "--data-dir pets --on-bad-image skip --epochs 2 --name x", 0);
  ck_assert_double_eq(bad_images("x"), 1);
  char *list = file_of("x", "bad_files.txt");
  ck_assert_msg(strncmp(list, "train/dog/1.ppm\t", 16) == 0, "bad_files.txt: %s", list);
  ck_assert_int_eq(count_lines(list), 1);
  free(list);
  ck_contains(err_text, "1 bad picture; runs/x/bad_files.txt names it");
}
END_TEST

START_TEST(run_without_bad_pictures_has_no_list_of_them)
{
  make_pictures("pets", 2);
  write_text("pets/train/dog/1.ppm", "no picture");
  ck_runs(TINY SMALL_LISTS "--data-dir pets --on-bad-image warn --name x", 0);
  ck_assert(exists("runs/x/bad_files.txt"));
  write_picture("pets/train/dog/1.ppm", 9, 9, 1);
  ck_runs(TINY SMALL_LISTS "--data-dir pets --on-bad-image warn --name x --exist-ok", 0);
  ck_assert(!exists("runs/x/bad_files.txt"));
  ck_assert_double_eq(bad_images("x"), 0);
}
END_TEST

/* ---- weights ---- */

static void read_weights_info(const char *run, dlc_weights_info *info)
{
  char path[256];
  snprintf(path, sizeof path, "runs/%s/weights/last.safetensors", run);
  ck_assert_int_eq(dlc_weights_info_read(path, info), DLC_OK);
}

START_TEST(weights_carry_what_is_needed_to_use_them)
{
  make_pictures("pets", 2);
  ck_runs(TINY "--train-transforms resize([8,8])normalize(imagenet) --eval-transforms resize([8,8])normalize(imagenet) "
               "--data-dir pets --name x",
          0);
  dlc_weights_info info;
  read_weights_info("x", &info);
  ck_assert_uint_eq(info.n_classes, 2);
  ck_assert_str_eq(info.classes[1], "dog");
  ck_assert_str_eq(info.eval_transforms, "resize([8,8])normalize(imagenet)");
  ck_contains(info.model, "name: mlp\n");
  ck_assert_int_eq(info.shape[0], 3);
  ck_assert_int_eq(info.shape[2], 8);
  ck_assert(info.bytes);
  ck_assert_float_eq_tol(info.mean[0], 0.485f, 1e-6f);
  ck_assert_float_eq_tol(info.std[2], 0.225f, 1e-6f);
  dlc_weights_info_free(&info);
}
END_TEST

START_TEST(weights_of_floats_carry_no_normalisation)
{
  ck_runs(QUICK "--train-transforms normalize(half)random_erasing --eval-transforms normalize(half) --name x", 0);
  dlc_weights_info info;
  read_weights_info("x", &info);
  ck_assert(!info.bytes);
  ck_assert_str_eq(info.eval_transforms, "normalize(half)");
  dlc_weights_info_free(&info);
}
END_TEST

/* ---- recipes ---- */

START_TEST(recipe_is_found_by_name)
{
  ck_refuses("-c net-02", 2, "--config: there is no recipe 'net-02'; did you mean 'net-002'?");
  ck_refuses("-c zzzzzzzz", 2, "there are: convnet-004, net-002; a file is written ./zzzzzzzz or zzzzzzzz.yaml");
  ck_runs("summary -c net-002 --input 3x32x32", 0);
  ck_contains(out_text, "net-002: 3x32x32, 10 classes");
  ck_contains(out_text, " 206006\n");
}
END_TEST

START_TEST(summary_shows_the_shape_after_the_transforms)
{
  make_pictures("pets", 1);
  ck_runs("summary --model convnet-004 --data-dir pets --eval-transforms resize([32,24])", 0);
  ck_contains(out_text, "convnet-004 on imagefolder: 3x32x24, 2 classes");
}
END_TEST

START_TEST(recipe_of_pictures_trains_with_all_of_its_transforms)
{
  make_pictures("pets", 2);
  ck_runs("-c convnet-004 --data-dir pets --backend reference --epochs 1 --limit-batches 1 --logger none --name x", 0);
  ck_contains(out_text, "model     convnet-004: 403082 parameters");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("data");
  tcase_add_checked_fixture(t, enter_folder, leave_folder);
  tcase_add_test(t, pictures_are_found_by_content);
  tcase_add_test(t, folder_without_data_says_what_was_looked_for);
  tcase_add_test(t, damaged_idx_files_are_not_taken_for_something_else);
  tcase_add_test(t, pictures_of_a_class_can_be_limited);
  tcase_add_test(t, unequal_classes_are_counted_one_by_one);
  tcase_add_test(t, pictures_of_many_sizes_get_usual_transforms_in_one_line);
  tcase_add_test(t, evaluation_never_takes_the_list_for_training);
  tcase_add_test(t, list_in_a_configuration_is_what_would_be_typed);
  tcase_add_test(t, none_on_the_command_line_beats_the_list_of_a_configuration);
  tcase_add_test(t, bad_list_is_refused_with_line_and_column);
  tcase_add_test(t, bad_transform_is_refused_with_its_option_and_column);
  tcase_add_test(t, stratified_changes_what_is_cut_off);
  tcase_add_test(t, memory_for_pictures_is_read_with_units);
  tcase_add_test(t, memory_and_threads_do_not_change_a_byte);
  tcase_add_test(t, bad_picture_ends_the_run_with_its_name);
  tcase_add_test(t, skipped_pictures_are_listed_counted_and_told);
  tcase_add_test(t, run_without_bad_pictures_has_no_list_of_them);
  tcase_add_test(t, weights_carry_what_is_needed_to_use_them);
  tcase_add_test(t, weights_of_floats_carry_no_normalisation);
  tcase_add_test(t, recipe_is_found_by_name);
  tcase_add_test(t, summary_shows_the_shape_after_the_transforms);
  tcase_add_test(t, recipe_of_pictures_trains_with_all_of_its_transforms);
  return run_suite("data", t);
}
