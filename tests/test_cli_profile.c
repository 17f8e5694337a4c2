/* --profile: what it prints, what it leaves in the run folder, and that it changes nothing else. */
#include "picture_folder.h"
#include "program.h"
#include <jansson.h>

static json_t *trace_of(const char *run)
{
  char path[256];
  json_error_t error;
  snprintf(path, sizeof path, "runs/%s/profile.json", run);
  json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
  ck_assert_msg(root != NULL, "%s: %s", path, error.text);
  return root;
}

static int count_spans(const json_t *trace, const char *name)
{
  int n = 0;
  size_t i;
  json_t *e;
  json_array_foreach(json_object_get(trace, "traceEvents"), i, e)
  {
    const char *text = json_string_value(json_object_get(e, "name"));
    ck_assert_ptr_nonnull(text);
    n += strcmp(text, name) == 0;
  }
  return n;
}

START_TEST(table_and_trace_are_printed_and_kept)
{
  ck_runs(QUICK "--epochs 2 --workers 0 --profile --profile-rows 3 --name x", 0);
  ck_contains(out_text, "Name    Self CPU %      Self CPU   CPU total %     CPU total  CPU time avg    # of Calls");
  ck_contains(out_text, "Self CPU time total: ");
  ck_contains(out_text, " (3 of ");
  ck_contains(out_text, "profile   runs/x/profile.txt; steps 1..100 in runs/x/profile.json");
  char *text = read_file("runs/x/profile.txt", NULL);
  static const char *const rows[] = {" prepare ", " train step ", " test ", " next batch ",
                                     " save ",    " linear ",     " relu ", " adam "};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) ck_contains(text, rows[i]);
  ck_lacks(text, "rows are shown");
  free(text);
  json_t *trace = trace_of("x");
  ck_assert_int_eq(count_spans(trace, "train"), 2);
  ck_assert_int_eq(count_spans(trace, "train step"), 4);
  ck_assert_int_eq(count_spans(trace, "test step"), 2);
  ck_assert_int_eq(count_spans(trace, "thread_name"), 1);
  json_decref(trace);
}
END_TEST

START_TEST(steps_of_the_trace_can_be_chosen)
{
  ck_runs(QUICK "--epochs 3 --profile --profile-steps 2..4 --name x", 0);
  json_t *trace = trace_of("x");
  ck_assert_int_eq(count_spans(trace, "train step"), 3);
  ck_assert_int_eq(count_spans(trace, "test step"), 2);
  json_decref(trace);
}
END_TEST

START_TEST(rows_can_be_layers_or_shapes)
{
  ck_runs(QUICK "--profile --profile-rows 0 --profile-by layer --profile-sort name --name x", 0);
  ck_contains(out_text, " fc1 ");
  ck_lacks(out_text, " linear ");
  ck_runs(QUICK "--profile --profile-rows 0 --profile-by shape --name y", 0);
  ck_contains(out_text, " Input Shapes\n");
  ck_contains(out_text, "[[32, 784], [128, 784], [128]]\n");
}
END_TEST

START_TEST(loader_threads_have_a_table_and_a_line_in_the_trace_each)
{
  make_pictures("pets", 4);
  ck_runs("--data-dir pets --backend reference --model mlp --batch-size 4 --epochs 1 --logger none --workers 2 "
          "--train-transforms resize([8,8]) --eval-transforms resize([8,8]) --profile --profile-rows 0 --name x",
          0);
  ck_contains(out_text, " wait for loader ");
  ck_contains(out_text, " read batch ");
  ck_contains(out_text, " read sample ");
  ck_contains(out_text, " other threads: ");
  json_t *trace = trace_of("x");
  ck_assert_int_eq(count_spans(trace, "thread_name"), 1 + 3 * 2);
  json_decref(trace);
}
END_TEST

START_TEST(a_profile_changes_no_result_and_is_no_part_of_the_recipe)
{
  ck_runs(QUICK "--name a", 0);
  ck_runs(QUICK "--name b --profile", 0);
  ck_assert(same_files("runs/a/weights/last.safetensors", "runs/b/weights/last.safetensors"));
  ck_assert(same_files("runs/a/config.yaml", "runs/b/config.yaml"));
  ck_assert(!exists("runs/a/profile.txt") && !exists("runs/a/profile.json"));
}
END_TEST

START_TEST(files_of_a_former_run_do_not_stay)
{
  ck_runs(QUICK "--name x --profile", 0);
  ck_runs(QUICK "--name x --exist-ok", 0);
  ck_assert(!exists("runs/x/profile.txt") && !exists("runs/x/profile.json"));
}
END_TEST

START_TEST(a_dry_run_only_prints)
{
  ck_runs(QUICK "--name x --profile --dry-run", 0);
  ck_contains(out_text, "Self CPU time total: ");
  ck_lacks(out_text, "profile.txt");
  ck_assert(!exists("runs"));
}
END_TEST

START_TEST(quiet_runs_only_write)
{
  ck_runs(QUICK "--name x --profile -q", 0);
  ck_assert_str_eq(out_text, "");
  ck_assert(exists("runs/x/profile.txt") && exists("runs/x/profile.json"));
}
END_TEST

START_TEST(files_that_cannot_be_written_are_a_warning)
{
  ck_assert_int_eq(mkdir("runs", 0777) || mkdir("runs/x", 0777) || mkdir("runs/x/profile.json", 0777), 0);
  write_text("runs/x/profile.json/in-the-way", "");
  ck_runs(QUICK "--name x --exist-ok --profile", 0);
  ck_contains(err_text, "dlcore: warning: the profile is not saved: cannot write runs/x/profile.json");
  ck_contains(out_text, "Self CPU time total: ");
}
END_TEST

START_TEST(wrong_steps_are_refused)
{
  static const char *const wrong[] = {"5", "0..3", "4..2", "1..", "..5", "a..b", "1...3", "-1..3", "1..2..3"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char arguments[256], reason[128];
    snprintf(arguments, sizeof arguments, QUICK "--profile --profile-steps=%s", wrong[i]);
    snprintf(reason, sizeof reason, "--profile-steps: '%s' is not A..B with 1 <= A <= B", wrong[i]);
    ck_refuses(arguments, 2, reason);
  }
  ck_refuses(QUICK "--profile --profile-by colour", 2, "--profile-by");
  ck_assert(!exists("runs"));
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("profile");
  tcase_add_checked_fixture(tests, enter_folder, leave_folder);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, table_and_trace_are_printed_and_kept);
  tcase_add_test(tests, steps_of_the_trace_can_be_chosen);
  tcase_add_test(tests, rows_can_be_layers_or_shapes);
  tcase_add_test(tests, loader_threads_have_a_table_and_a_line_in_the_trace_each);
  tcase_add_test(tests, a_profile_changes_no_result_and_is_no_part_of_the_recipe);
  tcase_add_test(tests, files_of_a_former_run_do_not_stay);
  tcase_add_test(tests, a_dry_run_only_prints);
  tcase_add_test(tests, quiet_runs_only_write);
  tcase_add_test(tests, files_that_cannot_be_written_are_a_warning);
  tcase_add_test(tests, wrong_steps_are_refused);
  return run_suite("cli profile", tests);
}
