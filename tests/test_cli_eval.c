/* dlcore eval: what it measures is what training measured, on the part of the data that is meant, and told in full. */
#include "picture_folder.h"
#include "program.h"
#include "train/weights_info.h"
#include <jansson.h>
#include <math.h>

#define EVAL "eval --backend reference "
#define PETS                                                                                                           \
  "--backend reference --model mlp --batch-size 4 --epochs 1 --logger none "                                           \
  "--train-transforms resize([8,8]) --eval-transforms resize([8,8]) --data-dir pets --name w "
#define MODEL "runs/w/weights/last.safetensors"

/* What `dlcore eval ... --json` prints; the caller's. */
static json_t *evaluate(const char *arguments)
{
  char line[512];
  snprintf(line, sizeof line, EVAL "%s --json", arguments);
  ck_runs(line, 0);
  json_t *root = json_loads(out_text, 0, NULL);
  ck_assert_msg(root != NULL, "no JSON: %s", out_text);
  return root;
}

static double number_in(const json_t *root, const char *key)
{
  const json_t *value = json_object_get(root, key);
  ck_assert_msg(json_is_number(value), "no number '%s'", key);
  return json_number_value(value);
}

static double result_of_run(const char *key)
{
  char *text = read_file("runs/w/results.json", NULL);
  json_t *root = json_loads(text, 0, NULL);
  const double value = number_in(root, key);
  json_decref(root);
  free(text);
  return value;
}

static int64_t cell(const json_t *root, size_t actual, size_t predicted)
{
  const json_t *rows = json_object_get(root, "confusion_matrix");
  return json_integer_value(json_array_get(json_array_get(rows, actual), predicted));
}

#define ck_near(value, expected)                                                                                       \
  do {                                                                                                                 \
    const double value_ = (value), expected_ = (expected);                                                             \
    ck_assert_msg(fabs(value_ - expected_) <= 1e-6 * fabs(expected_), #value " is %.9g, expected %.9g", value_,        \
                  expected_);                                                                                          \
  } while (0)

/* ---- what is measured ---- */

START_TEST(evaluation_agrees_with_training)
{
  ck_runs(QUICK "--name w", 0);
  json_t *root = evaluate("--run runs/w --batch-size 7");
  ck_near(number_in(root, "loss"), result_of_run("test_loss"));
  ck_near(number_in(root, "top1"), result_of_run("test_accuracy"));
  ck_near(number_in(root, "top5"), result_of_run("test_top5"));
  ck_assert_int_eq((int)number_in(root, "images"), 32);
  ck_assert_str_eq(json_string_value(json_object_get(root, "split")), "test");
  json_decref(root);
}
END_TEST

/* The losses agree: what is left out of the rows is a part of what they are logarithms of. */
START_TEST(a_model_may_have_more_outputs_than_there_are_classes)
{
  write_text("wide.yaml", "classes: 40\nlayers: [flatten, linear: classes]\n");
  ck_runs(QUICK "--model wide.yaml --name w", 0);
  json_t *root = evaluate("--run runs/w --batch-size 7");
  ck_near(number_in(root, "loss"), result_of_run("test_loss"));
  ck_near(number_in(root, "top1"), result_of_run("test_accuracy"));
  json_decref(root);
}
END_TEST

/* The loss that was trained with, by its own name. */
START_TEST(loss_is_the_one_of_the_training)
{
  static const char *const losses[][2] = {
      {"mse_loss", "mse_loss"},
      {"bce_with_logits", "bce_with_logits"},
      {"cross_entropy --label-smoothing 0.1", "cross_entropy:label_smoothing=0.1"},
  };
  char arguments[512];
  for (size_t i = 0; i < 3; i++) {
    snprintf(arguments, sizeof arguments, QUICK "--name w --exist-ok --loss %s", losses[i][0]);
    ck_runs(arguments, 0);
    json_t *root = evaluate("--weights " MODEL " --run runs/w --batch-size 7");
    ck_assert_str_eq(json_string_value(json_object_get(root, "criterion")), losses[i][1]);
    ck_near(number_in(root, "loss"), result_of_run("test_loss"));
    json_decref(root);
  }
  ck_runs(EVAL "--run runs/w", 0);
  ck_contains(out_text, " (cross_entropy:label_smoothing=0.1), top-1 ");
}
END_TEST

/* In batches of any size, some of them without weight. */
START_TEST(class_weights_count_in_the_loss)
{
  ck_runs(QUICK "--name w --class-weights 1,2,3,4,0,0,0,8,9,0.5 --val-batch-size 1", 0);
  json_t *single = evaluate("--run runs/w");
  ck_near(number_in(single, "loss"), result_of_run("test_loss"));
  json_decref(single);
  ck_runs(QUICK "--name w --exist-ok --class-weights 1,2,3,4,5,6,7,8,9,0.5 --val-batch-size 5", 0);
  json_t *root = evaluate("--run runs/w --batch-size 7"), *plain = evaluate("--run runs/w --loss cross_entropy");
  ck_near(number_in(root, "loss"), result_of_run("test_loss"));
  ck_assert_double_eq(json_number_value(json_array_get(json_object_get(root, "class_weights"), 8)), 9);
  ck_assert_double_ne(number_in(root, "loss"), number_in(plain, "loss"));
  ck_assert_ptr_null(json_object_get(plain, "class_weights"));
  json_decref(root);
  json_decref(plain);
  ck_runs(EVAL "--run runs/w", 0);
  ck_contains(out_text, " (cross_entropy, class weights), top-1 ");
  ck_refuses(EVAL "--run runs/w --loss adam", 2, "--loss: adam is an op, but no loss such as cross_entropy");
}
END_TEST

/* Average and all. */
START_TEST(checkpoints_are_evaluated_as_the_weights_of_their_epoch)
{
  ck_runs(QUICK "--name w --lr 0.05 --model-ema 0.5 --label-smoothing 0.1", 0);
  json_t *weights = evaluate("--run runs/w --weights " MODEL),
         *checkpoint = evaluate("--run runs/w --weights runs/w/checkpoints/last.safetensors");
  json_object_del(weights, "weights");
  json_object_del(checkpoint, "weights");
  ck_assert(json_equal(weights, checkpoint));
  json_decref(weights);
  json_decref(checkpoint);
  ck_runs("predict --backend reference --dataset shapes:test-count=9 --weights " MODEL " -o a.csv", 0);
  ck_runs("predict --backend reference --dataset shapes:test-count=9 --weights runs/w/checkpoints/last.safetensors "
          "-o b.csv",
          0);
  ck_assert(same_files("a.csv", "b.csv"));
}
END_TEST

START_TEST(matrix_and_classes_count_every_picture_once)
{
  ck_runs(QUICK "--name w", 0);
  json_t *root = evaluate("--run runs/w");
  const json_t *classes = json_object_get(root, "classes");
  int64_t all = 0, right = 0;
  for (size_t i = 0; i < json_array_size(classes); i++) {
    int64_t row = 0;
    for (size_t k = 0; k < json_array_size(classes); k++) row += cell(root, i, k);
    ck_assert_int_eq(row, (int)number_in(json_array_get(classes, i), "count"));
    right += cell(root, i, i);
    all += row;
  }
  ck_assert_int_eq(all, 32);
  ck_near((double)right / 32, number_in(root, "top1"));
  json_decref(root);
}
END_TEST

START_TEST(validation_part_is_the_one_of_the_run)
{
  ck_runs(QUICK "--name w --val-split 0.25 --stratified --seed 5", 0);
  json_t *own = evaluate("--run runs/w --split val"), *other = evaluate("--run runs/w --split val --seed 6");
  ck_near(number_in(own, "loss"), result_of_run("val_loss"));
  ck_near(number_in(own, "top1"), result_of_run("val_accuracy"));
  ck_assert_int_eq((int)number_in(own, "images"), 16);
  ck_assert_double_ne(number_in(own, "loss"), number_in(other, "loss"));
  json_decref(own);
  json_decref(other);
}
END_TEST

START_TEST(training_part_is_what_validation_leaves)
{
  ck_runs(QUICK "--name w --val-split 0.25", 0);
  json_t *root = evaluate("--run runs/w --split train");
  ck_assert_int_eq((int)number_in(root, "images"), 48);
  json_decref(root);
}
END_TEST

START_TEST(val_is_taken_where_there_is_no_test)
{
  make_pictures("pets", 4);
  ck_assert_int_eq(rename("pets/test", "away"), 0);
  ck_runs(PETS, 0);
  json_t *root = evaluate("--run runs/w");
  ck_assert_str_eq(json_string_value(json_object_get(root, "split")), "val");
  ck_near(number_in(root, "loss"), result_of_run("val_loss"));
  json_decref(root);
}
END_TEST

START_TEST(environment_of_training_does_not_change_what_a_run_is_evaluated_on)
{
  ck_runs(QUICK "--name w --val-split 0.25", 0);
  setenv("DLCORE_DATASET", "fashion-mnist", 1);
  setenv("DLCORE_VAL_SPLIT", "3", 1);
  setenv("DLCORE_DATA_DIR", "nowhere", 1);
  json_t *root = evaluate("--run runs/w --split val");
  unsetenv("DLCORE_DATASET");
  unsetenv("DLCORE_VAL_SPLIT");
  unsetenv("DLCORE_DATA_DIR");
  ck_assert_int_eq((int)number_in(root, "images"), 16);
  json_decref(root);
}
END_TEST

START_TEST(command_line_wins_over_the_run)
{
  ck_runs(QUICK "--name w", 0);
  json_t *root = evaluate("--run runs/w --dataset shapes:count=64,test-count=9");
  ck_assert_int_eq((int)number_in(root, "images"), 9);
  json_decref(root);
}
END_TEST

/* ---- which weights ---- */

static void copy_file(const char *from, const char *to)
{
  size_t n;
  char *bytes = read_file(from, &n);
  FILE *f = fopen(to, "w");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
  ck_assert_int_eq(fclose(f), 0);
  free(bytes);
}

START_TEST(best_weights_come_before_the_last_and_named_ones_before_both)
{
  ck_runs(QUICK "--name w", 0);
  if (!exists("runs/w/weights/best.safetensors")) copy_file(MODEL, "runs/w/weights/best.safetensors");
  json_t *root = evaluate("--run runs/w");
  ck_assert_str_eq(json_string_value(json_object_get(root, "weights")), "runs/w/weights/best.safetensors");
  json_decref(root);
  root = evaluate("--run runs/w --weights " MODEL);
  ck_assert_str_eq(json_string_value(json_object_get(root, "weights")), MODEL);
  json_decref(root);
}
END_TEST

START_TEST(weights_by_themselves_need_data_and_write_nothing)
{
  ck_runs(QUICK "--name w", 0);
  ck_refuses(EVAL "--weights " MODEL, 2, "nothing to evaluate on: give --dataset, --data-dir or --run");
  ck_runs(EVAL "--weights " MODEL " --dataset shapes:count=64,test-count=32", 0);
  ck_contains(out_text, " of 32 images\n");
  ck_lacks(out_text, "written");
  ck_assert(!exists("runs/w/eval"));
}
END_TEST

/* ---- classes ---- */

/* The same weights, whose two classes have each other's names. */
static void swap_classes(const char *path)
{
  dlc_tensor_file file;
  dlc_weights_info info;
  ck_assert_int_eq(dlc_safetensors_read(path, &file), DLC_OK);
  ck_assert_int_eq(dlc_weights_info_read(path, &info), DLC_OK);
  info.classes = (const char *const[]){info.classes[1], info.classes[0]};
  ck_assert_int_eq(dlc_weights_write(path, file.tensors, file.n, &info), DLC_OK);
  dlc_weights_info_free(&info);
  dlc_safetensors_free(&file);
}

/* The network's first class is what the weights call so, whichever number the data set gives it. */
START_TEST(classes_are_matched_by_name)
{
  make_pictures("pets", 4);
  ck_runs(PETS, 0);
  json_t *before = evaluate("--run runs/w --weights " MODEL);
  swap_classes(MODEL);
  json_t *after = evaluate("--run runs/w --weights " MODEL);
  for (size_t i = 0; i < 2; i++)
    for (size_t k = 0; k < 2; k++) ck_assert_int_eq(cell(after, i, k), cell(before, 1 - i, k));
  json_decref(before);
  json_decref(after);
}
END_TEST

START_TEST(other_classes_are_refused_by_name)
{
  make_pictures("pets", 4);
  ck_runs(PETS, 0);
  ck_assert_int_eq(rename("pets/train/dog", "pets/train/fox"), 0);
  ck_assert_int_eq(rename("pets/val/dog", "pets/val/fox"), 0);
  ck_assert_int_eq(rename("pets/test/dog", "pets/test/fox"), 0);
  ck_refuses(EVAL "--run runs/w", 1,
             "class 1 of dataset imagefolder is 'fox', which the weights don't know; theirs is 'dog'");
  ck_runs(EVAL "--run runs/w --dataset shapes", 1);
  ck_contains(err_text, "dataset shapes has 10 classes, the weights know 2");
}
END_TEST

/* ---- bad pictures ---- */

START_TEST(bad_pictures_are_left_out_when_the_run_did_so)
{
  make_pictures("pets", 4);
  ck_runs(PETS "--on-bad-image skip", 0);
  write_text("pets/test/dog/1.ppm", "no picture");
  json_t *root = evaluate("--run runs/w");
  ck_contains(err_text, "warning: bad picture pets/test/dog/1.ppm");
  ck_assert_int_eq((int)number_in(root, "images"), 3);
  ck_assert_int_eq((int)number_in(root, "bad_images"), 1);
  json_decref(root);
  ck_runs(EVAL "--run runs/w --on-bad-image fail", 1);
  ck_contains(err_text, "pets/test/dog/1.ppm");
}
END_TEST

/* ---- how it is told ---- */

START_TEST(text_has_measures_a_table_of_classes_and_the_confused)
{
  make_pictures("pets", 4);
  ck_runs(PETS, 0);
  ck_runs(EVAL "--run runs/w", 0);
  ck_contains(out_text, "test      loss ");
  ck_contains(out_text, " of 4 images\n");
  ck_lacks(out_text, "top-5");
  ck_contains(out_text, "\nclass   precision    recall        f1    count\n");
  ck_contains(out_text, "\ncat    ");
  ck_contains(out_text, "\nmean   ");
  ck_contains(out_text, "written   runs/w/eval/test: results.json, confusion_matrix.csv, confusion_matrix.svg\n");
}
END_TEST

START_TEST(json_of_the_file_is_the_one_that_is_printed)
{
  ck_runs(QUICK "--name w", 0);
  ck_runs(EVAL "--run runs/w -o here/there --json", 0);
  char *text = read_file("here/there/results.json", NULL);
  ck_assert_str_eq(out_text, text);
  ck_assert(!exists("runs/w/eval"));
  ck_contains(text, " \"confusion_matrix\": [\n  [");
  ck_assert_int_eq(count_lines(strstr(text, "\"confusion_matrix\"")), 13); /* a row a line */
  free(text);
}
END_TEST

START_TEST(top5_is_there_with_more_than_five_classes)
{
  char path[64];
  make_folder("many");
  for (int s = 0; s < 2; s++)
    for (int c = 0; c < 6; c++) {
      snprintf(path, sizeof path, "many/%s", s ? "test" : "train");
      make_folder(path);
      snprintf(path, sizeof path, "many/%s/c%d", s ? "test" : "train", c);
      make_folder(path);
      snprintf(path, sizeof path, "many/%s/c%d/a.ppm", s ? "test" : "train", c);
      write_picture(path, 8, 8, c);
    }
  ck_runs("--backend reference --model mlp --epochs 1 --logger none --train-transforms resize([8,8]) "
          "--eval-transforms resize([8,8]) --data-dir many --name w",
          0);
  json_t *root = evaluate("--run runs/w");
  ck_assert_double_ge(number_in(root, "top5"), number_in(root, "top1"));
  json_decref(root);
  ck_runs(EVAL "--run runs/w", 0);
  ck_contains(out_text, ", top-5 ");
}
END_TEST

/* Names that CSV, XML and JSON each must write in their own way. */
START_TEST(names_of_classes_are_written_as_each_format_wants)
{
  static const char *const splits[] = {"pets/train", "pets/val", "pets/test"};
  char from[64], to[64];
  make_pictures("pets", 2);
  for (int s = 0; s < 3; s++) {
    snprintf(from, sizeof from, "%s/cat", splits[s]);
    snprintf(to, sizeof to, "%s/a, \"<b>\" & c", splits[s]);
    ck_assert_int_eq(rename(from, to), 0);
    snprintf(from, sizeof from, "%s/dog", splits[s]);
    snprintf(to, sizeof to, "%s/\xff\xfe", splits[s]);
    ck_assert_int_eq(rename(from, to), 0);
  }
  ck_runs(PETS, 0);
  ck_runs(EVAL "--run runs/w -o e", 0);
  char *csv = read_file("e/confusion_matrix.csv", NULL), *svg = read_file("e/confusion_matrix.svg", NULL);
  ck_contains(csv, "actual,\"a, \"\"<b>\"\" & c\",??\n\"a, ");
  ck_assert_int_eq(count_lines(csv), 3);
  ck_contains(svg, "a, \"&lt;b&gt;\" &amp; c");
  ck_lacks(svg, "<b>");
  free(csv);
  free(svg);
  if (system("command -v xmllint >/dev/null") == 0) ck_assert_int_eq(system("xmllint --noout e/*.svg"), 0);
}
END_TEST

START_TEST(results_do_not_depend_on_threads_or_batches)
{
  ck_runs(QUICK "--name w", 0);
  ck_runs(EVAL "--run runs/w -o a --threads 1 --batch-size 32", 0);
  ck_runs(EVAL "--run runs/w -o b --threads 3 --batch-size 5", 0);
  ck_assert(same_files("a/results.json", "b/results.json"));
  ck_assert(same_files("a/confusion_matrix.svg", "b/confusion_matrix.svg"));
}
END_TEST

/* ---- what is wrong ---- */

START_TEST(evaluation_without_what_it_needs_says_what_is_missing)
{
  ck_refuses("eval", 2, "eval needs --run DIR or --weights FILE");
  ck_refuses("eval --run nowhere", 1, "nowhere/config.yaml");
  ck_runs(QUICK "--name w", 0);
  ck_refuses(EVAL "--run runs/w --split val", 2,
             "dataset shapes has no val split; --val-split cuts one off its training data");
  ck_refuses(EVAL "--run runs/w --split some", 2, "--split: expected one of train|val|test, got 'some'");
  ck_refuses(EVAL "--run runs/w photos", 2, "unexpected argument 'photos'");
  write_text("file", "");
  ck_runs(EVAL "--run runs/w -o file/x", 1);
  ck_contains(err_text, "cannot make the folder file");
}
END_TEST

START_TEST(data_that_is_gone_is_said_to_be_the_runs)
{
  make_pictures("pets", 2);
  ck_runs(PETS, 0);
  ck_assert_int_eq(rename("pets", "away"), 0);
  ck_refuses(EVAL "--run runs/w", 1, "the data of runs/w: --data-dir: pets: No such file or directory");
  ck_runs(EVAL "--run runs/w --data-dir away", 0);
}
END_TEST

START_TEST(pictures_without_labels_cannot_be_evaluated_on)
{
  make_pictures("pets", 2);
  ck_runs(PETS, 0);
  ck_refuses(EVAL "--run runs/w --dataset imagefolder:unlabelled=true", 1,
             "split test of dataset imagefolder has no labels to compare with; dlcore predict names its pictures");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("eval");
  tcase_add_checked_fixture(t, enter_folder, leave_folder);
  tcase_add_test(t, evaluation_agrees_with_training);
  tcase_add_test(t, a_model_may_have_more_outputs_than_there_are_classes);
  tcase_add_test(t, loss_is_the_one_of_the_training);
  tcase_add_test(t, class_weights_count_in_the_loss);
  tcase_add_test(t, checkpoints_are_evaluated_as_the_weights_of_their_epoch);
  tcase_add_test(t, matrix_and_classes_count_every_picture_once);
  tcase_add_test(t, validation_part_is_the_one_of_the_run);
  tcase_add_test(t, training_part_is_what_validation_leaves);
  tcase_add_test(t, val_is_taken_where_there_is_no_test);
  tcase_add_test(t, environment_of_training_does_not_change_what_a_run_is_evaluated_on);
  tcase_add_test(t, command_line_wins_over_the_run);
  tcase_add_test(t, best_weights_come_before_the_last_and_named_ones_before_both);
  tcase_add_test(t, weights_by_themselves_need_data_and_write_nothing);
  tcase_add_test(t, classes_are_matched_by_name);
  tcase_add_test(t, other_classes_are_refused_by_name);
  tcase_add_test(t, bad_pictures_are_left_out_when_the_run_did_so);
  tcase_add_test(t, text_has_measures_a_table_of_classes_and_the_confused);
  tcase_add_test(t, json_of_the_file_is_the_one_that_is_printed);
  tcase_add_test(t, top5_is_there_with_more_than_five_classes);
  tcase_add_test(t, names_of_classes_are_written_as_each_format_wants);
  tcase_add_test(t, results_do_not_depend_on_threads_or_batches);
  tcase_add_test(t, evaluation_without_what_it_needs_says_what_is_missing);
  tcase_add_test(t, data_that_is_gone_is_said_to_be_the_runs);
  tcase_add_test(t, pictures_without_labels_cannot_be_evaluated_on);
  return run_suite("eval", t);
}
