/* Layers that are built of nodes, with states and random numbers of their own: dropout, and one of a plugin. */
#include "program.h"
#include "train/safetensors.h"
#include <jansson.h>

#define TRAIN                                                                                                          \
  "--plugin-path . --dataset shapes:count=64,test-count=32 --model m.yaml --batch-size 16 --logger none "              \
  "--no-progress --exist-ok "

static void enter(const char *model)
{
  enter_folder();
  write_text("m.yaml", model);
  ck_assert_int_eq(system("cc -std=c11 -Wall -Wextra -Wpedantic -Werror -shared -fPIC -fvisibility=hidden"
                          " -I" TEST_SDK_INCLUDE " " TEST_SOURCE_DIR "/fixtures/jitter.c -o dlcore-odd.so"),
                   0);
}

static const char with_jitter[] = "layers: [flatten, odd.jitter: {name: noise, amount: 0.5}, linear: classes]\n";

static int64_t steps_in(const char *path)
{
  dlc_tensor_file file;
  ck_assert_int_eq(dlc_safetensors_read(path, &file), DLC_OK);
  const dlc_tensor *t = dlc_tensor_find(&file, "noise.steps");
  ck_assert_ptr_nonnull(t);
  ck_assert_uint_eq(t->dtype, DLC_I64);
  const int64_t steps = *(const int64_t *)t->data;
  dlc_safetensors_free(&file);
  return steps;
}

static double number_in(const char *path, const char *key)
{
  json_error_t error;
  json_t *root = json_load_file(path, 0, &error);
  ck_assert_msg(root != NULL, "%s: %s", path, error.text);
  ck_assert_msg(json_is_number(json_object_get(root, key)), "%s has no %s", path, key);
  const double value = json_number_value(json_object_get(root, key));
  json_decref(root);
  return value;
}

START_TEST(a_state_is_changed_in_training_alone_and_saved_with_the_weights)
{
  enter(with_jitter);
  ck_runs(TRAIN "--epochs 3 --name a", 0); /* 4 steps and 2 batches of evaluation an epoch */
  ck_assert_int_eq(steps_in("runs/a/weights/last.safetensors"), 112);
  leave_folder();
}
END_TEST

START_TEST(a_state_that_is_loaded_goes_on_from_there)
{
  enter(with_jitter);
  ck_runs(TRAIN "--epochs 1 --name a", 0);
  ck_runs(TRAIN "--epochs 1 --name b --init-from runs/a/weights/last.safetensors", 0);
  ck_assert_int_eq(steps_in("runs/b/weights/last.safetensors"), 108);
  leave_folder();
}
END_TEST

START_TEST(a_resumed_run_counts_and_draws_on)
{
  enter(with_jitter);
  ck_runs(TRAIN "--epochs 3 --name a", 0);
  ck_runs(TRAIN "--epochs 1 --name b", 0);
  ck_runs("--resume runs/b --epochs 3 --no-progress", 0);
  ck_assert_int_eq(steps_in("runs/b/weights/last.safetensors"), 112);
  ck_assert(same_files("runs/a/weights/last.safetensors", "runs/b/weights/last.safetensors"));
  leave_folder();
}
END_TEST

/* As without the layer: the same weights give the same loss. */
START_TEST(evaluation_builds_the_layer_otherwise)
{
  enter(with_jitter);
  ck_runs(TRAIN "--epochs 1 --name a", 0);
  write_text("m.yaml", "layers: [flatten, linear: {name: 2, out_features: classes}]\n");
  ck_runs(TRAIN "--epochs 1 --lr 0 --name b --init-from runs/a/weights/last.safetensors", 0);
  ck_assert_double_eq(number_in("runs/a/results.json", "test_loss"), number_in("runs/b/results.json", "test_loss"));
  ck_assert_double_ne(number_in("runs/a/results.json", "train_loss"), number_in("runs/b/results.json", "train_loss"));
  leave_folder();
}
END_TEST

static const char *const random_models[] = {
    with_jitter,
    "layers: [flatten, dropout, linear: 16, relu, dropout: 0.25, linear: classes]\n",
    "layers: [conv2d: {out_channels: 8, kernel_size: 3}, dropout2d: 0.3, flatten, linear: classes]\n",
};

START_TEST(random_numbers_are_functions_of_the_seed)
{
  enter(random_models[_i]);
  ck_runs(TRAIN "--epochs 2 --seed 3 --threads 1 --name a", 0);
  ck_runs(TRAIN "--epochs 2 --seed 3 --threads 4 --name b", 0);
  ck_runs(TRAIN "--epochs 2 --seed 4 --name c --init-from runs/a/weights/last.safetensors", 0);
  ck_runs(TRAIN "--epochs 2 --seed 5 --name d --init-from runs/a/weights/last.safetensors --no-shuffle", 0);
  ck_runs(TRAIN "--epochs 2 --seed 4 --name e --init-from runs/a/weights/last.safetensors --no-shuffle", 0);
  ck_assert(same_files("runs/a/weights/last.safetensors", "runs/b/weights/last.safetensors"));
  ck_assert(!same_files("runs/c/weights/last.safetensors", "runs/a/weights/last.safetensors"));
  ck_assert_msg(number_in("runs/d/results.json", "train_loss") != number_in("runs/e/results.json", "train_loss"),
                "the same data in the same order gives the same loss, whatever the seed");
  leave_folder();
}
END_TEST

START_TEST(a_probability_above_one_is_refused)
{
  enter("layers: [flatten, dropout: 1.5, linear: classes]\n");
  ck_refuses(TRAIN "--name a", 1, "p is 1.5, expected 0 to 1");
  leave_folder();
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("built layers");
  tcase_add_test(tests, a_state_is_changed_in_training_alone_and_saved_with_the_weights);
  tcase_add_test(tests, a_state_that_is_loaded_goes_on_from_there);
  tcase_add_test(tests, a_resumed_run_counts_and_draws_on);
  tcase_add_test(tests, evaluation_builds_the_layer_otherwise);
  tcase_add_loop_test(tests, random_numbers_are_functions_of_the_seed, 0, 3);
  tcase_add_test(tests, a_probability_above_one_is_refused);
  return run_suite("built layers", tests);
}
