/* dlcore plot: curves from summary.csv, on the terminal and as SVG. */
#include "program.h"

#define HEADER "epoch,train_loss,train_acc,val_loss,val_acc,lr,seconds,img_s\n"
#define FOUR                                                                                                           \
  HEADER                                                                                                               \
  "1,2,0.25,1.5,0.5,0.001,1,100\n"                                                                                     \
  "2,1.5,0.5,1.25,0.625,0.001,2,100\n"                                                                                 \
  "3,1,0.75,1.125,0.75,0.001,3,100\n"                                                                                  \
  "4,0.5,1,1,0.75,0.001,4,100\n"

static void write_run(const char *run, const char *csv)
{
  char path[128];
  mkdir("runs", 0777);
  snprintf(path, sizeof path, "runs/%s", run);
  mkdir(path, 0777);
  snprintf(path, sizeof path, "runs/%s/summary.csv", run);
  write_text(path, csv);
}

static void plain_terminal(void)
{
  enter_folder();
  setenv("LC_ALL", "C", 1);
}

/* The drawing, which is checked to be XML where that can be; the caller frees it. */
static char *drawing(const char *path)
{
  char command[256];
  snprintf(command, sizeof command, "xmllint --noout %s", path);
  if (system("command -v xmllint >/dev/null") == 0) ck_assert_msg(system(command) == 0, "%s is no XML", path);
  return read_file(path, NULL);
}

static int count(const char *text, const char *part)
{
  int n = 0;
  while ((text = strstr(text, part))) n++, text += strlen(part);
  return n;
}

#define ck_count(text, part, expected)                                                                                 \
  ck_assert_msg(count(text, part) == (expected), "'%s' %d times, expected %d", part, count(text, part), expected)

/* ---- the terminal ---- */

START_TEST(curves_are_drawn_in_letters)
{
  write_run("a", FOUR);
  ck_runs("plot runs/a", 0);
  ck_contains(out_text, "          loss\n"
                        "     2.0 +....\n"
                        "         |    .......\n"
                        "         |           ........\n"
                        "     1.5 +******             ......\n"
                        "         |      ***********        ......\n");
  ck_contains(out_text, "          accuracy, %\n"
                        "     100 +");
  ck_contains(out_text, "         +--------------------------------------------------------------------\n"
                        "          1                     2                      3                     4\n");
  ck_contains(out_text, "          * val  . train\n");
  ck_contains(out_text, "written   runs/a/curves.svg\n");
  for (const char *c = out_text; *c; c++) ck_assert_msg((unsigned char)*c < 128, "no ASCII: %s", c);
}
END_TEST

START_TEST(curves_are_drawn_in_dots_where_the_terminal_knows_them)
{
  write_run("a", FOUR);
  setenv("LC_ALL", "C.UTF-8", 1);
  ck_runs("plot runs/a", 0);
  ck_contains(out_text, "     2.0 ┤⠉ ⠢ ⢄\n");
  ck_contains(out_text, "── val  ╌╌ train\n");
  ck_lacks(out_text, "\033");
}
END_TEST

/* Dots of one colour would not tell runs apart. */
START_TEST(runs_differ_by_letter_or_by_colour)
{
  write_run("a", FOUR);
  write_run("b", FOUR);
  setenv("LC_ALL", "C.UTF-8", 1);
  ck_runs("plot runs/a runs/b", 0);
  ck_contains(out_text, "          * a  o b    . train\n");
  ck_runs("plot runs/a runs/b --color always", 0);
  ck_contains(out_text, "\033[36m──\033[0m a  \033[33m──\033[0m b    ── val  ╌╌ train\n");
}
END_TEST

START_TEST(quiet_only_writes_the_drawing)
{
  write_run("a", FOUR);
  ck_runs("plot -q runs/a", 0);
  ck_assert_str_eq(out_text, "");
  ck_assert(exists("runs/a/curves.svg"));
}
END_TEST

/* ---- the drawing ---- */

START_TEST(drawing_has_solid_and_dashed_curves_with_their_numbers)
{
  write_run("a", FOUR);
  ck_runs("plot -q runs/a", 0);
  char *svg = drawing("runs/a/curves.svg");
  ck_contains(svg, "<title>a</title>");
  ck_contains(svg, "<title>a val, epoch 2: 1.250</title>");
  ck_contains(svg, "<title>a train, epoch 4: 100.00</title>");
  ck_count(svg, "class=\"curve s0\"", 2 + 1); /* and the legend's */
  ck_count(svg, "class=\"curve s0 dashed\"", 2 + 1);
  ck_contains(svg, ">val</text>");
  ck_contains(svg, "prefers-color-scheme:dark");
  free(svg);
}
END_TEST

START_TEST(runs_are_drawn_over_each_other_in_a_colour_each)
{
  char line[256] = "plot -q", run[16];
  for (int i = 0; i < 9; i++) {
    snprintf(run, sizeof run, "r%d", i);
    write_run(run, FOUR);
    snprintf(line + strlen(line), sizeof line - strlen(line), " runs/%s", run);
  }
  ck_runs(line, 0);
  char *svg = drawing("curves.svg");
  ck_contains(svg, "<title>9 runs</title>");
  ck_count(svg, "class=\"curve s7\"", 2 + 1);
  ck_count(svg, "class=\"curve s0\"", 2 * (2 + 1)); /* the ninth begins again */
  ck_contains(svg, ">r8</text>");
  free(svg);
}
END_TEST

START_TEST(drawing_goes_where_it_is_told)
{
  write_run("a", FOUR);
  ck_runs("plot -q runs/a -o x.svg", 0);
  free(drawing("x.svg"));
  ck_runs("plot -q runs/a/summary.csv", 0);
  free(drawing("runs/a/curves.svg"));
  ck_refuses("plot -q runs/a -o nowhere/x.svg", 1, "nowhere/x.svg");
}
END_TEST

START_TEST(folders_of_one_name_are_called_by_their_paths)
{
  write_run("a", FOUR);
  ck_assert_int_eq(mkdir("other", 0777), 0);
  ck_assert_int_eq(rename("runs/a", "other/a"), 0);
  write_run("a", FOUR);
  ck_runs("plot runs/a/ other/a", 0);
  ck_contains(out_text, "* runs/a/  o other/a ");
}
END_TEST

START_TEST(names_are_escaped)
{
  write_run("<a>&b", FOUR);
  ck_runs("plot -q runs/<a>&b -o x.svg", 0);
  char *svg = drawing("x.svg");
  ck_contains(svg, "<title>&lt;a&gt;&amp;b</title>");
  free(svg);
}
END_TEST

/* ---- what is in the file ---- */

START_TEST(missing_numbers_are_gaps)
{
  write_run("a", "epoch,val_loss\n1,1\n2,\n3,3\n4,nan\n5,inf\n6,2\n7,2\n");
  ck_runs("plot -q runs/a -o x.svg", 0);
  char *svg = drawing("x.svg"), *curve = strstr(svg, "class=\"curve s0\" d=\"");
  ck_assert_ptr_nonnull(curve);
  *strchr(curve, '>') = 0;
  ck_count(curve, "M", 3);
  ck_count(curve, "L", 1);
  ck_count(curve, "h0", 2);
  free(svg);
}
END_TEST

START_TEST(columns_may_be_in_any_order_and_others_among_them)
{
  write_run("a", "note,test_acc,epoch,x,test_loss\r\nwell,0.5,1,9,2.5\r\nah,0.75,2,9,1.5\r\n");
  ck_runs("plot runs/a", 0);
  ck_contains(out_text, "          * test  \n");
  char *svg = drawing("runs/a/curves.svg");
  ck_contains(svg, "<title>a test, epoch 2: 75.");
  ck_lacks(svg, "dashed\" d=");
  free(svg);
}
END_TEST

START_TEST(repeated_epochs_replace_what_was_there)
{
  write_run("a", "epoch,train_loss\n1,4\n2,3\n3,2\n2,1\n");
  ck_runs("plot -q runs/a", 0);
  char *svg = drawing("runs/a/curves.svg");
  ck_contains(svg, "<title>a train, epoch 1: 4.");
  ck_contains(svg, "<title>a train, epoch 2: 1.");
  ck_lacks(svg, "epoch 3");
  free(svg);
}
END_TEST

START_TEST(one_epoch_and_flat_curves_can_be_drawn)
{
  write_run("one", "epoch,val_loss,val_acc\n1,0.5,0\n");
  write_run("flat", "epoch,val_loss,val_acc\n1,0,1\n2,0,1\n3,0,1\n");
  ck_runs("plot runs/one", 0);
  ck_lacks(out_text, "nan");
  free(drawing("runs/one/curves.svg"));
  ck_runs("plot runs/flat", 0);
  char *svg = drawing("runs/flat/curves.svg");
  ck_lacks(svg, "nan");
  ck_lacks(svg, "inf");
  free(svg);
}
END_TEST

/* Of a loss that grew and grew: the last but one is 1e29. */
START_TEST(numbers_of_any_size_fit_on_the_axis)
{
  write_run("a", "epoch,val_loss\n1,1e-30\n2,1e29\n3,1e308\n");
  ck_runs("plot runs/a", 0);
  ck_contains(out_text, "\n   1e+29 +");
  char *svg = drawing("runs/a/curves.svg");
  ck_contains(svg, "<title>a val, epoch 2: 1e+29</title>");
  ck_lacks(svg, "epoch 3");
  free(svg);
  write_run("a", "epoch,val_loss\n1,1e-30\n2,2e-30\n");
  ck_runs("plot runs/a", 0);
  ck_contains(out_text, "\n   1e-30 +");
}
END_TEST

START_TEST(chart_without_numbers_says_so)
{
  write_run("a", "epoch,val_loss,val_acc\n1,0.5,\n");
  ck_runs("plot runs/a", 0);
  ck_contains(out_text, "          accuracy, %\n          nothing measured\n");
  char *svg = drawing("runs/a/curves.svg");
  ck_contains(svg, ">nothing measured</text>");
  free(svg);
}
END_TEST

START_TEST(run_that_was_just_trained_can_be_plotted)
{
  ck_runs("--dataset shapes:count=64,test-count=32 --backend reference --model mlp --batch-size 32 --epochs 2 --name w",
          0);
  ck_runs("plot runs/w", 0);
  ck_contains(out_text, "          * test  . train\n");
}
END_TEST

/* ---- what is wrong ---- */

START_TEST(what_is_no_run_is_refused)
{
  ck_refuses("plot", 2, "nothing to plot: name run folders, as in dlcore plot runs/first-try");
  ck_refuses("plot runs/a", 1, "runs/a: no such run folder");
  write_run("a", FOUR);
  ck_assert_int_eq(unlink("runs/a/summary.csv"), 0);
  ck_refuses("plot runs/a", 1, "runs/a/summary.csv: no such file; --logger csv writes it");
  ck_refuses("plot runs/a --epochs 3", 2, "--epochs is not an option of dlcore plot");
}
END_TEST

/* As a pattern of all runs finds them while one of them trains. */
START_TEST(runs_without_an_epoch_are_left_out_of_several)
{
  write_run("a", FOUR);
  write_run("b", HEADER);
  ck_runs("plot runs/a runs/b", 0);
  ck_contains(out_text, "          * val  . train\n");
  ck_assert_str_eq(err_text, "dlcore: warning: runs/b/summary.csv has no row: no epoch was finished\n");
  ck_assert(exists("curves.svg"));
  write_run("a", HEADER);
  ck_runs("plot runs/a runs/b", 1);
  ck_contains(err_text, "none of the 2 runs has an epoch to draw");
  ck_runs("plot runs/a runs/c", 1);
  ck_contains(err_text, "runs/c: no such run folder");
}
END_TEST

START_TEST(wrong_files_are_refused_with_the_place)
{
  static const struct {
    const char *csv, *reason;
  } bad[] = {
      {"", "runs/a/summary.csv is empty"},
      {"\n\n", "runs/a/summary.csv is empty"},
      {HEADER, "runs/a/summary.csv has no row: no epoch was finished"},
      {"a,b\n1,2\n", "runs/a/summary.csv:1: expected the columns epoch,train_loss,.. of the csv logger, got 'a,b'"},
      {"epoch,lr\n1,2\n", "runs/a/summary.csv:1: expected the columns epoch,train_loss,.. of the csv logger"},
      {"epoch,val_loss\n1,2\n2,x\n", "runs/a/summary.csv:3: val_loss: expected a number, got 'x'"},
      {"epoch,val_loss\n1,2 3\n", "runs/a/summary.csv:2: val_loss: expected a number, got '2 3'"},
      {"epoch,val_loss\n1\n", "runs/a/summary.csv:2: expected 2 fields, got 1"},
      {"epoch,val_loss\n1,2,3\n", "runs/a/summary.csv:2: expected 2 fields, got 3"},
      {"epoch,val_loss\n0,2\n", "runs/a/summary.csv:2: epoch: expected a number from 1 to 1e9, got 0"},
      {"epoch,val_loss\n,2\n", "runs/a/summary.csv:2: epoch: expected a number from 1 to 1e9, got nan"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    write_run("a", bad[i].csv);
    ck_refuses("plot runs/a", 1, bad[i].reason);
    ck_assert(!exists("runs/a/curves.svg"));
  }
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("plot");
  tcase_add_checked_fixture(t, plain_terminal, leave_folder);
  tcase_add_test(t, curves_are_drawn_in_letters);
  tcase_add_test(t, curves_are_drawn_in_dots_where_the_terminal_knows_them);
  tcase_add_test(t, runs_differ_by_letter_or_by_colour);
  tcase_add_test(t, quiet_only_writes_the_drawing);
  tcase_add_test(t, drawing_has_solid_and_dashed_curves_with_their_numbers);
  tcase_add_test(t, runs_are_drawn_over_each_other_in_a_colour_each);
  tcase_add_test(t, drawing_goes_where_it_is_told);
  tcase_add_test(t, folders_of_one_name_are_called_by_their_paths);
  tcase_add_test(t, names_are_escaped);
  tcase_add_test(t, missing_numbers_are_gaps);
  tcase_add_test(t, columns_may_be_in_any_order_and_others_among_them);
  tcase_add_test(t, repeated_epochs_replace_what_was_there);
  tcase_add_test(t, one_epoch_and_flat_curves_can_be_drawn);
  tcase_add_test(t, numbers_of_any_size_fit_on_the_axis);
  tcase_add_test(t, chart_without_numbers_says_so);
  tcase_add_test(t, run_that_was_just_trained_can_be_plotted);
  tcase_add_test(t, what_is_no_run_is_refused);
  tcase_add_test(t, runs_without_an_epoch_are_left_out_of_several);
  tcase_add_test(t, wrong_files_are_refused_with_the_place);
  return run_suite("plot", t);
}
