/* --watch: which epoch is the best by the metric that is named, and what else goes by it. */
#include "program.h"
#include <jansson.h>
#include <math.h>

enum { EPOCHS = 6 };
#define NOISY QUICK "--epochs 6 --lr 0.05 --logger csv --name x --exist-ok "

static json_t *results(void)
{
  char *text = read_file("runs/x/results.json", NULL);
  json_t *root = json_loads(text, 0, NULL);
  ck_assert_ptr_nonnull(root);
  free(text);
  return root;
}

static int position(char *head, const char *column)
{
  int i = 0;
  for (char *name = strtok(head, ",\n"); name; name = strtok(NULL, ",\n"), i++)
    if (strcmp(name, column) == 0) return i;
  ck_abort_msg("no column %s", column);
}

/* Of every epoch. */
static void read_column(const char *column, double *values)
{
  char line[512];
  FILE *f = fopen("runs/x/summary.csv", "r");
  ck_assert(f && fgets(line, sizeof line, f));
  const int at = position(line, column);
  for (int epoch = 0; epoch < EPOCHS; epoch++) {
    ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
    char *cell = line;
    for (int i = 0; i < at; i++) cell = strchr(cell, ',') + 1;
    values[epoch] = strtod(cell, NULL);
  }
  fclose(f);
}

static void check_best(const char *options, const char *metric, const char *column, bool low)
{
  char arguments[512], key[40];
  double values[EPOCHS];
  int best = 0;
  snprintf(arguments, sizeof arguments, NOISY "%s --watch %s", options, metric);
  ck_runs(arguments, 0);
  read_column(column, values);
  for (int i = 1; i < EPOCHS; i++)
    if (low ? values[i] < values[best] : values[i] > values[best]) best = i;
  json_t *r = results();
  ck_assert_msg(json_integer_value(json_object_get(r, "best_epoch")) == best + 1, "%s: best epoch is %lld, by %s %d",
                metric, (long long)json_integer_value(json_object_get(r, "best_epoch")), column, best + 1);
  snprintf(key, sizeof key, "best_%s", metric);
  ck_assert_double_eq_tol(json_number_value(json_object_get(r, key)), values[best], 1e-6);
  json_decref(r);
}

START_TEST(every_metric_has_its_best_epoch)
{
  static const char *const names[][2] = {
      {"accuracy", "val_acc"},    {"loss", "val_loss"},         {"train_accuracy", "train_acc"},
      {"train_acc", "train_acc"}, {"train_loss", "train_loss"}, {"val_accuracy", "val_acc"},
      {"val_acc", "val_acc"},     {"val_loss", "val_loss"},     {"top5", "val_top5"},
      {"val_top5", "val_top5"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    check_best("--val-split 0.25", names[i][0], names[i][1], strstr(names[i][0], "loss") != NULL);
  check_best("", "accuracy", "test_acc", false);
  check_best("", "loss", "test_loss", true);
  check_best("", "test_accuracy", "test_acc", false);
  check_best("", "test_loss", "test_loss", true);
  check_best("", "test_top5", "test_top5", false);
}
END_TEST

START_TEST(metrics_that_are_unknown_or_not_measured_are_refused)
{
  ck_refuses(
      QUICK "--watch f1", 2,
      "--watch: no metric 'f1'; there are accuracy, top5 and loss (of validation, else of test), train_accuracy, "
      "train_loss, val_accuracy, val_top5, val_loss, test_accuracy, test_top5, test_loss");
  ck_refuses(QUICK "--watch val_loss", 1, "val_loss cannot be watched: there is no val part; --val-split cuts one off");
  ck_refuses(QUICK "--watch test_loss --val-split 0.25", 1,
             "test_loss cannot be watched: with a val part the test comes once, at the end");
  ck_assert(!exists("runs"));
}
END_TEST

/* A rate of all but nothing changes no weight, so no epoch is better than the first. */
START_TEST(patience_and_plateau_go_by_it)
{
  ck_runs(QUICK "--epochs 9 --opt sgd --lr 1e-30 --no-shuffle --watch train_loss --patience 3 --name x "
                "--sched plateau:patience=0 --logger csv",
          0);
  ck_contains(out_text, "no better epoch than 1 in 3: the run ended early");
  char *table = read_file("runs/x/summary.csv", NULL);
  ck_assert_int_eq(count_lines(table), 5);
  ck_contains(table, ",1e-31,");
  free(table);
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("watch");
  tcase_add_checked_fixture(t, enter_folder, leave_folder);
  tcase_set_timeout(t, 60);
  tcase_add_test(t, every_metric_has_its_best_epoch);
  tcase_add_test(t, metrics_that_are_unknown_or_not_measured_are_refused);
  tcase_add_test(t, patience_and_plateau_go_by_it);
  return run_suite("watch", t);
}
