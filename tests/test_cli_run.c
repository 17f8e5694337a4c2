/* What a run of the program leaves behind, how it ends, and what it says on the way. */
#include "program.h"
#include "train/safetensors.h"
#include <fcntl.h>
#include <jansson.h>
#include <pty.h>
#include <signal.h>
#include <time.h>

static json_t *results_of(const char *run)
{
  char path[256];
  snprintf(path, sizeof path, "runs/%s/results.json", run);
  json_error_t error;
  json_t *root = json_load_file(path, 0, &error);
  ck_assert_msg(root != NULL, "%s: %s", path, error.text);
  return root;
}

static double number(const json_t *root, const char *key)
{
  const json_t *v = json_object_get(root, key);
  ck_assert_msg(json_is_number(v), "%s is not a number", key);
  return json_number_value(v);
}

/* ---- what is left behind ---- */

START_TEST(results_hold_every_field)
{
  ck_runs(QUICK "--val-split 0.25 --epochs 2 --seed 5 --name x", 0);
  json_t *r = results_of("x");
  static const char *const texts[][2] = {{"backend", "reference"}, {"model", "mlp"}, {"dataset", "shapes"}};
  for (size_t i = 0; i < 3; i++) ck_assert_str_eq(json_string_value(json_object_get(r, texts[i][0])), texts[i][1]);
  ck_assert_ptr_nonnull(json_string_value(json_object_get(r, "version")));
  static const char *const accuracies[] = {"train_accuracy", "val_accuracy", "test_accuracy"};
  for (size_t i = 0; i < 3; i++) {
    ck_assert_double_ge(number(r, accuracies[i]), 0);
    ck_assert_double_le(number(r, accuracies[i]), 1);
  }
  static const char *const positive[] = {"train_loss",    "val_loss",          "test_loss",
                                         "seconds_total", "images_per_second", "seconds_to_first_step"};
  for (size_t i = 0; i < 6; i++) ck_assert_double_gt(number(r, positive[i]), 0);
  ck_assert_double_lt(number(r, "seconds_to_first_step"), number(r, "seconds_total"));
  ck_assert_double_gt(number(r, "peak_rss_bytes"), 1 << 20);
  ck_assert_double_eq(number(r, "epochs"), 2);
  ck_assert_double_eq(number(r, "steps"), 4);
  ck_assert_double_eq(number(r, "seed"), 5);
  ck_assert_double_eq(number(r, "parameters"), 101770);
  json_decref(r);
}
END_TEST

START_TEST(run_folder_holds_what_is_promised)
{
  ck_runs(QUICK "--logger csv --name x", 0);
  ck_assert(exists("runs/x/config.yaml"));
  ck_assert(exists("runs/x/summary.csv"));
  ck_assert(exists("runs/x/results.json"));
  ck_assert(exists("runs/x/checkpoints/last.safetensors"));
  ck_assert_int_eq(count_entries("runs/x"), 6);
  ck_assert_int_eq(count_entries("runs/x/weights"), 2);
  char *log = read_file("runs/x/log.txt", NULL), *line = strtok(out_text, "\n");
  for (; line; line = strtok(NULL, "\n")) ck_contains(log, line);
  ck_contains(log, "epoch 1/1");
  free(log);
}
END_TEST

START_TEST(weights_have_the_names_and_shapes_of_pytorch)
{
  ck_runs(QUICK "--model lenet --limit-batches 1 --name x", 0);
  dlc_tensor_file file;
  ck_assert_int_eq(dlc_safetensors_read("runs/x/weights/last.safetensors", &file), DLC_OK);
  static const struct {
    const char *name;
    uint32_t rank;
    int64_t dim[4];
  } expected[] = {{"conv1.bias", 1, {6}},  {"conv1.weight", 4, {6, 1, 5, 5}},
                  {"conv2.bias", 1, {16}}, {"conv2.weight", 4, {16, 6, 5, 5}},
                  {"fc1.bias", 1, {120}},  {"fc1.weight", 2, {120, 256}},
                  {"fc2.bias", 1, {84}},   {"fc2.weight", 2, {84, 120}},
                  {"fc3.bias", 1, {10}},   {"fc3.weight", 2, {10, 84}}};
  ck_assert_uint_eq(file.n, 10);
  for (uint32_t i = 0; i < file.n; i++) {
    ck_assert_str_eq(file.tensors[i].name, expected[i].name);
    ck_assert_uint_eq(file.tensors[i].rank, expected[i].rank);
    for (uint32_t k = 0; k < expected[i].rank; k++) ck_assert_int_eq(file.tensors[i].dim[k], expected[i].dim[k]);
  }
  dlc_safetensors_free(&file);
}
END_TEST

START_TEST(default_names_never_collide)
{
  for (int i = 0; i < 3; i++) ck_runs(QUICK, 0);
  ck_assert_int_eq(count_entries("runs"), 3);
  ck_contains(out_text, "runs/shapes-mlp-20");
}
END_TEST

START_TEST(init_from_starts_with_the_given_weights)
{
  ck_runs(QUICK "--name a", 0);
  ck_runs(QUICK "--seed 9 --lr 0 --init-from runs/a/weights/last.safetensors --name b", 0);
  ck_assert(same_files("runs/a/weights/last.safetensors", "runs/b/weights/last.safetensors"));
  ck_refuses(QUICK "--init-from missing.safetensors", 1, "missing.safetensors");
  ck_runs(QUICK "--model lenet --init-from runs/a/weights/last.safetensors", 1);
  ck_contains(err_text, "none of its tensors fits this model");
  ck_assert_int_eq(count_entries("runs"), 2);
}
END_TEST

/* ---- what may not be touched ---- */

START_TEST(existing_run_is_left_alone)
{
  ck_assert(mkdir("runs", 0777) == 0 && mkdir("runs/x", 0777) == 0);
  ck_refuses(QUICK "--name x", 2, "runs/x exists");
  ck_assert_int_eq(count_entries("runs/x"), 0);
  ck_runs(QUICK "--name x --exist-ok", 0);
  ck_assert(exists("runs/x/results.json"));
  ck_refuses(QUICK "--name ../x", 2, "--name: expected the name of a folder, got '../x'");
}
END_TEST

START_TEST(folder_that_cannot_be_made_is_one_line)
{
  write_text("file", "");
  ck_refuses(QUICK "--output file/runs --name x", 1, "file");
  write_text("runs", "");
  ck_refuses(QUICK, 1, "runs");
}
END_TEST

START_TEST(read_only_output_is_one_line)
{
  if (geteuid() == 0) return; /* root writes anywhere */
  ck_assert_int_eq(mkdir("out", 0555), 0);
  ck_refuses(QUICK "--output out", 1, "out");
  ck_refuses(QUICK "--output out/runs", 1, "out");
  ck_assert_int_eq(count_entries("out"), 0);
}
END_TEST

/* A limit on the size of files stands for the full disk: write() fails alike. */
START_TEST(full_disk_before_the_first_step_leaves_nothing)
{
  file_limit = 64;
  ck_refuses(QUICK "--output deep/er/runs --name x", 1, "File too large");
  ck_assert(!exists("deep"));
  ck_refuses(QUICK "--output deep//er/runs// --name x", 1, "File too large");
  ck_assert(!exists("deep"));
  ck_assert_int_eq(mkdir("runs", 0777), 0);
  ck_refuses(QUICK "--name x", 1, "File too large");
  ck_assert(exists("runs"));
  ck_assert_int_eq(count_entries("runs"), 0);
}
END_TEST

START_TEST(full_disk_at_the_end_leaves_nothing_half_written)
{
  file_limit = 8192;
  ck_refuses(QUICK "--name x --no-checkpoints", 1, "File too large");
  ck_contains(err_text, "last.safetensors");
  ck_assert_int_eq(count_entries("runs/x/weights"), 0);
  ck_assert(!exists("runs/x/results.json"));
}
END_TEST

START_TEST(run_that_fails_at_its_start_leaves_no_folder)
{
  ck_refuses(QUICK "--val-split 1000", 1, "val");
  ck_refuses(QUICK "--dataset idx --data-dir nowhere", 1, "nowhere");
  ck_assert(!exists("runs"));
}
END_TEST

START_TEST(loss_that_is_no_number_stops_the_run)
{
  ck_refuses(QUICK "--opt sgd --lr 1000 --epochs 20 --name x", 1, "the loss is");
  ck_assert(!exists("runs/x/results.json"));
}
END_TEST

START_TEST(results_of_a_former_run_do_not_outlive_it)
{
  ck_runs(QUICK "--name x", 0);
  ck_assert(exists("runs/x/results.json"));
  ck_refuses(QUICK "--opt sgd --lr 1000 --epochs 20 --name x --exist-ok", 1, "the loss is");
  ck_assert(!exists("runs/x/results.json"));
}
END_TEST

/* ---- signals ---- */

static void wait_for(const char *path)
{
  for (int i = 0; i < 2000 && !exists(path); i++) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  ck_assert_msg(exists(path), "%s did not appear", path);
}

static int signalled_run(int signal_number)
{
  pid_t pid = fork();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) exec_program(QUICK "--epochs 1000000 --quiet --name x");
  wait_for("runs/x/weights/last.safetensors");
  ck_assert_int_eq(kill(pid, signal_number), 0);
  return exit_code(pid);
}

static void check_stopped_run(void)
{
  json_t *r = results_of("x");
  ck_assert(json_is_true(json_object_get(r, "interrupted")));
  ck_assert(json_is_null(json_object_get(r, "test_accuracy")));
  ck_assert_double_ge(number(r, "epochs"), 1);
  json_decref(r);
  dlc_tensor_file file;
  ck_assert_int_eq(dlc_safetensors_read("runs/x/weights/last.safetensors", &file), DLC_OK);
  dlc_safetensors_free(&file);
}

START_TEST(interrupted_run_saves_and_exits_130)
{
  ck_assert_int_eq(signalled_run(SIGINT), 130);
  check_stopped_run();
}
END_TEST

START_TEST(terminated_run_saves_and_exits_143)
{
  ck_assert_int_eq(signalled_run(SIGTERM), 143);
  check_stopped_run();
}
END_TEST

/* In the middle of an epoch of many steps. */
START_TEST(asked_for_a_checkpoint_the_run_writes_it_and_goes_on)
{
  pid_t pid = fork();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) exec_program(QUICK "--dataset shapes:count=50000 --batch-size 1 --quiet --name x");
  wait_for("runs/x/log.txt");
  ck_assert_int_eq(kill(pid, SIGUSR1), 0);
  wait_for("runs/x/checkpoints/last.safetensors");
  ck_assert_int_eq(kill(pid, SIGTERM), 0);
  ck_assert_int_eq(exit_code(pid), 143);
  char *log = read_file("runs/x/log.txt", NULL);
  ck_contains(log, "SIGUSR1   writing a checkpoint");
  free(log);
}
END_TEST

/* ---- what is said ---- */

START_TEST(piped_output_is_plain_lines)
{
  ck_runs(QUICK "--epochs 2 --name x", 0);
  ck_assert_str_eq(err_text, "");
  ck_lacks(out_text, "\r");
  ck_lacks(out_text, "\033");
  ck_contains(out_text, "10: disc (6), ring (6)");
  ck_contains(out_text, "64 train, 32 test");
  ck_contains(out_text, "mlp: 101770 parameters");
  ck_contains(out_text, "epoch 1/2  train loss ");
  ck_contains(out_text, "epoch 2/2  train loss ");
  ck_contains(out_text, "runs/x/weights/last.safetensors");
}
END_TEST

START_TEST(quiet_run_says_nothing)
{
  ck_runs(QUICK "-q --name x", 0);
  ck_assert_str_eq(out_text, "");
  ck_assert_str_eq(err_text, "");
  char *log = read_file("runs/x/log.txt", NULL);
  ck_contains(log, "epoch 1/1");
  free(log);
}
END_TEST

START_TEST(dump_graph_prints_the_stage_and_trains_nothing)
{
  ck_runs(QUICK "--dump-graph forward", 0);
  ck_contains(out_text, "linear(");
  ck_lacks(out_text, "cross_entropy");
  ck_runs(QUICK "--dump-graph update", 0);
  ck_contains(out_text, "adam(");
  ck_assert(!exists("runs"));
}
END_TEST

/* What the program writes to a terminal of this many columns; its exit code. */
static int on_terminal(const char *arguments, unsigned short columns, char *text, size_t size)
{
  int master;
  struct winsize window = {.ws_row = 24, .ws_col = columns};
  pid_t pid = forkpty(&master, NULL, NULL, &window);
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C", 1);
    exec_program(arguments);
  }
  size_t n = 0;
  ssize_t got;
  while (n + 1 < size && (got = read(master, text + n, size - 1 - n)) > 0) n += (size_t)got;
  text[n] = 0;
  int code = exit_code(pid);
  close(master);
  return code;
}

START_TEST(progress_line_stays_within_the_terminal)
{
  char text[65536];
  ck_assert_int_eq(on_terminal(QUICK "--name x", 48, text, sizeof text), 0);
  const char *line = strstr(text, "\repoch 1/1 train ");
  ck_assert_msg(line != NULL, "no progress line in: %s", text);
  size_t columns = strcspn(line + 1, "\033\r\n");
  ck_assert_uint_le(columns, 47);
  ck_assert_uint_gt(columns, 30);
  ck_assert_int_eq(on_terminal(QUICK "--name y --no-progress", 48, text, sizeof text), 0);
  ck_lacks(text, "\033[K");
}
END_TEST

/* ---- the other commands ---- */

START_TEST(summary_shows_shapes_and_parameters)
{
  ck_runs("summary --model lenet --input 1x28x28", 0);
  ck_contains(out_text, "16x8x8");
  ck_contains(out_text, "2,416");
  ck_contains(out_text, "44,426");
  ck_runs("summary --model mlp --dataset shapes:count=10", 0);
  ck_contains(out_text, "mlp on shapes");
  ck_contains(out_text, "101,770");
  ck_runs("summary --model mlp --input 1x28x28 --batch-size 32 --opt sgd --momentum 0.9", 0);
  ck_contains(out_text, "training    409 kFLOPs a picture, and memory for a batch of 32 with sgd:");
  ck_contains(out_text, "optimizer       398 KiB");
  ck_contains(out_text, "kept           17.2 KiB");
  ck_refuses("summary --input 28x28", 2, "--input: expected channels x height x width");
}
END_TEST

START_TEST(summary_shows_groups_as_a_tree)
{
  ck_runs("summary --model convnet-004 --input 3x32x32", 0);
  ck_contains(out_text, "\nencoder\n  0 ");
  ck_contains(out_text, "\nhead\n  0 ");
}
END_TEST

START_TEST(summary_shows_a_model_that_ends_in_no_classes)
{
  write_text("conv.yaml", "layers: [conv2d: {out_channels: 2, kernel_size: 3}]\n");
  ck_runs("summary --model conv.yaml --input 3x32x32", 0);
  ck_contains(out_text, "2x30x30");
  ck_contains(out_text, "parameters  56\n");
  ck_contains(out_text, "training    conv.yaml:1:10: the last layer `0` gives [64, 2, 30, 30]; expected [batch, 10]");
  write_text("conv.yaml", "layers: [conv2d: {out_channels: 2, kernel_size: 33}]\n");
  ck_refuses("summary --model conv.yaml --input 3x32x32", 1, "input is 32x32, kernel_size 33x33");
}
END_TEST

/* Nobody would train on something else because the files are damaged. */
START_TEST(damaged_files_of_the_default_are_not_passed_over)
{
  ck_assert(mkdir("data", 0777) == 0 && mkdir("data/fashion-mnist", 0777) == 0);
  write_text("data/fashion-mnist/train-images-idx3-ubyte", "rubbish");
  write_text("data/fashion-mnist/train-labels-idx1-ubyte", "rubbish");
  write_text("data/fashion-mnist/t10k-images-idx3-ubyte", "rubbish");
  write_text("data/fashion-mnist/t10k-labels-idx1-ubyte", "rubbish");
  ck_refuses("--backend reference", 1, "train-images-idx3-ubyte: begins with");
  ck_assert(!exists("runs"));
}
END_TEST

START_TEST(output_that_cannot_be_written_is_an_error)
{
  static const char *const commands[] = {"--help", "plugins", "plugins --json", "summary --input 1x28x28",
                                         "--print-config"};
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    int full = open("/dev/full", O_WRONLY);
    ck_assert_int_ge(full, 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
      dup2(full, 1);
      close(2);
      exec_program(commands[i]);
    }
    close(full);
    ck_assert_msg(exit_code(pid) == 1, "%s did not notice", commands[i]);
  }
}
END_TEST

START_TEST(reader_that_has_gone_is_no_news)
{
  int out[2], err[2];
  ck_runs(QUICK "--name a", 0);
  ck_assert(pipe(out) == 0 && pipe(err) == 0);
  close(out[0]);
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(out[1], 1), dup2(err[1], 2);
    exec_program("predict --run runs/a --dataset shapes:test-count=8 --backend reference");
  }
  close(out[1]), close(err[1]);
  read_all(err[0], err_text, sizeof err_text);
  ck_assert_int_eq(exit_code(pid), 1);
  ck_assert_str_eq(err_text, "");
}
END_TEST

START_TEST(what_is_printed_to_nowhere_gets_into_no_file)
{
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    for (int fd = 0; fd <= 2; fd++) close(fd);
    exec_program(QUICK "--name a");
  }
  ck_assert_int_eq(exit_code(pid), 0);
  char *log = read_file("runs/a/log.txt", NULL);
  ck_contains(log, " weights "); /* behind its time */
  ck_lacks(log, "\nweights ");
  free(log);
}
END_TEST

START_TEST(folder_whose_name_is_not_utf8_is_shown_nevertheless)
{
  ck_assert_int_eq(mkdir("caf\351", 0777), 0);
  write_text("caf\351/dlcore-rubbish.so", "rubbish");
  ck_runs("plugins --plugin-path caf\351", 0);
  ck_contains(out_text, "/caf?\n");
  ck_contains(out_text, "/caf?/dlcore-rubbish.so\n");
}
END_TEST

START_TEST(plugins_are_listed_with_reasons)
{
  ck_assert_int_eq(mkdir("mine", 0777), 0);
  write_text("mine/dlcore-rubbish.so", "rubbish");
  ck_runs("plugins --plugin-path mine:nowhere", 0);
  ck_contains(out_text, "/mine\n");
  ck_contains(out_text, "nowhere (not there)");
  ck_contains(out_text, "not taken: ");
  ck_contains(out_text, "\n    transforms: ");
  ck_contains(out_text, "dataset shapes: ");
  ck_contains(out_text, "count (int)");
}
END_TEST

START_TEST(plugins_json_has_the_same_content)
{
  ck_assert_int_eq(mkdir("mine", 0777), 0);
  write_text("mine/dlcore-rubbish.so", "rubbish");
  ck_runs("plugins --json --plugin-path mine", 0);
  json_error_t error;
  json_t *root = json_loads(out_text, 0, &error), *file, *object, *shapes = NULL, *rubbish = NULL;
  ck_assert_msg(root != NULL, "%s in: %s", error.text, out_text);
  ck_assert_uint_ge(json_array_size(json_object_get(root, "folders")), 2);
  ck_assert_uint_gt(json_array_size(json_object_get(root, "built_in")), 20);
  size_t i, k;
  json_array_foreach(json_object_get(root, "files"), i, file)
  {
    if (json_is_false(json_object_get(file, "taken"))) rubbish = file;
    json_array_foreach(json_object_get(file, "provides"), k, object)
    {
      if (strcmp(json_string_value(json_object_get(object, "name")), "shapes") == 0) shapes = object;
    }
  }
  ck_assert_ptr_nonnull(rubbish);
  ck_assert_ptr_nonnull(json_string_value(json_object_get(rubbish, "reason")));
  ck_assert_ptr_nonnull(shapes);
  ck_assert_str_eq(json_string_value(json_object_get(shapes, "kind")), "dataset");
  ck_assert_uint_gt(json_array_size(json_object_get(shapes, "options")), 0);
  json_decref(root);
}
END_TEST

START_TEST(plugins_with_a_name_shows_that_alone)
{
  ck_runs("plugins shapes", 0);
  ck_contains(out_text, "dataset shapes");
  ck_lacks(out_text, "logger");
  ck_runs("plugins conv2d", 0);
  ck_contains(out_text, "kernel_size (pair)");
  ck_lacks(out_text, "dataset");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("run");
  tcase_add_checked_fixture(t, enter_folder, leave_folder);
  tcase_add_test(t, results_hold_every_field);
  tcase_add_test(t, run_folder_holds_what_is_promised);
  tcase_add_test(t, weights_have_the_names_and_shapes_of_pytorch);
  tcase_add_test(t, default_names_never_collide);
  tcase_add_test(t, init_from_starts_with_the_given_weights);
  tcase_add_test(t, existing_run_is_left_alone);
  tcase_add_test(t, folder_that_cannot_be_made_is_one_line);
  tcase_add_test(t, read_only_output_is_one_line);
  tcase_add_test(t, full_disk_before_the_first_step_leaves_nothing);
  tcase_add_test(t, full_disk_at_the_end_leaves_nothing_half_written);
  tcase_add_test(t, run_that_fails_at_its_start_leaves_no_folder);
  tcase_add_test(t, loss_that_is_no_number_stops_the_run);
  tcase_add_test(t, results_of_a_former_run_do_not_outlive_it);
  tcase_add_test(t, interrupted_run_saves_and_exits_130);
  tcase_add_test(t, terminated_run_saves_and_exits_143);
  tcase_add_test(t, asked_for_a_checkpoint_the_run_writes_it_and_goes_on);
  tcase_add_test(t, piped_output_is_plain_lines);
  tcase_add_test(t, quiet_run_says_nothing);
  tcase_add_test(t, dump_graph_prints_the_stage_and_trains_nothing);
  tcase_add_test(t, progress_line_stays_within_the_terminal);
  tcase_add_test(t, summary_shows_shapes_and_parameters);
  tcase_add_test(t, summary_shows_groups_as_a_tree);
  tcase_add_test(t, summary_shows_a_model_that_ends_in_no_classes);
  tcase_add_test(t, damaged_files_of_the_default_are_not_passed_over);
  tcase_add_test(t, output_that_cannot_be_written_is_an_error);
  tcase_add_test(t, reader_that_has_gone_is_no_news);
  tcase_add_test(t, what_is_printed_to_nowhere_gets_into_no_file);
  tcase_add_test(t, folder_whose_name_is_not_utf8_is_shown_nevertheless);
  tcase_add_test(t, plugins_are_listed_with_reasons);
  tcase_add_test(t, plugins_json_has_the_same_content);
  tcase_add_test(t, plugins_with_a_name_shows_that_alone);
  return run_suite("cli_run", t);
}
