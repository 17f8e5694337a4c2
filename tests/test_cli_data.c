/* What the program does with data: which dataset is taken, lists of transforms, bad pictures, what weights carry. */
#include "picture_folder.h"
#include "program.h"
#include "train/weights_info.h"
#include <jansson.h>
#include <png.h>

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

START_TEST(pictures_without_classes_cannot_be_trained_on)
{
  make_pictures("pets", 1);
  ck_refuses(TINY "--dataset imagefolder:unlabelled=true --data-dir pets", 1,
             "dataset imagefolder: its pictures have no classes, so there is nothing to learn");
  ck_runs("data check --dataset imagefolder:unlabelled=true --data-dir pets", 0);
  ck_contains(out_text, "dataset   imagefolder: 6 test without labels");
}
END_TEST

START_TEST(pictures_of_a_class_can_be_limited)
{
  make_pictures("pets", 4);
  ck_runs(TINY SMALL_LISTS "--data-dir pets --max-samples-per-class 3 --name x", 0);
  ck_contains(out_text, "classes   2, 3 each: cat, dog");
  ck_file_contains("x", "config.yaml", "limit-per-class: 3\n");
}
END_TEST

START_TEST(any_dataset_can_be_limited)
{
  ck_runs("--dataset shapes:count=200,test-count=100 " TINY "--limit-per-class 3 --name x", 0);
  ck_contains(out_text, "dataset   shapes: 30 train, 30 test");
  ck_contains(out_text, "classes   10, 3 each: disc");
  ck_runs("eval --run runs/x --backend reference", 0);
  ck_contains(out_text, "of 30 images");
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
  refuse_config("train-transforms:\n  - {}\n", "c.yaml:2:5: expected one transform");
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
  ck_assert_str_eq(out_text, "");
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

/* A network that gives every picture the same answer is right in half of the cases, if both classes are seen. */
START_TEST(evaluation_of_few_batches_sees_all_classes)
{
  make_pictures("pets", 8);
  write_text("same.yaml", "layers: [flatten, linear: 1, layer_norm, linear: classes]\n");
  ck_runs(TINY SMALL_LISTS "--model same.yaml --lr 0 --data-dir pets --limit-batches 1 --name few", 0);
  ck_file_contains("few", "results.json", "\"val_accuracy\": 0.5,");
  ck_file_contains("few", "results.json", "\"test_accuracy\": 0.5,");
  ck_runs(TINY SMALL_LISTS "--model same.yaml --lr 0 --data-dir pets --overfit-batches 1 --name same", 0);
  ck_file_contains("same", "results.json", "\"train_accuracy\": 0.5,");
  ck_file_contains("same", "results.json", "\"val_accuracy\": 0.5,");
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

/* Sanitizers take terabytes of addresses. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
START_TEST(memory_for_pictures_is_a_part_of_what_the_process_may_have)
{
  const struct rlimit limit = {(rlim_t)1 << 30, (rlim_t)1 << 30};
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
  ck_runs(QUICK "--threads 1 --workers 1", 0);
}
END_TEST
#endif

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

START_TEST(dry_run_passes_over_bad_pictures_without_a_list)
{
  make_pictures("pets", 2);
  write_text("pets/train/dog/1.ppm", "no picture");
  ck_runs(TINY SMALL_LISTS "--data-dir pets --on-bad-image skip --dry-run", 0);
  ck_contains(err_text, "bad picture");
  ck_lacks(err_text, "cannot be written");
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
  ck_refuses("-c zzzzzzzz", 2, "there are: ");
  ck_runs("summary -c net-002 --input 3x32x32", 0);
  ck_contains(out_text, "net-002: 3x32x32, 10 classes");
  ck_contains(out_text, "206,006\n");
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
  ck_runs("-c convnet-004 --val-split 0 --data-dir pets --backend reference --epochs 1 --limit-batches 1 --logger none "
          "--name x",
          0);
  ck_contains(out_text, "model     convnet-004: 403082 parameters");
}
END_TEST

/* ---- predict ---- */

/* Weights of a tiny network for 8x8 colour pictures of cats and dogs, in runs/w. */
static void train_pets(void)
{
  make_pictures("pets", 4);
  ck_runs(TINY SMALL_LISTS "--data-dir pets --name w", 0);
}

/* Columns of the i-th line (from 0) of `text`, cut at commas; the caller frees *copy. */
static int columns_of(const char *text, int line, char **copy, char **column, int most)
{
  for (; line > 0; line--) text = strchr(text, '\n') + 1;
  *copy = strndup(text, strcspn(text, "\n"));
  int n = 0;
  for (char *c = strtok(*copy, ","); c && n < most; c = strtok(NULL, ",")) column[n++] = c;
  return n;
}

START_TEST(predictions_are_rows_of_file_label_and_probability)
{
  train_pets();
  ck_runs("predict --run runs/w pets --backend reference", 0);
  ck_assert_str_eq(err_text, "");
  ck_assert_int_eq(count_lines(out_text), 1 + 4);
  ck_assert_msg(strncmp(out_text, "file,label,probability\n", 23) == 0, "%s", out_text);
  for (int line = 1; line <= 4; line++) {
    char *copy, *column[4];
    ck_assert_int_eq(columns_of(out_text, line, &copy, column, 4), 3);
    ck_assert_msg(strncmp(column[0], "test/", 5) == 0, "file '%s'", column[0]);
    ck_assert_msg(strcmp(column[1], "cat") == 0 || strcmp(column[1], "dog") == 0, "label '%s'", column[1]);
    ck_assert_double_ge(atof(column[2]), 0.5);
    ck_assert_double_le(atof(column[2]), 1);
    free(copy);
  }
}
END_TEST

/* The share of right labels is what training measured with the same weights. */
START_TEST(predictions_agree_with_the_evaluation)
{
  train_pets();
  char *text = file_of("w", "results.json");
  json_t *root = json_loads(text, 0, NULL);
  const double accuracy = json_number_value(json_object_get(root, "test_accuracy"));
  json_decref(root);
  free(text);
  ck_runs("predict --run runs/w --data-dir pets --split test --backend reference --batch-size 3", 0);
  int right = 0;
  for (int line = 1; line <= 4; line++) {
    char *copy, *column[4];
    columns_of(out_text, line, &copy, column, 4);
    right += strstr(column[0], column[1]) != NULL;
    free(copy);
  }
  ck_assert_double_eq_tol(right / 4.0, accuracy, 1e-9);
}
END_TEST

START_TEST(predictions_do_not_depend_on_batch_threads_or_way_in)
{
  train_pets();
  ck_assert_int_eq(rename("pets/test", "flat"), 0);
  ck_runs("predict --run runs/w flat --backend reference -o a.csv", 0);
  ck_contains(out_text, "a.csv: 4 pictures\n");
  ck_runs("predict -w runs/w/weights/last.safetensors flat --backend reference --batch-size 3 --threads 3 -o b.csv", 0);
  ck_assert(same_files("a.csv", "b.csv"));
  ck_assert_int_eq(chdir("flat"), 0);
  ck_runs("predict --run ../runs/w cat/0.ppm dog/1.ppm cat/1.ppm dog/0.ppm --backend reference --topk 5", 0);
  ck_assert_int_eq(chdir(".."), 0);
  ck_assert_int_eq(count_lines(out_text), 5);
  char *a = read_file("a.csv", NULL);
  for (int line = 1; line <= 4; line++) {
    char *copy, *column[6], row[256];
    ck_assert_int_eq(columns_of(out_text, line, &copy, column, 6), 5);
    ck_assert_double_eq_tol(atof(column[2]) + atof(column[4]), 1, 1e-5);
    snprintf(row, sizeof row, "\n%s,%s,%s\n", column[0], column[1], column[2]);
    ck_contains(a, row);
    free(copy);
  }
  free(a);
}
END_TEST

START_TEST(json_holds_every_file_with_its_best_classes)
{
  train_pets();
  ck_runs("predict --run runs/w pets --backend reference --format json --topk 2", 0);
  json_error_t error;
  json_t *root = json_loads(out_text, 0, &error);
  ck_assert_msg(root != NULL, "%s", error.text);
  ck_assert_uint_eq(json_array_size(root), 4);
  const json_t *best = json_object_get(json_array_get(root, 3), "predictions");
  ck_assert_uint_eq(json_array_size(best), 2);
  ck_assert_double_ge(json_number_value(json_object_get(json_array_get(best, 0), "probability")), 0.5);
  json_decref(root);
}
END_TEST

START_TEST(submission_is_sorted_by_number_and_clipped)
{
  train_pets();
  make_folder("kaggle");
  for (int i = 1; i <= 12; i++) {
    char path[64];
    snprintf(path, sizeof path, "kaggle/%d.ppm", i);
    write_picture(path, 8 + i, 9, i);
  }
  ck_runs("predict --run runs/w kaggle --backend reference --format kaggle -o s.csv", 0);
  char *text = read_file("s.csv", NULL);
  ck_assert_msg(strncmp(text, "id,label\n", 9) == 0, "%s", text);
  ck_assert_int_eq(count_lines(text), 13);
  for (int line = 1; line <= 12; line++) {
    char *copy, *column[2];
    ck_assert_int_eq(columns_of(text, line, &copy, column, 2), 2);
    ck_assert_int_eq(atoi(column[0]), line);
    free(copy);
  }
  free(text);
  ck_runs("predict --run runs/w kaggle --backend reference --format kaggle --clip 0.5", 0);
  ck_contains(out_text, "\n12,0.5\n");
  make_folder("more");
  write_picture("more/12.ppm", 9, 9, 1);
  ck_refuses("predict --run runs/w kaggle more --backend reference --format kaggle", 1,
             "kaggle/12.ppm and more/12.ppm have the same id 12");
  write_picture("more/cat.ppm", 9, 9, 1);
  ck_refuses("predict --run runs/w more --backend reference --format kaggle", 1,
             "cat.ppm has no number in its name to be its id");
}
END_TEST

/* Kaggle's layout, as a folder and as an archive: classes by the names of files, a test split without labels. */
START_TEST(kaggle_layout_trains_as_it_is_and_its_test_split_is_predicted)
{
  make_folder("kaggle");
  make_folder("kaggle/train");
  make_folder("kaggle/test");
  for (int i = 0; i < 12; i++) {
    char path[64];
    snprintf(path, sizeof path, "kaggle/train/%s.%d.ppm", i % 2 ? "dog" : "cat", i / 2);
    write_picture(path, 9, 8 + i % 3, i);
    snprintf(path, sizeof path, "kaggle/test/%d.ppm", i + 1);
    write_picture(path, 8, 9, i);
  }
  ck_assert_int_eq(system("tar -cf kaggle.tar kaggle"), 0);
  ck_runs(TINY SMALL_LISTS "--data-dir kaggle --name a", 0);
  ck_contains(out_text, "12 test without labels");
  ck_contains(out_text, "classes   2, 6 each: cat, dog");
  ck_runs(TINY SMALL_LISTS "--data-dir kaggle.tar --name b", 0);
  ck_assert(same_files("runs/a/weights/last.safetensors", "runs/b/weights/last.safetensors"));
  ck_runs("predict --run runs/a kaggle --backend reference --format kaggle -o a.csv", 0);
  ck_runs("predict --run runs/b kaggle.tar --backend reference --format kaggle -o b.csv", 0);
  ck_contains(out_text, "b.csv: 12 pictures");
  ck_assert(same_files("a.csv", "b.csv"));
}
END_TEST

START_TEST(bad_pictures_are_left_out_of_predictions_when_asked)
{
  train_pets();
  write_text("pets/test/dog/1.ppm", "no picture");
  ck_runs("predict --run runs/w pets --backend reference", 1);
  ck_contains(err_text, "pets/test/dog/1.ppm");
  ck_assert_str_eq(out_text, "");
  ck_runs("predict --run runs/w pets --backend reference --on-bad-image skip", 0);
  ck_assert_int_eq(count_lines(out_text), 1 + 3);
  ck_lacks(out_text, "dog/1.ppm");
  ck_contains(err_text, "warning: bad picture pets/test/dog/1.ppm");
}
END_TEST

/* Weights of a data set of one size, and pictures of another. */
START_TEST(pictures_of_any_size_are_brought_to_that_of_the_weights)
{
  make_folder("photos");
  write_picture("photos/a.ppm", 40, 30, 1);
  ck_runs(QUICK "--eval-transforms normalize(half) --train-transforms normalize(half) --name w", 0);
  ck_runs("predict --run runs/w photos --backend reference -o a.csv", 0);
  ck_contains(out_text, "pictures go through resize([28, 28]) first\n");
  ck_runs("predict --run runs/w photos --backend reference --eval-transforms resize([28,28])normalize(half) -o b.csv",
          0);
  ck_lacks(out_text, "first");
  ck_assert(same_files("a.csv", "b.csv"));
}
END_TEST

START_TEST(environment_of_training_does_not_change_predictions)
{
  train_pets();
  ck_runs("predict --run runs/w pets --backend reference -o a.csv", 0);
  setenv("DLCORE_MODEL", "lenet", 1);
  setenv("DLCORE_DATA_DIR", "nowhere", 1);
  setenv("DLCORE_EVAL_TRANSFORMS", "resize(9)", 1);
  ck_runs("predict --run runs/w pets --backend reference -o b.csv", 0);
  ck_assert(same_files("a.csv", "b.csv"));
}
END_TEST

START_TEST(prediction_without_what_it_needs_says_what_is_missing)
{
  train_pets();
  ck_refuses("predict pets", 2, "predict needs --weights FILE or --run DIR");
  ck_refuses("predict --run runs/w", 2, "nothing to predict on");
  ck_refuses("predict --run runs/w pets --data-dir pets", 2, "predict takes INPUTs or --data-dir, not both");
  ck_assert_int_eq(mkdir("empty", 0777), 0);
  ck_refuses("predict --run runs/w empty --backend reference", 1,
             "an INPUT is read as pictures, other data by --data-dir: empty: no picture");
  ck_refuses("predict --run nowhere pets", 1, "nowhere/weights/last.safetensors");
  ck_refuses("predict --run runs/w nowhere --backend reference", 1, "nowhere: No such file or directory");
  ck_refuses("predict --run runs/w pets --split train2 --backend reference", 2,
             "--split: expected one of train|val|test");
  write_text("m.yaml", "layers:\n  - flatten\n  - linear: {name: other, out_features: classes}\n");
  ck_refuses("predict --run runs/w pets --model m.yaml --backend reference", 1,
             "has no `other.weight` of shape [2, 192]: it is not of this model");
  ck_refuses("predict --run runs/w pets --eval-transforms resize([9,8]) --backend reference", 1,
             "pictures come as 3x9x8, the weights are for 3x8x8");
  ck_refuses("predict --run runs/w --dataset shapes --backend reference", 1, "the weights are for 3x8x8");
}
END_TEST

/* ---- data ---- */

START_TEST(info_measures_the_pictures_to_train_on)
{
  make_pictures("pets", 1);
  for (int class = 0; class < 2; class ++) {
    FILE *f = fopen(class ? "pets/train/dog/0.ppm" : "pets/train/cat/0.ppm", "w");
    fprintf(f, "P6 1 %d 255\n%s", class ? 1 : 2, class ? "\xff\xff\xff" : "");
    for (int i = 0; !class && i < 6; i++) putc(i % 3 ? 0 : 255, f);
    ck_assert_int_eq(fclose(f), 0);
  }
  ck_runs("data info --data-dir pets", 0);
  ck_contains(out_text, "\nclass                         train        val       test\n");
  ck_contains(out_text, "\ndog                               1          1          1\n");
  ck_contains(out_text, "\nall                               2          2          2\n");
  ck_contains(out_text, "\nsize      1 to 1 wide, 1 to 2 high, colour\n");
  ck_contains(out_text, "\nmean      1.0000, 0.3333, 0.3333\n");
  ck_contains(out_text, "\nstd       0.0000, 0.4714, 0.4714\n");
}
END_TEST

START_TEST(check_names_every_bad_picture_of_every_split)
{
  make_pictures("pets", 3);
  ck_runs("data check --data-dir pets", 0);
  ck_contains(out_text, "checked   14 pictures, all can be read\n");
  write_text("pets/train/cat/2.ppm", "no picture");
  write_text("pets/test/dog/0.ppm", "P6 9 9 255\ntoo short");
  ck_runs("data check --data-dir pets --threads 3", 1);
  ck_contains(out_text, "\nbad in train: pets/train/cat/2.ppm: ");
  ck_contains(out_text, "\nbad in test: pets/test/dog/0.ppm: ");
  ck_assert_str_eq(err_text, "dlcore: 2 of 14 pictures are bad\n");
}
END_TEST

/* An image as RGB; the caller frees its pixels. */
static unsigned char *read_png(const char *path, png_image *image)
{
  *image = (png_image){.version = PNG_IMAGE_VERSION};
  ck_assert_msg(png_image_begin_read_from_file(image, path), "%s: %s", path, image->message);
  image->format = PNG_FORMAT_RGB;
  unsigned char *pixels = malloc(PNG_IMAGE_SIZE(*image));
  ck_assert_msg(png_image_finish_read(image, NULL, pixels, 0, NULL), "%s: %s", path, image->message);
  return pixels;
}

START_TEST(grid_shows_what_the_network_sees_without_its_normalisation)
{
  make_pictures("pets", 5);
  for (int i = 0; i < 5; i++) {
    char path[64];
    snprintf(path, sizeof path, "pets/train/cat/%d.ppm", i);
    write_picture(path, 8, 8, i);
  }
  ck_runs("data grid --data-dir pets --train-transforms center_crop(8) -o a.png", 0);
  ck_contains(out_text, "cat, cat, cat, cat, cat, dog, dog, dog\ndog, dog\n");
  png_image image;
  unsigned char *pixels = read_png("a.png", &image);
  ck_assert_uint_eq(image.width, 8 * 10 + 2);
  ck_assert_uint_eq(image.height, 2 * 10 + 2);
  for (int x = 0; x < 8 * 10 + 2; x++) ck_assert_uint_eq(pixels[3 * x], 0);
  /* The second picture begins in column 12 of line 2; its kind is 1. */
  const unsigned char *at = pixels + 3 * (2 * image.width + 12 + 3);
  ck_assert_uint_eq(at[0], 40);
  ck_assert_uint_eq(at[1], 21);
  ck_assert_uint_eq(at[2], 246);
  free(pixels);
  ck_runs("data grid --data-dir pets --train-transforms center_crop(8)normalize(imagenet) -o b.png", 0);
  ck_assert(same_files("a.png", "b.png"));
}
END_TEST

START_TEST(grid_is_random_by_the_seed_and_of_training_alone)
{
  static const char *const list =
      "--train-transforms center_crop(8)random_crop(8,padding=4) --eval-transforms center_crop(8)";
  static const char *const more[] = {"--seed 1 -o a.png", "--seed 1 -o b.png", "--seed 2 -o c.png",
                                     "--seed 1 --split val -o d.png", "--seed 2 --split val -o e.png"};
  make_pictures("pets", 4);
  for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
    char arguments[512];
    snprintf(arguments, sizeof arguments, "data grid --data-dir pets %s %s", list, more[i]);
    ck_runs(arguments, 0);
  }
  ck_assert(same_files("a.png", "b.png"));
  ck_assert(!same_files("a.png", "c.png"));
  ck_assert(same_files("d.png", "e.png"));
}
END_TEST

START_TEST(extracted_files_are_those_of_the_source)
{
  make_pictures("pets", 1);
  ck_runs("data extract pets copy", 0);
  ck_contains(out_text, "copy: 6 files, ");
  ck_assert(same_files("pets/val/dog/0.ppm", "copy/val/dog/0.ppm"));
  ck_refuses("data extract pets copy", 1, "copy/");
  ck_assert_int_eq(unlink("copy/val/dog/0.ppm"), 0);
  ck_runs("data extract pets copy --exist-ok", 0);
  ck_contains(out_text, "copy: 1 file, ");
}
END_TEST

START_TEST(part_of_data_that_is_none_gets_the_nearest)
{
  ck_refuses("data", 2, "expected dlcore data info, check, grid or extract");
  ck_refuses("data chekc", 2, "did you mean 'check'?");
  ck_refuses("data info pets", 2, "unexpected argument 'pets'; where the data is says --data-dir");
  ck_refuses("data extract pets", 2, "expected dlcore data extract ARCHIVE DIR");
  ck_refuses("data grid --dataset shapes --split val", 2, "--split: dataset shapes has no split 'val'");
  ck_refuses("data check --epochs 3", 2, "--epochs is not an option of dlcore data");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("data");
  tcase_add_checked_fixture(t, enter_folder, leave_folder);
  tcase_add_test(t, pictures_are_found_by_content);
  tcase_add_test(t, folder_without_data_says_what_was_looked_for);
  tcase_add_test(t, damaged_idx_files_are_not_taken_for_something_else);
  tcase_add_test(t, pictures_without_classes_cannot_be_trained_on);
  tcase_add_test(t, pictures_of_a_class_can_be_limited);
  tcase_add_test(t, any_dataset_can_be_limited);
  tcase_add_test(t, unequal_classes_are_counted_one_by_one);
  tcase_add_test(t, pictures_of_many_sizes_get_usual_transforms_in_one_line);
  tcase_add_test(t, evaluation_never_takes_the_list_for_training);
  tcase_add_test(t, list_in_a_configuration_is_what_would_be_typed);
  tcase_add_test(t, none_on_the_command_line_beats_the_list_of_a_configuration);
  tcase_add_test(t, bad_list_is_refused_with_line_and_column);
  tcase_add_test(t, bad_transform_is_refused_with_its_option_and_column);
  tcase_add_test(t, stratified_changes_what_is_cut_off);
  tcase_add_test(t, evaluation_of_few_batches_sees_all_classes);
  tcase_add_test(t, memory_for_pictures_is_read_with_units);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  tcase_add_test(t, memory_for_pictures_is_a_part_of_what_the_process_may_have);
#endif
  tcase_add_test(t, memory_and_threads_do_not_change_a_byte);
  tcase_add_test(t, bad_picture_ends_the_run_with_its_name);
  tcase_add_test(t, skipped_pictures_are_listed_counted_and_told);
  tcase_add_test(t, dry_run_passes_over_bad_pictures_without_a_list);
  tcase_add_test(t, run_without_bad_pictures_has_no_list_of_them);
  tcase_add_test(t, weights_carry_what_is_needed_to_use_them);
  tcase_add_test(t, weights_of_floats_carry_no_normalisation);
  tcase_add_test(t, recipe_is_found_by_name);
  tcase_add_test(t, summary_shows_the_shape_after_the_transforms);
  tcase_add_test(t, recipe_of_pictures_trains_with_all_of_its_transforms);
  tcase_add_test(t, predictions_are_rows_of_file_label_and_probability);
  tcase_add_test(t, predictions_agree_with_the_evaluation);
  tcase_add_test(t, predictions_do_not_depend_on_batch_threads_or_way_in);
  tcase_add_test(t, json_holds_every_file_with_its_best_classes);
  tcase_add_test(t, submission_is_sorted_by_number_and_clipped);
  tcase_add_test(t, kaggle_layout_trains_as_it_is_and_its_test_split_is_predicted);
  tcase_add_test(t, bad_pictures_are_left_out_of_predictions_when_asked);
  tcase_add_test(t, pictures_of_any_size_are_brought_to_that_of_the_weights);
  tcase_add_test(t, environment_of_training_does_not_change_predictions);
  tcase_add_test(t, prediction_without_what_it_needs_says_what_is_missing);
  tcase_add_test(t, info_measures_the_pictures_to_train_on);
  tcase_add_test(t, check_names_every_bad_picture_of_every_split);
  tcase_add_test(t, grid_shows_what_the_network_sees_without_its_normalisation);
  tcase_add_test(t, grid_is_random_by_the_seed_and_of_training_alone);
  tcase_add_test(t, extracted_files_are_those_of_the_source);
  tcase_add_test(t, part_of_data_that_is_none_gets_the_nearest);
  return run_suite("data", t);
}
