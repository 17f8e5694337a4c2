/* Going on, giving up, keeping what is best: --resume, --patience, --freeze, --init-from and what else shapes a run
 * from the command line. */
#include "base/status.h"
#include "program.h"
#include "train/safetensors.h"
#include <fcntl.h>
#include <sys/file.h>

static const dlc_tensor *tensor(const dlc_tensor_file *file, const char *name)
{
  const dlc_tensor *t = dlc_tensor_find(file, name);
  ck_assert_msg(t != NULL, "no tensor %s", name);
  return t;
}

static void read_tensors(const char *path, dlc_tensor_file *file)
{
  ck_assert_msg(dlc_safetensors_read(path, file) == DLC_OK, "%s", dlc_reason());
}

static bool same_tensor(const char *a, const char *b, const char *name)
{
  dlc_tensor_file x, y;
  read_tensors(a, &x);
  read_tensors(b, &y);
  const bool same = memcmp(tensor(&x, name)->data, tensor(&y, name)->data, dlc_tensor_bytes(tensor(&x, name))) == 0;
  dlc_safetensors_free(&x);
  dlc_safetensors_free(&y);
  return same;
}

/* ---- resume ---- */

START_TEST(resumed_run_takes_the_options_of_its_folder)
{
  ck_runs(QUICK "--epochs 3 --opt sgd --lr 0.05 --name whole", 0);
  ck_runs(QUICK "--epochs 2 --opt sgd --lr 0.05 --name x", 0);
  ck_runs("--resume runs/x --epochs 3", 0);
  ck_contains(out_text, "resume    runs/x/checkpoints/last.safetensors: after 2 epochs and 4 steps");
  ck_contains(out_text, "epoch 3/3");
  ck_assert(same_files("runs/whole/weights/last.safetensors", "runs/x/weights/last.safetensors"));
  ck_assert(!exists("runs/x-2"));
  ck_runs("--resume runs/x", 0);
  ck_contains(out_text, "resume    nothing is left of 3 epochs; more with --epochs");
}
END_TEST

START_TEST(resume_takes_one_file_of_a_run)
{
  ck_runs(QUICK "--epochs 3 --checkpoint-keep 3 --name x --logger csv", 0);
  ck_runs("--resume runs/x/checkpoints/epoch-1.safetensors", 0);
  ck_contains(out_text, "after 1 epoch and");
  ck_contains(out_text, "epoch 2/3");
  char *table = read_file("runs/x/summary.csv", NULL);
  ck_assert_int_eq(count_lines(table), 4);
  free(table);
}
END_TEST

START_TEST(auto_starts_from_scratch_and_says_so)
{
  ck_runs(QUICK "--name x --resume auto", 0);
  ck_contains(out_text, "no checkpoint there: starting from scratch");
  ck_runs(QUICK "--name x --resume auto --epochs 2", 0);
  ck_contains(out_text, "after 1 epoch and 2 steps");
  ck_runs(QUICK "--resume auto --epochs 3", 0); /* the newest */
  ck_contains(out_text, "resume    runs/x/checkpoints/last.safetensors: after 2 epochs and 4 steps");
}
END_TEST

START_TEST(auto_looks_where_the_configuration_file_says)
{
  write_text("c.yaml", "name: mine\noutput: out\nlogger: none\nepochs: 1\n");
  ck_runs(QUICK "--name other", 0);
  ck_runs(QUICK "-c c.yaml --resume auto", 0);
  ck_contains(out_text, "no checkpoint there: starting from scratch");
  ck_assert(exists("out/mine/checkpoints/last.safetensors"));
  ck_runs("-c c.yaml --resume auto --epochs 2", 0); /* with the run's options, not those of the file */
  ck_contains(out_text, "resume    out/mine/checkpoints/last.safetensors: after 1 epoch and 2 steps");
  ck_contains(out_text, "epoch 2/2");
}
END_TEST

START_TEST(run_goes_on_from_inside_its_folder)
{
  ck_runs(QUICK "--name x", 0);
  ck_assert_int_eq(chdir("runs/x"), 0);
  ck_runs("--resume . --epochs 2", 0);
  ck_contains(out_text, "epoch 2/2");
  ck_runs("--resume checkpoints/last.safetensors --epochs 3", 0);
  ck_contains(out_text, "epoch 3/3");
  ck_runs("--resume checkpoints/.. --epochs 4", 0);
  ck_contains(out_text, "epoch 4/4");
  ck_assert_int_eq(chdir("../.."), 0);
  ck_assert_int_eq(count_entries("runs"), 1);
}
END_TEST

START_TEST(resumed_run_tells_the_first_step_of_its_beginning)
{
  ck_runs(QUICK "--name x", 0);
  char *before = read_file("runs/x/results.json", NULL);
  ck_runs("--resume runs/x --epochs 2", 0);
  char *after = read_file("runs/x/results.json", NULL);
  const char *key = "\"seconds_to_first_step\": ";
  ck_assert_double_eq_tol(atof(strstr(before, key) + strlen(key)), atof(strstr(after, key) + strlen(key)), 1e-6);
  free(before);
  free(after);
}
END_TEST

START_TEST(run_goes_on_without_the_weights_it_began_with)
{
  ck_runs(QUICK "--name a", 0);
  ck_runs(QUICK "--init-from runs/a/weights/last.safetensors --name b", 0);
  ck_assert_int_eq(unlink("runs/a/weights/last.safetensors"), 0);
  ck_runs("--resume runs/b --epochs 2", 0);
  ck_lacks(out_text, "loaded");
  char *config = read_file("runs/b/config.yaml", NULL);
  ck_contains(config, "init-from: runs/a/weights/last.safetensors");
  free(config);
}
END_TEST

START_TEST(resume_refuses_what_would_be_another_run)
{
  ck_runs(QUICK "--name x", 0);
  ck_refuses("--resume runs/x --dtype float64", 1, "`fc1.weight` is F32 [128, 784], this run's is f64 [128, 784]");
  ck_refuses("--resume runs/x --watch loss", 1, "has watch accuracy, this run loss");
  ck_refuses("--resume runs/x --name y", 2, "--name: the run of --resume runs/x goes on in its own folder");
  ck_refuses("--resume runs/x --batch-size 16", 1, "has batch_size 32, this run 16");
  ck_refuses("--resume runs/x --seed 9", 1, "has seed 0, this run 9");
  ck_refuses("--resume runs/x --opt sgd", 1, "has optimizer adam, this run sgd");
  ck_refuses("--resume runs/x --model lenet", 1, "has no `conv1.weight`: it is of another model");
  ck_refuses("--resume runs/y", 2, "--resume: there is no runs/y");
  ck_refuses("--resume runs", 2, "--resume: runs has no checkpoints/last.safetensors");
}
END_TEST

/* Before the checkpoint is read: what another run is about to replace is not gone on from. */
START_TEST(a_run_that_another_one_writes_is_not_resumed)
{
  ck_runs(QUICK "--name x", 0);
  const int held = open("runs/x", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ck_assert_int_eq(flock(held, LOCK_EX), 0);
  ck_refuses("--resume runs/x --epochs 2", 1, "run folder runs/x: another dlcore is writing into it");
  ck_lacks(out_text, "resume  ");
  close(held);
  ck_runs("--resume runs/x --epochs 2", 0);
}
END_TEST

START_TEST(damaged_checkpoint_is_passed_over)
{
  ck_runs(QUICK "--epochs 2 --name x", 0);
  write_text("runs/x/checkpoints/last.safetensors", "not a checkpoint");
  ck_runs("--resume runs/x", 0);
  ck_contains(err_text, "runs/x/checkpoints/last.safetensors");
  ck_contains(out_text, "resume    runs/x/checkpoints/previous.safetensors: after 1 epoch and 2 steps");
  write_text("runs/x/checkpoints/last.safetensors", "not a checkpoint");
  write_text("runs/x/checkpoints/previous.safetensors", "nor this");
  ck_assert_int_eq(dlcore("--resume runs/x"), 1);
}
END_TEST

START_TEST(resume_refuses_another_validation_part)
{
  ck_runs(QUICK "--val-split 0.25 --name x", 0);
  ck_refuses("--resume runs/x --stratified", 1, "has stratified 0, this run 1");
}
END_TEST

/* ---- what is kept ---- */

START_TEST(checkpoints_of_a_former_run_do_not_outlive_it)
{
  ck_runs(QUICK "--epochs 3 --lr 0.01 --checkpoint-keep 2 --name x", 0);
  ck_runs(QUICK "--lr 0 --checkpoint-keep 2 --name x --exist-ok", 0);
  ck_assert_int_eq(count_entries("runs/x/checkpoints"), 2);
  ck_assert(exists("runs/x/checkpoints/epoch-1.safetensors"));
  ck_runs(QUICK "--no-checkpoints --name x --exist-ok", 0);
  ck_assert_int_eq(count_entries("runs/x/checkpoints"), 0);
}
END_TEST

START_TEST(best_weights_are_those_of_the_best_epoch)
{
  ck_runs(QUICK "--epochs 4 --lr 0.02 --watch loss --name x --logger csv", 0);
  ck_contains(out_text, "best      epoch ");
  ck_assert(exists("runs/x/weights/best.safetensors"));
  ck_runs(QUICK "--epochs 4 --lr 0.02 --no-checkpoints --name y", 0);
  ck_assert(!exists("runs/y/checkpoints"));
}
END_TEST

START_TEST(a_run_gives_up_after_its_patience)
{
  ck_runs(QUICK "--epochs 9 --lr 0 --patience 2 --name x", 0); /* nothing ever becomes better */
  ck_contains(out_text, "epoch 3/9");
  ck_assert(!strstr(out_text, "epoch 4/9"));
  ck_contains(out_text, "no better epoch than 1 in 2: the run ended early");
}
END_TEST

START_TEST(frozen_parameters_stay)
{
  ck_runs(QUICK "--name a", 0);
  ck_runs(QUICK "--init-from runs/a/weights/last.safetensors --freeze fc1.* --name b", 0);
  ck_contains(out_text, "mlp: 101770 parameters, 1290 of them trained (");
  ck_assert(same_tensor("runs/a/weights/last.safetensors", "runs/b/weights/last.safetensors", "fc1.weight"));
  ck_assert(!same_tensor("runs/a/weights/last.safetensors", "runs/b/weights/last.safetensors", "fc2.weight"));
  ck_refuses(QUICK "--freeze * --name c", 1, "no parameters to train that are not frozen");
}
END_TEST

START_TEST(l1_is_left_out_where_a_group_says_so)
{
  ck_runs(QUICK "--freeze *.weight --name without", 0);
  ck_runs(QUICK "--freeze *.weight --l1 0.5 --name with", 0);
  ck_runs(QUICK "--freeze *.weight --l1 0.5 --param-group *.bias:l1=0 --name group", 0);
  ck_assert(!same_tensor("runs/without/weights/last.safetensors", "runs/with/weights/last.safetensors", "fc1.bias"));
  ck_assert(same_tensor("runs/without/weights/last.safetensors", "runs/group/weights/last.safetensors", "fc1.bias"));
}
END_TEST

START_TEST(names_that_mean_no_parameter_are_refused)
{
  ck_refuses(QUICK "--freeze fc1.weigth --name a", 2,
             "--freeze: no parameter is called 'fc1.weigth'; the model has fc1.weight, fc1.bias, fc2.weight, fc2.bias");
  ck_refuses(QUICK "--param-group head.*:lr_scale=2 --name a", 2, "--param-group: no parameter is called 'head.*'");
  ck_assert(!exists("runs"));
}
END_TEST

START_TEST(weights_of_another_head_load_as_far_as_they_fit)
{
  write_text("wide.yaml", "layers: [flatten, linear: {name: fc1, out_features: 128}, relu, linear: {name: fc2, "
                          "out_features: classes}, linear: {name: fc3, out_features: classes}]\n");
  ck_runs(QUICK "--name a", 0);
  ck_runs(QUICK "--model wide.yaml --init-from runs/a/weights/last.safetensors --name b", 0);
  ck_contains(err_text, "no `fc3.weight`; it keeps its random start");
  ck_contains(out_text, "loaded 4 of 6 tensors");
  ck_runs(QUICK "--init-from runs/a/checkpoints/last.safetensors --name c", 0); /* states beside weights are no news */
  ck_assert(!strstr(err_text, "__optim__"));
}
END_TEST

/* ---- trying ---- */

START_TEST(dry_run_writes_nothing)
{
  ck_runs(QUICK "--dry-run --epochs 5", 0);
  ck_contains(out_text, "one step and one evaluation went through");
  ck_assert(!exists("runs"));
}
END_TEST

START_TEST(printed_configuration_can_be_read_again)
{
  ck_runs("--dataset shapes --lr 0.5 --sched cosine --param-group *.bias:weight_decay=0 --freeze fc1.* --print-config",
          0);
  ck_contains(out_text, "sched: cosine");
  write_text("c.yaml", out_text);
  char *first = strdup(out_text);
  ck_runs("-c c.yaml --print-config", 0);
  ck_assert_str_eq(out_text, first);
  ck_assert(!exists("runs"));
  free(first);
}
END_TEST

START_TEST(one_batch_can_be_learnt_by_heart)
{
  ck_runs(QUICK "--overfit-batches 1 --epochs 60 --lr 0.01 --name x -q", 0);
  ck_runs("eval --run runs/x --weights runs/x/weights/last.safetensors --split train", 0);
  char *log = read_file("runs/x/log.txt", NULL);
  ck_contains(log, "train loss 0.0");
  ck_contains(log, "acc 100.00%");
  free(log);
}
END_TEST

START_TEST(average_is_what_is_saved)
{
  ck_runs(QUICK "--lr 0.1 --model-ema 0.9999999 --name x", 0);
  ck_runs(QUICK "--lr 0 --name start", 0);
  dlc_tensor_file average, start;
  read_tensors("runs/x/weights/last.safetensors", &average);
  read_tensors("runs/start/weights/last.safetensors", &start);
  const float *a = tensor(&average, "fc2.weight")->data, *b = tensor(&start, "fc2.weight")->data;
  for (int i = 0; i < 10; i++) ck_assert_float_eq_tol(a[i], b[i], 1e-5f);
  dlc_safetensors_free(&average);
  dlc_safetensors_free(&start);
}
END_TEST

START_TEST(a_loss_that_the_model_does_not_end_for_is_warned_of)
{
  write_text("log.yaml", "layers: [flatten, linear: classes, log_softmax]\n");
  ck_runs(QUICK "--loss nll_loss --name a", 0);
  ck_contains(err_text, "warning: nll_loss is made for log_softmax, and the model ends in linear");
  ck_runs(QUICK "--loss nll_loss --model log.yaml --name b", 0);
  ck_assert_str_eq(err_text, "");
}
END_TEST

START_TEST(a_loss_that_is_no_number_names_its_layer)
{
  write_text("m.yaml", "layers: [flatten, linear: {name: fc1, out_features: classes}, linear: {name: fc2, "
                       "out_features: classes}]\n");
  ck_refuses(QUICK "--model m.yaml --opt sgd --lr 1000 --epochs 9 --name x", 1, "the loss is nan at step ");
  ck_contains(err_text, "`fc");
  ck_contains(err_text, "try a smaller --lr");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("runs that go on");
  tcase_add_checked_fixture(t, enter_folder, leave_folder);
  tcase_set_timeout(t, 60);
  tcase_add_test(t, resumed_run_takes_the_options_of_its_folder);
  tcase_add_test(t, resume_takes_one_file_of_a_run);
  tcase_add_test(t, auto_starts_from_scratch_and_says_so);
  tcase_add_test(t, auto_looks_where_the_configuration_file_says);
  tcase_add_test(t, run_goes_on_from_inside_its_folder);
  tcase_add_test(t, resumed_run_tells_the_first_step_of_its_beginning);
  tcase_add_test(t, run_goes_on_without_the_weights_it_began_with);
  tcase_add_test(t, resume_refuses_what_would_be_another_run);
  tcase_add_test(t, a_run_that_another_one_writes_is_not_resumed);
  tcase_add_test(t, damaged_checkpoint_is_passed_over);
  tcase_add_test(t, resume_refuses_another_validation_part);
  tcase_add_test(t, checkpoints_of_a_former_run_do_not_outlive_it);
  tcase_add_test(t, best_weights_are_those_of_the_best_epoch);
  tcase_add_test(t, a_run_gives_up_after_its_patience);
  tcase_add_test(t, frozen_parameters_stay);
  tcase_add_test(t, l1_is_left_out_where_a_group_says_so);
  tcase_add_test(t, names_that_mean_no_parameter_are_refused);
  tcase_add_test(t, weights_of_another_head_load_as_far_as_they_fit);
  tcase_add_test(t, dry_run_writes_nothing);
  tcase_add_test(t, printed_configuration_can_be_read_again);
  tcase_add_test(t, one_batch_can_be_learnt_by_heart);
  tcase_add_test(t, average_is_what_is_saved);
  tcase_add_test(t, a_loss_that_the_model_does_not_end_for_is_warned_of);
  tcase_add_test(t, a_loss_that_is_no_number_names_its_layer);
  return run_suite("runs that go on", t);
}
