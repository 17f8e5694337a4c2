/* The csv logger: what it writes, what it makes of what is there, and what a failing disk leaves. */
#include "plugin_fixture.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

static dlc_registry *registry;
static const dlc_logger *logger;
static const dlc_host *host;
static dlc_option_value *values;

static void set_up(void)
{
  make_plugin_folder();
  registry = open_registry(TEST_PLUGIN_DIR);
  const void *object = NULL;
  dlc_status status = dlc_registry_find(registry, DLC_IFACE_LOGGER, "csv", &object, &host);
  ck_assert_msg(status == DLC_OK, "%s", dlc_reason());
  logger = object;
  values = NULL;
}

static void tear_down(void)
{
  free(values);
  dlc_registry_close(registry);
  remove_folder();
}

static dlc_status try_open(const char *options, dlc_log **log)
{
  dlc_run_info run = {.size = sizeof run, .dir = folder, .name = "run"};
  free(values);
  dlc_status status = dlc_options_read("csv", logger->options, logger->n_options, options, &values);
  ck_assert_msg(status == DLC_OK, "%s", dlc_reason());
  return logger->open(logger, host, &run, values, log);
}

static dlc_log *open_log(const char *options)
{
  dlc_log *log = NULL;
  dlc_status status = try_open(options, &log);
  ck_assert_msg(status == DLC_OK, "%s", dlc_reason());
  return log;
}

static void close_log(dlc_log *log)
{
  dlc_status status = logger->close(log);
  ck_assert_msg(status == DLC_OK, "%s", dlc_reason());
}

static const char *const columns[] = {"train_loss", "test_acc"};

static dlc_status write_row(dlc_log *log, uint32_t kind, int64_t step, int64_t epoch, double a, double b)
{
  double numbers[2] = {a, b};
  dlc_row row = {sizeof row, kind, epoch, step, 2, columns, numbers};
  return logger->write(log, &row);
}

static void write_epoch(dlc_log *log, int64_t epoch, double a, double b)
{
  dlc_status status = write_row(log, DLC_ROW_EPOCH, epoch * 100, epoch, a, b);
  ck_assert_msg(status == DLC_OK, "%s", dlc_reason());
}

/* The whole of folder/NAME; "(none)" where there is no such file. Two results live at once. */
static const char *content(const char *name)
{
  static char texts[2][1 << 16];
  static int next;
  char *text = texts[next++ % 2];
  FILE *f = fopen(in_folder(name), "rb");
  if (!f) return "(none)";
  text[fread(text, 1, sizeof texts[0] - 1, f)] = '\0';
  ck_assert_int_eq(fclose(f), 0);
  return text;
}

#define HEADER "epoch,train_loss,test_acc\n"

/* ---- what it writes ---- */

START_TEST(one_row_an_epoch_under_a_header)
{
  dlc_log *log = open_log(NULL);
  write_epoch(log, 1, 2.5, 0.125);
  write_epoch(log, 2, 0.75, 1);
  close_log(log);
  ck_assert_str_eq(content("summary.csv"), HEADER "1,2.5,0.125\n2,0.75,1\n");
}
END_TEST

START_TEST(a_row_is_on_the_disk_as_soon_as_it_is_written)
{
  dlc_log *log = open_log(NULL);
  write_epoch(log, 1, 2, 3);
  ck_assert_str_eq(content("summary.csv"), HEADER "1,2,3\n");
  close_log(log);
}
END_TEST

START_TEST(a_missing_number_is_an_empty_field)
{
  dlc_log *log = open_log(NULL);
  write_epoch(log, 1, NAN, 0.5);
  write_epoch(log, 2, 1, NAN);
  close_log(log);
  ck_assert_str_eq(content("summary.csv"), HEADER "1,,0.5\n2,1,\n");
}
END_TEST

START_TEST(numbers_read_back_as_they_were)
{
  static const double numbers[] = {
      0.1,   1.0 / 3, 2.302585092994046,   1e-300,      123456789.125, 0x1.fffffffffffffp1023,
      -1e-7, 5e-324,  0.30000000000000004, (double)0.1f};
  size_t n = sizeof numbers / sizeof numbers[0];
  dlc_log *log = open_log(NULL);
  for (size_t i = 0; i < n; i++) write_epoch(log, (int64_t)i, numbers[i], 0);
  close_log(log);
  const char *line = content("summary.csv");
  for (size_t i = 0; i < n; i++) {
    line = strchr(line, '\n') + 1;
    double back = strtod(strchr(line, ',') + 1, NULL);
    ck_assert_msg(back == numbers[i], "%a came back as %a", numbers[i], back);
  }
  ck_assert_ptr_nonnull(strstr(content("summary.csv"), "\n0,0.1,0\n"));
}
END_TEST

START_TEST(steps_are_not_written_unless_asked_for)
{
  dlc_log *log = open_log(NULL);
  ck_assert_int_eq(write_row(log, DLC_ROW_STEP, 1, 1, 2, 3), DLC_OK);
  close_log(log);
  ck_assert_str_eq(content("steps.csv"), "(none)");
  ck_assert_str_eq(content("summary.csv"), "(none)");
}
END_TEST

START_TEST(one_row_every_k_steps)
{
  dlc_log *log = open_log("steps=3");
  for (int64_t step = 1; step <= 7; step++)
    ck_assert_int_eq(write_row(log, DLC_ROW_STEP, step, 1 + step / 6, (double)step, 0.5), DLC_OK);
  write_epoch(log, 1, 2, 3);
  close_log(log);
  ck_assert_str_eq(content("steps.csv"), "step,epoch,train_loss,test_acc\n3,1,3,0.5\n6,2,6,0.5\n");
  ck_assert_str_eq(content("summary.csv"), HEADER "1,2,3\n");
}
END_TEST

START_TEST(rows_of_an_unknown_kind_are_left_alone)
{
  dlc_log *log = open_log("steps=1");
  ck_assert_int_eq(write_row(log, 77, 1, 1, 2, 3), DLC_OK);
  close_log(log);
  ck_assert_str_eq(content("summary.csv"), "(none)");
  ck_assert_str_eq(content("steps.csv"), "(none)");
}
END_TEST

/* ---- what is there already ---- */

START_TEST(a_file_with_the_same_header_goes_on)
{
  write_text(in_folder("summary.csv"), HEADER "1,2,3\n");
  dlc_log *log = open_log(NULL);
  write_epoch(log, 2, 4, 5);
  close_log(log);
  ck_assert_str_eq(content("summary.csv"), HEADER "1,2,3\n2,4,5\n");
  ck_assert_str_eq(content("summary.csv.1"), "(none)");
}
END_TEST

START_TEST(half_a_row_is_cut_off)
{
  write_text(in_folder("summary.csv"), HEADER "1,2,3\n2,0.7");
  dlc_log *log = open_log(NULL);
  ck_assert_str_eq(content("summary.csv"), HEADER "1,2,3\n");
  write_epoch(log, 2, 4, 5);
  close_log(log);
  ck_assert_str_eq(content("summary.csv"), HEADER "1,2,3\n2,4,5\n");
}
END_TEST

/* Longer than the block that is searched backwards. */
START_TEST(a_long_half_row_is_cut_off)
{
  static char text[20000];
  memset(text, '7', sizeof text - 1);
  memcpy(text, HEADER, strlen(HEADER));
  write_text(in_folder("summary.csv"), text);
  close_log(open_log(NULL));
  ck_assert_str_eq(content("summary.csv"), HEADER);
}
END_TEST

START_TEST(half_a_header_is_written_anew)
{
  write_text(in_folder("summary.csv"), "epoch,tr");
  dlc_log *log = open_log(NULL);
  write_epoch(log, 1, 2, 3);
  close_log(log);
  ck_assert_str_eq(content("summary.csv"), HEADER "1,2,3\n");
}
END_TEST

START_TEST(a_file_with_other_columns_is_kept_under_another_name)
{
  write_text(in_folder("summary.csv"), "epoch,val_acc\n1,0.5\n");
  write_text(in_folder("summary.csv.1"), "older\n");
  dlc_log *log = open_log(NULL);
  write_epoch(log, 1, 2, 3);
  close_log(log);
  ck_assert_str_eq(content("summary.csv"), HEADER "1,2,3\n");
  ck_assert_str_eq(content("summary.csv.1"), "older\n");
  ck_assert_str_eq(content("summary.csv.2"), "epoch,val_acc\n1,0.5\n");
}
END_TEST

START_TEST(a_run_without_rows_leaves_a_file_as_it_was)
{
  write_text(in_folder("summary.csv"), "anything,else\n1,2\n");
  close_log(open_log(NULL));
  ck_assert_str_eq(content("summary.csv"), "anything,else\n1,2\n");
}
END_TEST

/* Killed at any byte, and started again: never a broken row, never a row lost that was whole. */
START_TEST(a_file_cut_anywhere_goes_on_with_whole_rows)
{
  const char *whole = HEADER "1,2,3\n2,4,5\n";
  for (size_t n = 0; n <= strlen(whole); n++) {
    char text[256], expected[300];
    snprintf(text, sizeof text, "%.*s", (int)n, whole);
    write_text(in_folder("summary.csv"), text);
    char *last = strrchr(text, '\n');
    *(last ? last + 1 : text) = '\0';
    snprintf(expected, sizeof expected, "%s3,6,7\n", *text ? text : HEADER);
    dlc_log *log = open_log(NULL);
    write_epoch(log, 3, 6, 7);
    close_log(log);
    ck_assert_str_eq(content("summary.csv"), expected);
  }
}
END_TEST

START_TEST(whole_rows_survive_a_kill)
{
  for (int round = 0; round < 5; round++) {
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
      dlc_log *log = open_log("steps=1");
      for (int64_t step = 1;; step++) (void)write_row(log, DLC_ROW_STEP, step, 1, 1.0 / 3, 2.0 / 3);
    }
    usleep(20000);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
  }
  dlc_log *log = open_log("steps=1");
  ck_assert_int_eq(write_row(log, DLC_ROW_STEP, 1, 1, 2, 3), DLC_OK);
  close_log(log);
  FILE *f = fopen(in_folder("steps.csv"), "r");
  ck_assert_ptr_nonnull(f);
  char line[256], last[256] = "";
  int rows = 0;
  ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
  ck_assert_str_eq(line, "step,epoch,train_loss,test_acc\n");
  for (; fgets(line, sizeof line, f); rows++) {
    int commas = 0;
    for (const char *p = line; *p; p++) commas += *p == ',';
    ck_assert_msg(commas == 3 && strchr(line, '\n'), "row %d: %s", rows, line);
    strcpy(last, line);
  }
  fclose(f);
  ck_assert_int_gt(rows, 5);
  ck_assert_str_eq(last, "1,1,2,3\n");
}
END_TEST

/* ---- what fails ---- */

START_TEST(a_full_disk_is_reported_with_the_path)
{
  if (access("/dev/full", W_OK) != 0) return;
  ck_assert_int_eq(symlink("/dev/full", in_folder("summary.csv")), 0);
  char expected[PATH_MAX + 64];
  snprintf(expected, sizeof expected, "%s: No space left on device", in_folder("summary.csv"));
  dlc_log *log = open_log(NULL);
  ck_assert_int_eq(write_row(log, DLC_ROW_EPOCH, 1, 1, 2, 3), DLC_IO);
  ck_assert_str_eq(dlc_reason(), expected);
  ck_assert_int_eq(logger->close(log), DLC_OK);
}
END_TEST

/* A limit on the size of files stops a write in its middle, as a disk that fills up does. */
START_TEST(a_row_that_does_not_fit_leaves_no_half)
{
  struct rlimit limit, before;
  dlc_log *log = open_log(NULL);
  write_epoch(log, 1, 2, 3);
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
  limit = before;
  limit.rlim_cur = strlen(HEADER "1,2,3\n") + 4;
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  dlc_status status = write_row(log, DLC_ROW_EPOCH, 2, 2, 1.0 / 3, 2.0 / 3);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
  char expected[PATH_MAX + 64];
  snprintf(expected, sizeof expected, "%s: File too large", in_folder("summary.csv"));
  ck_assert_int_eq(status, DLC_IO);
  ck_assert_str_eq(dlc_reason(), expected);
  ck_assert_str_eq(content("summary.csv"), HEADER "1,2,3\n");
  write_epoch(log, 3, 4, 5);
  close_log(log);
  ck_assert_str_eq(content("summary.csv"), HEADER "1,2,3\n3,4,5\n");
}
END_TEST

static void check_open_fails(const char *options, const char *name, const char *why)
{
  dlc_log *log = NULL;
  char expected[PATH_MAX + 256];
  snprintf(expected, sizeof expected, "%s: %s", in_folder(name), why);
  ck_assert_int_eq(try_open(options, &log), DLC_IO);
  ck_assert_str_eq(dlc_reason(), expected);
}

START_TEST(a_folder_in_the_place_of_the_file)
{
  ck_assert_int_eq(mkdir(in_folder("summary.csv"), 0700), 0);
  check_open_fails(NULL, "summary.csv", "Is a directory");
}
END_TEST

START_TEST(a_folder_in_the_place_of_the_steps)
{
  ck_assert_int_eq(mkdir(in_folder("steps.csv"), 0700), 0);
  check_open_fails("steps=1", "steps.csv", "Is a directory");
}
END_TEST

START_TEST(a_file_that_may_not_be_written)
{
  if (geteuid() == 0) return; /* root writes everything */
  write_text(in_folder("summary.csv"), HEADER);
  ck_assert_int_eq(chmod(in_folder("summary.csv"), 0400), 0);
  check_open_fails(NULL, "summary.csv", "Permission denied");
}
END_TEST

START_TEST(a_run_folder_that_went_away)
{
  dlc_log *log = open_log(NULL);
  ck_assert_int_eq(rmdir(folder), 0);
  char expected[PATH_MAX + 64];
  snprintf(expected, sizeof expected, "%s: No such file or directory", in_folder("summary.csv"));
  ck_assert_int_eq(write_row(log, DLC_ROW_EPOCH, 1, 1, 2, 3), DLC_IO);
  ck_assert_str_eq(dlc_reason(), expected);
  close_log(log);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("csv");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, one_row_an_epoch_under_a_header);
  tcase_add_test(tests, a_row_is_on_the_disk_as_soon_as_it_is_written);
  tcase_add_test(tests, a_missing_number_is_an_empty_field);
  tcase_add_test(tests, numbers_read_back_as_they_were);
  tcase_add_test(tests, steps_are_not_written_unless_asked_for);
  tcase_add_test(tests, one_row_every_k_steps);
  tcase_add_test(tests, rows_of_an_unknown_kind_are_left_alone);
  tcase_add_test(tests, a_file_with_the_same_header_goes_on);
  tcase_add_test(tests, half_a_row_is_cut_off);
  tcase_add_test(tests, a_long_half_row_is_cut_off);
  tcase_add_test(tests, half_a_header_is_written_anew);
  tcase_add_test(tests, a_file_with_other_columns_is_kept_under_another_name);
  tcase_add_test(tests, a_run_without_rows_leaves_a_file_as_it_was);
  tcase_add_test(tests, a_file_cut_anywhere_goes_on_with_whole_rows);
  tcase_add_test(tests, whole_rows_survive_a_kill);
  tcase_add_test(tests, a_full_disk_is_reported_with_the_path);
  tcase_add_test(tests, a_row_that_does_not_fit_leaves_no_half);
  tcase_add_test(tests, a_folder_in_the_place_of_the_file);
  tcase_add_test(tests, a_folder_in_the_place_of_the_steps);
  tcase_add_test(tests, a_file_that_may_not_be_written);
  tcase_add_test(tests, a_run_folder_that_went_away);
  return run_suite("csv", tests);
}
