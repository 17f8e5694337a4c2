/* A profile: what rows add up, which spans are kept, and what table and trace say of them. */
#include "data/loader.h"
#include "dlcore/ops.h"
#include "rig.h"
#include "run/profile_report.h"
#include "run/profile_rows.h"
#include "run/program.h"
#include "suite.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

static dlc_host host;

static dlc_profile *open_profile(int64_t first, int64_t last, uint32_t spans)
{
  dlc_profile *p;
  const dlc_profile_config config = {.first_step = first, .last_step = last, .max_spans = spans};
  rig_ok(dlc_profile_open(&config, &p));
  return p;
}

static dlc_profile_row *row_of(const dlc_track *t, const char *name, const char *op)
{
  for (dlc_profile_row *row = t->rows; row; row = row->next)
    if (strcmp(row->name, name) == 0 && (op ? row->op && strcmp(row->op, op) == 0 : !row->op)) return row;
  ck_abort_msg("no row `%s` (%s)", name, op ? op : "no node");
  return NULL;
}

static void nap(void)
{
  usleep(200);
}

static void span(dlc_track *t, const char *name)
{
  dlc_track_begin(t, name);
  nap();
  dlc_track_end(t);
}

/* ---- recording ---- */

START_TEST(self_is_the_total_without_what_is_inside)
{
  dlc_profile *p = open_profile(1, 1, 10);
  dlc_track *t = dlc_profile_main(p);
  dlc_track_begin(t, "train");
  span(t, "next batch");
  span(t, "next batch");
  dlc_track_end(t);
  const dlc_profile_row *train = row_of(t, "train", NULL), *next = row_of(t, "next batch", NULL);
  ck_assert_uint_eq(train->calls, 1);
  ck_assert_uint_eq(next->calls, 2);
  ck_assert_int_ge(next->self, 400000);
  ck_assert_int_eq(next->self, next->total);
  ck_assert_int_eq(train->self + next->self, train->total);
  dlc_profile_close(p);
}
END_TEST

START_TEST(one_name_is_one_row_wherever_its_text_lies)
{
  dlc_profile *p = open_profile(1, 1, 10);
  dlc_track *t = dlc_profile_main(p);
  const char again[] = "save";
  span(t, "save");
  span(t, again);
  ck_assert_uint_eq(row_of(t, "save", NULL)->calls, 2);
  ck_assert_uint_eq(t->n_named, 1);
  dlc_profile_close(p);
}
END_TEST

START_TEST(names_without_a_row_of_their_own_are_added_up_in_one)
{
  static char names[40][8];
  dlc_profile *p = open_profile(1, 1, 100);
  dlc_track *t = dlc_profile_main(p);
  for (int i = 0; i < 40; i++) {
    snprintf(names[i], sizeof names[i], "n%d", i);
    dlc_track_begin(t, names[i]);
    dlc_track_end(t);
  }
  ck_assert_uint_eq(t->n_named, DLC_PROFILE_NAMES);
  ck_assert_uint_eq(row_of(t, "other", NULL)->calls, 40 - DLC_PROFILE_NAMES + 1);
  dlc_profile_close(p);
}
END_TEST

START_TEST(spans_too_deep_belong_to_the_one_that_holds_them)
{
  dlc_profile *p = open_profile(1, 1, 100);
  dlc_track *t = dlc_profile_main(p);
  for (int i = 0; i < DLC_PROFILE_DEPTH; i++) dlc_track_begin(t, "deep");
  for (int i = 0; i < 5; i++) dlc_track_begin(t, "too deep");
  nap();
  for (int i = 0; i < DLC_PROFILE_DEPTH + 5; i++) dlc_track_end(t);
  ck_assert_uint_eq(t->depth, 0);
  ck_assert_uint_eq(row_of(t, "deep", NULL)->calls, DLC_PROFILE_DEPTH);
  ck_assert_int_ge(row_of(t, "deep", NULL)->self, 200000);
  ck_assert_uint_eq(row_of(t, "too deep", NULL)->calls, 0);
  dlc_track_end(t); /* one too many */
  ck_assert_uint_eq(t->depth, 0);
  dlc_profile_close(p);
}
END_TEST

START_TEST(without_a_profile_nothing_happens)
{
  dlc_track *t = dlc_profile_main(NULL);
  ck_assert_ptr_null(t);
  rig_ok(dlc_profile_track(NULL, "loader", &t));
  ck_assert_ptr_null(t);
  dlc_track_begin(t, "train");
  dlc_track_step(t, "train step");
  dlc_track_end(t);
  dlc_profile_close(NULL);
}
END_TEST

/* ---- which spans are kept ---- */

static uint32_t kept(const dlc_profile *p, const char *name)
{
  uint32_t n = 0;
  for (uint64_t i = 0; i < p->n_spans && i < p->config.max_spans; i++) n += strcmp(p->spans[i].row->name, name) == 0;
  return n;
}

static void run_phase(dlc_track *t, const char *phase, const char *step, int n)
{
  dlc_track_begin(t, phase);
  for (int i = 0; i < n; i++) {
    dlc_track_step(t, step);
    span(t, "next batch");
    dlc_track_end(t);
  }
  dlc_track_end(t);
}

START_TEST(spans_are_kept_in_the_steps_asked_for_and_rows_are_complete)
{
  dlc_profile *p = open_profile(3, 5, 1000);
  dlc_track *t = dlc_profile_main(p), *other;
  rig_ok(dlc_profile_track(p, "loader", &other));
  span(other, "early");
  run_phase(t, "train", "train step", 8);
  span(other, "late");
  run_phase(t, "test", "test step", 4);
  run_phase(t, "train", "train step", 8);
  ck_assert_uint_eq(kept(p, "train step"), 3);
  ck_assert_uint_eq(kept(p, "test step"), 2);
  ck_assert_uint_eq(kept(p, "next batch"), 5);
  ck_assert_uint_eq(kept(p, "train"), 2);
  ck_assert_uint_eq(kept(p, "early") + kept(p, "late"), 0);
  ck_assert_uint_eq(row_of(t, "train step", NULL)->calls, 16);
  ck_assert_uint_eq(row_of(t, "next batch", NULL)->calls, 20);
  dlc_profile_close(p);
}
END_TEST

/* ---- nodes ---- */

/* conv1 -> relu -> a gradient and an update of conv1.weight, and an output. */
static dlc_graph_build *small_graph(void)
{
  dlc_graph_build *g;
  host = rig_host(NULL);
  const dlc_op_finder finder = rig_finder(&host);
  const int64_t x_dim[4] = {2, 1, 4, 4}, y_dim[4] = {2, 3, 2, 2}, one = 1;
  const int64_t w_dim[4] = {3, 1, 3, 3};
  const dlc_conv2d conv = {.out_channels = 3, .kernel_size = {3, 3}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
  dlc_conv2d_grad grad = {.kernel_size = {3, 3}, .stride = {1, 1}, .size = {4, 4}, .dilation = {1, 1}, .groups = 1};
  uint32_t x, w, dy, lr, step, y[DLC_MAX_OUT], r[DLC_MAX_OUT], dw[DLC_MAX_OUT], out[DLC_MAX_OUT];
  rig_ok(dlc_graph_new(&finder, &g));
  rig_ok(dlc_graph_value(g, "x", DLC_ROLE_INPUT, DLC_F32, 4, x_dim, &x));
  rig_ok(dlc_graph_value(g, "conv1.weight", DLC_ROLE_PARAMETER, DLC_F32, 4, w_dim, &w));
  rig_ok(dlc_graph_value(g, "dy", DLC_ROLE_INPUT, DLC_F32, 4, y_dim, &dy));
  rig_ok(dlc_graph_value(g, "lr", DLC_ROLE_STEP_SCALAR, DLC_F32, 1, &one, &lr));
  rig_ok(dlc_graph_value(g, "step", DLC_ROLE_STEP_SCALAR, DLC_I64, 1, &one, &step));
  rig_ok(dlc_graph_emit(g, "conv1", "conv2d", &conv, (uint32_t[]){x, w}, 2, y));
  rig_ok(dlc_graph_emit(g, "1", "relu", NULL, y, 1, r));
  rig_ok(dlc_graph_mark(g, r[0], DLC_ROLE_OUTPUT, "y"));
  rig_ok(dlc_graph_emit(g, "conv1", "conv2d_grad_weight", &grad, (uint32_t[]){dy, x}, 2, dw));
  rig_ok(dlc_graph_mark(g, dw[0], DLC_ROLE_GRADIENT, "dw"));
  rig_ok(dlc_graph_emit(g, "conv1.weight", "sgd", NULL, (uint32_t[]){w, dw[0], lr, step}, 4, out));
  return g;
}

static void run_graph(dlc_profile *p, int times)
{
  dlc_machine *m;
  dlc_program *program;
  dlc_graph_build *g = small_graph();
  const dlc_machine_config config = {.host = &host};
  rig_ok(dlc_machine_open(&config, &m));
  rig_ok(dlc_program_add(m, "train", g, &program));
  dlc_machine_profile(m, p);
  rig_ok(dlc_machine_commit(m));
  for (int i = 0; i < times; i++) rig_ok(dlc_program_run(program));
  dlc_machine_close(m);
}

START_TEST(every_node_is_timed_and_known_by_layer_op_part_and_shapes)
{
  static const struct {
    const char *layer, *op, *part, *shapes;
  } expected[] = {{"conv1", "conv2d", "forward", "[[2, 1, 4, 4], [3, 1, 3, 3]]"},
                  {"1", "relu", "forward", "[[2, 3, 2, 2]]"},
                  {"conv1", "conv2d_grad_weight", "backward", "[[2, 3, 2, 2], [2, 1, 4, 4]]"},
                  {"conv1", "sgd", "update", "[[3, 1, 3, 3], [3, 1, 3, 3], [1], [1]]"}};
  dlc_profile *p = open_profile(1, 1, 1000);
  dlc_track *t = dlc_profile_main(p);
  dlc_track_begin(t, "train");
  run_graph(p, 7);
  dlc_track_end(t);
  int64_t nodes = 0;
  for (size_t i = 0; i < 4; i++) {
    const dlc_profile_row *row = row_of(t, expected[i].layer, expected[i].op);
    ck_assert_str_eq(row->program, "train");
    ck_assert_str_eq(row->part, expected[i].part);
    ck_assert_str_eq(row->shapes, expected[i].shapes);
    ck_assert_uint_eq(row->calls, 7);
    ck_assert_int_gt(row->total, 0);
    ck_assert_int_eq(row->self, row->total);
    nodes += row->total;
  }
  const dlc_profile_row *train = row_of(t, "train", NULL);
  ck_assert_int_eq(train->self + nodes, train->total);
  ck_assert_uint_eq(p->n_spans, 4 * 7 + 1);
  dlc_profile_close(p);
}
END_TEST

/* ---- the table ---- */

static void add_row(dlc_profile *p, const char *name, uint64_t calls, int64_t self, int64_t total)
{
  dlc_track *t = dlc_profile_main(p);
  dlc_track_begin(t, name);
  dlc_track_end(t);
  dlc_profile_row *row = row_of(t, name, NULL);
  row->calls = calls;
  row->self = self;
  row->total = total;
}

static char *table_of(const dlc_profile *p, int by, int sort, uint32_t lines)
{
  dlc_str text = {0};
  const dlc_profile_view view = {by, sort, lines};
  rig_ok(dlc_profile_table(p, &view, &text));
  return text.text;
}

START_TEST(the_table_has_pytorchs_columns_units_and_footer)
{
  dlc_profile *p = open_profile(1, 1, 10);
  add_row(p, "model_inference", 1, 5683000, 997079000);
  add_row(p, "conv", 4, 1010000000, 1010000000);
  add_row(p, "none", 2, 58000, 58500);
  char *text = table_of(p, DLC_PROFILE_BY_OP, DLC_PROFILE_SORT_TOTAL, 0);
  ck_assert_str_eq(
      text, "-------------------  ------------  ------------  ------------  ------------  ------------  ------------\n"
            "               Name    Self CPU %      Self CPU   CPU total %     CPU total  CPU time avg    # of Calls\n"
            "-------------------  ------------  ------------  ------------  ------------  ------------  ------------\n"
            "               conv        99.43%        1.010s        99.43%        1.010s     252.500ms             4\n"
            "    model_inference         0.56%       5.683ms        98.16%     997.079ms     997.079ms             1\n"
            "               none         0.01%      58.000us         0.01%      58.500us      29.250us             2\n"
            "-------------------  ------------  ------------  ------------  ------------  ------------  ------------\n"
            "Self CPU time total: 1.016s\n");
  free(text);
  dlc_profile_close(p);
}
END_TEST

/* The first words of the table's rows, separated by blanks. */
static const char *names_in(char *text)
{
  static char names[1024];
  names[0] = 0;
  char *rest = text;
  for (int i = 0; i < 3; i++) strsep(&rest, "\n");
  for (char *line; (line = strsep(&rest, "\n")) && line[0] == ' ';) {
    char word[64];
    ck_assert_int_eq(sscanf(line, "%63s", word), 1);
    strcat(strcat(names, names[0] ? " " : ""), word);
  }
  free(text);
  return names;
}

START_TEST(nodes_that_compute_much_show_how_fast)
{
  dlc_profile *p = open_profile(1, 1, 10);
  run_graph(p, 1);
  dlc_profile_row *conv = row_of(dlc_profile_main(p), "conv1", "conv2d");
  ck_assert_double_eq(conv->flops, 2 * 2 * 3 * 2 * 2 * 9);
  conv->calls = 10;
  conv->self = conv->total = 1000;
  char *text = table_of(p, DLC_PROFILE_BY_OP, DLC_PROFILE_SORT_NAME, 0);
  ck_assert_ptr_nonnull(strstr(text, "# of Calls       GFLOP/s\n"));
  ck_assert_ptr_nonnull(strstr(text, "            10           4.3\n"));
  ck_assert_msg(strstr(text, "             1            --\n") != NULL, "relu has a rate: %s", text);
  free(text);
  dlc_profile_close(p);
}
END_TEST

START_TEST(rows_are_sorted_as_asked_and_as_many_as_asked)
{
  dlc_profile *p = open_profile(1, 1, 10);
  add_row(p, "a", 5, 100, 900);
  add_row(p, "b", 7, 300, 300);
  add_row(p, "c", 7, 200, 1000);
  ck_assert_str_eq(names_in(table_of(p, DLC_PROFILE_BY_OP, DLC_PROFILE_SORT_TOTAL, 0)), "c a b");
  ck_assert_str_eq(names_in(table_of(p, DLC_PROFILE_BY_OP, DLC_PROFILE_SORT_SELF, 0)), "b c a");
  ck_assert_str_eq(names_in(table_of(p, DLC_PROFILE_BY_OP, DLC_PROFILE_SORT_CALLS, 0)), "b c a");
  ck_assert_str_eq(names_in(table_of(p, DLC_PROFILE_BY_OP, DLC_PROFILE_SORT_NAME, 0)), "a b c");
  char *text = table_of(p, DLC_PROFILE_BY_OP, DLC_PROFILE_SORT_TOTAL, 2);
  ck_assert_ptr_nonnull(strstr(text, "\nSelf CPU time total: 0.600us (2 of 3 rows are shown)\n"));
  ck_assert_str_eq(names_in(text), "c a");
  dlc_profile_close(p);
}
END_TEST

START_TEST(nodes_are_added_up_by_op_layer_or_shape)
{
  dlc_profile *p = open_profile(1, 1, 10);
  run_graph(p, 2);
  run_graph(p, 3);
  ck_assert_str_eq(names_in(table_of(p, DLC_PROFILE_BY_OP, DLC_PROFILE_SORT_NAME, 0)),
                   "conv2d conv2d_grad_weight relu sgd");
  char *text = table_of(p, DLC_PROFILE_BY_LAYER, DLC_PROFILE_SORT_CALLS, 0);
  ck_assert_msg(strstr(text, "            15  ") != NULL, "conv1 has not 3 nodes run 5 times: %s", text);
  ck_assert_str_eq(names_in(text), "conv1 1");
  text = table_of(p, DLC_PROFILE_BY_SHAPE, DLC_PROFILE_SORT_NAME, 0);
  ck_assert_ptr_nonnull(strstr(text, " Input Shapes\n"));
  ck_assert_ptr_nonnull(strstr(text, " [[2, 1, 4, 4], [3, 1, 3, 3]]\n"));
  free(text);
  dlc_profile_close(p);
}
END_TEST

START_TEST(long_names_are_cut)
{
  static const char name[] = "a234567890b234567890c234567890d234567890e234567890f234567890";
  dlc_profile *p = open_profile(1, 1, 10);
  add_row(p, name, 1, 1, 1);
  char *text = table_of(p, DLC_PROFILE_BY_OP, DLC_PROFILE_SORT_NAME, 0);
  ck_assert_ptr_nonnull(strstr(text, "    a234567890b234567890c234567890d234567890e234567890f2...   "));
  free(text);
  dlc_profile_close(p);
}
END_TEST

START_TEST(an_empty_profile_has_an_empty_table)
{
  dlc_profile *p = open_profile(1, 1, 0);
  char *text = table_of(p, DLC_PROFILE_BY_OP, DLC_PROFILE_SORT_TOTAL, 0);
  ck_assert_ptr_nonnull(strstr(text, "\nSelf CPU time total: 0.000us\n"));
  free(text);
  dlc_profile_close(p);
}
END_TEST

/* ---- the trace ---- */

static json_t *trace_of(dlc_profile *p, dlc_trace_info *info)
{
  json_error_t error;
  rig_ok(dlc_profile_trace(p, in_folder("profile.json"), info));
  json_t *root = json_load_file(in_folder("profile.json"), JSON_REJECT_DUPLICATES, &error);
  ck_assert_msg(root != NULL, "line %d: %s", error.line, error.text);
  return root;
}

static const char *text_at(const json_t *object, const char *key)
{
  const char *text = json_string_value(json_object_get(object, key));
  ck_assert_msg(text != NULL, "no text `%s`", key);
  return text;
}

/* A time of an event, back in nanoseconds. */
static int64_t nanoseconds(const json_t *event, const char *key)
{
  const json_t *v = json_object_get(event, key);
  ck_assert_msg(json_is_number(v), "no number `%s`", key);
  return llround(json_number_value(v) * 1000);
}

/* Every span lies within the one that was open when it began, or beside it, never across its end. */
static void ck_nests(const json_t *events, int64_t tid)
{
  int64_t ends[64], last = 0;
  size_t i, depth = 0;
  json_t *e;
  json_array_foreach(events, i, e)
  {
    if (*text_at(e, "ph") != 'X' || json_integer_value(json_object_get(e, "tid")) != tid) continue;
    const int64_t begin = nanoseconds(e, "ts"), end = begin + nanoseconds(e, "dur");
    ck_assert_int_ge(begin, last);
    last = begin;
    while (depth && ends[depth - 1] <= begin) depth--;
    if (depth) ck_assert_msg(end <= ends[depth - 1], "%s ends after what holds it", text_at(e, "name"));
    ck_assert_uint_lt(depth, 64);
    ends[depth++] = end;
  }
}

static uint32_t count_events(const json_t *events, const char *ph, const char *name)
{
  uint32_t n = 0;
  size_t i;
  json_t *e;
  json_array_foreach(events, i, e) n += strcmp(text_at(e, "ph"), ph) == 0 && strcmp(text_at(e, "name"), name) == 0;
  return n;
}

START_TEST(the_trace_is_json_whose_spans_nest)
{
  dlc_profile *p = open_profile(1, 100, 1000);
  dlc_track *t = dlc_profile_main(p), *loader;
  dlc_trace_info info;
  rig_ok(dlc_profile_track(p, "train loader \"0\"", &loader));
  dlc_track_begin(loader, "read batch");
  dlc_track_begin(t, "train");
  for (int i = 0; i < 3; i++) {
    dlc_track_step(t, "train step");
    span(t, "next batch");
    run_graph(p, 2);
    dlc_track_end(t);
  }
  dlc_track_end(loader);
  dlc_track_end(t);
  json_t *root = trace_of(p, &info), *events = json_object_get(root, "traceEvents");
  ck_assert_uint_eq(info.spans, 1 + 1 + 3 * (2 + 8));
  ck_assert_uint_eq(info.left_out, 0);
  ck_assert_uint_eq(json_array_size(events), info.spans + 2 * 2 + 1);
  ck_nests(events, 0);
  ck_nests(events, 1);
  ck_assert_uint_eq(count_events(events, "X", "train"), 1);
  ck_assert_uint_eq(count_events(events, "X", "train step"), 3);
  ck_assert_uint_eq(count_events(events, "X", "conv1 (conv2d)"), 6);
  ck_assert_uint_eq(count_events(events, "M", "thread_name"), 2);
  size_t i;
  json_t *e;
  json_array_foreach(events, i, e)
  {
    if (strcmp(text_at(e, "name"), "thread_name") == 0 && json_integer_value(json_object_get(e, "tid")) == 1)
      ck_assert_str_eq(text_at(json_object_get(e, "args"), "name"), "train loader \"0\"");
    if (strcmp(text_at(e, "name"), "conv1 (sgd)") != 0) continue;
    ck_assert_str_eq(text_at(e, "cat"), "update");
    ck_assert_str_eq(text_at(json_object_get(e, "args"), "layer"), "conv1");
  }
  json_decref(root);
  dlc_profile_close(p);
}
END_TEST

START_TEST(spans_without_room_are_counted)
{
  dlc_profile *p = open_profile(1, 100, 5);
  dlc_trace_info info;
  for (int i = 0; i < 8; i++) span(dlc_profile_main(p), "save");
  json_t *root = trace_of(p, &info);
  ck_assert_uint_eq(info.spans, 5);
  ck_assert_uint_eq(info.left_out, 3);
  ck_assert_uint_eq(count_events(json_object_get(root, "traceEvents"), "X", "save"), 5);
  ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(root, "otherData"), "spans_left_out")), 3);
  ck_assert_uint_eq(row_of(dlc_profile_main(p), "save", NULL)->calls, 8);
  json_decref(root);
  dlc_profile_close(p);
}
END_TEST

/* ---- the loader ---- */

enum { SAMPLES = 50, BATCH = 8, BATCHES = 7 };

static void read_epoch(dlc_profile *p, uint32_t workers)
{
  rig_data d;
  dlc_subset all;
  dlc_loader *loader;
  uint8_t samples[BATCH * RIG_PIXELS];
  int32_t labels[BATCH];
  uint32_t n;
  rig_data_open(&d, SAMPLES, 4, 0);
  rig_ok(dlc_subset_all(&d.info, 0, &all));
  const dlc_loader_config config = {.sample = {.dataset = &rig_dataset, .data = rig_as_data(&d)},
                                    .subset = &all,
                                    .batch_size = BATCH,
                                    .workers = workers,
                                    .profile = p,
                                    .name = "train"};
  rig_ok(dlc_loader_open(&config, &loader));
  rig_ok(dlc_loader_start(loader, 0, 0));
  while (dlc_loader_next(loader, samples, labels, &n) == DLC_OK) ck_assert_uint_gt(n, 0);
  dlc_loader_close(loader);
  dlc_subset_free(&all);
  rig_data_close(&d);
}

START_TEST(loader_threads_tell_what_they_read_and_the_caller_what_it_waits)
{
  dlc_profile *p = open_profile(1, 1, 1000);
  read_epoch(p, 3);
  const dlc_track *t = dlc_profile_main(p);
  ck_assert_uint_eq(row_of(t, "next batch", NULL)->calls, BATCHES);
  ck_assert_uint_eq(row_of(t, "wait for loader", NULL)->calls, BATCHES);
  uint64_t batches = 0, samples = 0;
  uint32_t number = 0;
  for (t = t->next; t; t = t->next) {
    char name[32];
    snprintf(name, sizeof name, "train loader %u", number++);
    ck_assert_str_eq(t->name, name);
    if (!t->rows) continue; /* one that came too late for any batch */
    batches += row_of(t, "read batch", NULL)->calls;
    samples += row_of(t, "read sample", NULL)->calls;
  }
  ck_assert_uint_eq(number, 3);
  ck_assert_uint_eq(batches, BATCHES);
  ck_assert_uint_eq(samples, SAMPLES);
  char *text = table_of(p, DLC_PROFILE_BY_OP, DLC_PROFILE_SORT_TOTAL, 0);
  ck_assert_ptr_nonnull(strstr(text, "\nSelf CPU time total of 3 other threads: "));
  free(text);
  dlc_profile_close(p);
}
END_TEST

START_TEST(without_workers_the_caller_reads)
{
  dlc_profile *p = open_profile(1, 1, 1000);
  read_epoch(p, 0);
  const dlc_track *t = dlc_profile_main(p);
  ck_assert_uint_eq(row_of(t, "next batch", NULL)->calls, BATCHES);
  ck_assert_uint_eq(row_of(t, "read sample", NULL)->calls, SAMPLES);
  ck_assert_ptr_null(t->next);
  dlc_profile_close(p);
}
END_TEST

int main(void)
{
  TCase *c = tcase_create("profile");
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_test(c, self_is_the_total_without_what_is_inside);
  tcase_add_test(c, one_name_is_one_row_wherever_its_text_lies);
  tcase_add_test(c, names_without_a_row_of_their_own_are_added_up_in_one);
  tcase_add_test(c, spans_too_deep_belong_to_the_one_that_holds_them);
  tcase_add_test(c, without_a_profile_nothing_happens);
  tcase_add_test(c, spans_are_kept_in_the_steps_asked_for_and_rows_are_complete);
  tcase_add_test(c, every_node_is_timed_and_known_by_layer_op_part_and_shapes);
  tcase_add_test(c, the_table_has_pytorchs_columns_units_and_footer);
  tcase_add_test(c, nodes_that_compute_much_show_how_fast);
  tcase_add_test(c, rows_are_sorted_as_asked_and_as_many_as_asked);
  tcase_add_test(c, nodes_are_added_up_by_op_layer_or_shape);
  tcase_add_test(c, long_names_are_cut);
  tcase_add_test(c, an_empty_profile_has_an_empty_table);
  tcase_add_test(c, the_trace_is_json_whose_spans_nest);
  tcase_add_test(c, spans_without_room_are_counted);
  tcase_add_test(c, loader_threads_tell_what_they_read_and_the_caller_what_it_waits);
  tcase_add_test(c, without_workers_the_caller_reads);
  return run_suite("profile", c);
}
