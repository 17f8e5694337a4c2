/* Programs: the memory plan never lets two living values share an address, states persist, backends and their refusals.
 */
#include "dlcore/ops.h"
#include "rig.h"
#include "run/plan.h"
#include "run/program.h"
#include <stdio.h>

static dlc_host host;
static char logged[512];

static void keep_line(void *ctx, int level, const char *text)
{
  (void)ctx;
  (void)level;
  snprintf(logged, sizeof(logged), "%s", text);
}

static const dlc_sink sink = {.level = DLC_LOG_DEBUG, .line = keep_line};

static dlc_graph_build *new_graph(void)
{
  dlc_graph_build *g;
  host = rig_host(NULL);
  const dlc_op_finder finder = rig_finder(&host);
  rig_ok(dlc_graph_new(&finder, &g));
  return g;
}

static uint32_t value(dlc_graph_build *g, const char *name, uint32_t role, uint32_t dtype, int64_t n)
{
  const int64_t dim[2] = {1, n};
  uint32_t id;
  rig_ok(dlc_graph_value(g, name, role, dtype, 2, dim, &id));
  return id;
}

static uint32_t emit(dlc_graph_build *g, const char *op, uint32_t a, uint32_t b)
{
  const uint32_t in[2] = {a, b};
  uint32_t out[DLC_MAX_OUT];
  rig_ok(dlc_graph_emit(g, "n", op, NULL, in, b == DLC_NONE ? 1 : 2, out));
  return out[0];
}

/* Whoever writes a value must not write into one that is still to be read: checked by brute force on random graphs. */
START_TEST(values_that_live_at_the_same_time_never_share_memory)
{
  for (uint32_t trial = 0; trial < 60; trial++) {
    dlc_graph_build *g = new_graph();
    uint32_t ids[40], n = 0;
    ids[n++] = value(g, "x", DLC_ROLE_INPUT, DLC_F32, 17);
    for (uint32_t i = 0; i < 30; i++) {
      uint32_t w[4];
      dlc_random_words(trial, 0x30000, 0, i, 0, w);
      uint32_t a = ids[w[0] % n], b = ids[w[1] % n];
      ids[n++] = w[2] % 4 == 0 ? emit(g, "flatten", a, DLC_NONE) : emit(g, "add", a, b);
    }
    const dlc_graph *view = dlc_graph_view(g);
    dlc_plan plan;
    rig_ok(dlc_plan_make(view, &plan));
    for (uint32_t i = 0; i < view->n_nodes; i++) { /* node i writes; who is read at or after i and written before? */
      const dlc_node *w = dlc_node_at(view, i);
      if (w->op->flags & DLC_OP_VIEW) continue;
      const dlc_place *out = &plan.places[w->out[0]];
      for (uint32_t r = i; r < view->n_nodes; r++)
        for (uint32_t j = 0; j < dlc_node_at(view, r)->n_in; j++) {
          const uint32_t read = dlc_node_at(view, r)->in[j];
          const dlc_place *in = &plan.places[plan.places[read].root];
          bool before = false;
          for (uint32_t p = 0; p < i; p++) before |= dlc_node_at(view, p)->out[0] == plan.places[read].root;
          if (in->kept || !before) continue;
          ck_assert_msg(in->offset + in->bytes <= out->offset || out->offset + out->bytes <= in->offset,
                        "trial %u: node %u writes [%zu, +%zu) while value %u at [%zu, +%zu) is read by node %u", trial,
                        i, out->offset, out->bytes, read, in->offset, in->bytes, r);
        }
    }
    ck_assert_uint_lt(plan.arena_bytes, plan.unplanned_bytes);
    dlc_plan_free(&plan);
    dlc_graph_free(g);
  }
}
END_TEST

static dlc_machine *open_machine(const dlc_backend *backend)
{
  dlc_machine *m;
  const dlc_machine_config config = {.backend = backend, .host = &host, .sink = &sink};
  logged[0] = '\0';
  rig_ok(dlc_machine_open(&config, &m));
  return m;
}

/* sgd with momentum on w, gradient from outside */
static dlc_graph_build *update_graph(int64_t n)
{
  dlc_graph_build *g = new_graph();
  const dlc_sgd attr = {.momentum = 0.5};
  const int64_t one = 1;
  uint32_t in[5], out[DLC_MAX_OUT];
  in[0] = value(g, "w", DLC_ROLE_PARAMETER, DLC_F32, n);
  in[1] = value(g, "v", DLC_ROLE_STATE, DLC_F32, n);
  in[2] = value(g, "grad", DLC_ROLE_INPUT, DLC_F32, n);
  rig_ok(dlc_graph_value(g, "lr", DLC_ROLE_STEP_SCALAR, DLC_F32, 1, &one, &in[3]));
  rig_ok(dlc_graph_value(g, "step", DLC_ROLE_STEP_SCALAR, DLC_I64, 1, &one, &in[4]));
  rig_ok(dlc_graph_emit(g, "w", "sgd", &attr, in, 5, out));
  return g;
}

START_TEST(parameters_and_states_are_updated_in_place_and_persist)
{
  dlc_graph_build *g = update_graph(3);
  dlc_machine *m = open_machine(NULL);
  dlc_program *p;
  rig_ok(dlc_program_add(m, "train", g, &p));
  rig_ok(dlc_machine_commit(m));
  float *w = dlc_machine_memory(m, "w", NULL), *v = dlc_machine_memory(m, "v", NULL);
  float *grad = dlc_machine_memory(m, "grad", NULL);
  *(float *)dlc_machine_memory(m, "lr", NULL) = 0.1f;
  for (int i = 0; i < 3; i++) {
    w[i] = (float)i;
    grad[i] = 1.0f;
  }
  rig_ok(dlc_program_run(p));
  rig_ok(dlc_program_run(p));
  for (int i = 0; i < 3; i++) {
    ck_assert_float_eq_tol(v[i], 1.5f, 1e-6f);
    ck_assert_float_eq_tol(w[i], (float)i - 0.1f - 0.15f, 1e-6f);
  }
  ck_assert_ptr_null(dlc_machine_memory(m, "no such name", NULL));
  dlc_machine_close(m);
}
END_TEST

START_TEST(programs_share_what_they_name_alike_at_the_larger_size)
{
  dlc_machine *m = open_machine(NULL);
  const int64_t sizes[2] = {2, 5};
  dlc_program *p[2];
  float *buffer;
  size_t bytes;
  for (int i = 0; i < 2; i++) {
    dlc_graph_build *g = new_graph();
    uint32_t x = value(g, "x", DLC_ROLE_INPUT, DLC_F32, sizes[i]);
    uint32_t y = emit(g, "relu", x, DLC_NONE);
    rig_ok(dlc_graph_mark(g, y, DLC_ROLE_OUTPUT, "y"));
    rig_ok(dlc_program_add(m, "p", g, &p[i]));
  }
  rig_ok(dlc_machine_commit(m));
  buffer = dlc_machine_memory(m, "x", &bytes);
  ck_assert_uint_eq(bytes, 5 * sizeof(float));
  for (int i = 0; i < 5; i++) buffer[i] = (float)(i + 1);
  rig_ok(dlc_program_run(p[0]));
  const float *y = dlc_machine_memory(m, "y", NULL);
  ck_assert_float_eq(y[1], 2.0f);
  ck_assert_float_eq(y[2], 0.0f);
  rig_ok(dlc_program_run(p[1]));
  ck_assert_float_eq(y[4], 5.0f);
  dlc_machine_close(m);
}
END_TEST

/* ---- a backend that does relu only ---- */

static int closed;
static dlc_status fake_open(const dlc_backend *b, const dlc_host *h, const dlc_option_value *values, dlc_device **d)
{
  (void)b;
  *d = (dlc_device *)(uintptr_t)1;
  return values[0].i == 13 ? h->fail(h, DLC_DEVICE, "device 13 is broken") : DLC_OK;
}
static void fake_close(dlc_device *d)
{
  (void)d;
  closed++;
}
static dlc_status fake_relu(void *state, const void *const *in, void *const *out, void *ws)
{
  (void)state;
  (void)ws;
  ((float *)out[0])[0] = ((const float *)in[0])[0] * 100;
  return DLC_OK;
}
static dlc_status fake_kernel(dlc_device *d, const dlc_graph *g, uint32_t node, dlc_kernel *k)
{
  (void)d;
  if (strcmp(dlc_node_at(g, node)->op->name, "relu") != 0) return DLC_UNSUPPORTED;
  k->launch = fake_relu;
  return DLC_OK;
}
static const dlc_option fake_options[] = {{sizeof(dlc_option), DLC_OPTION_INT, "device", "0", "0..99", "which"}};
static const dlc_backend fake = {.size = sizeof(dlc_backend),
                                 .name = "fake",
                                 .options = fake_options,
                                 .n_options = 1,
                                 .open = fake_open,
                                 .close = fake_close,
                                 .kernel = fake_kernel};

START_TEST(a_node_the_backend_refuses_runs_on_the_reference_and_is_named_once)
{
  dlc_machine *m = open_machine(&fake);
  dlc_program *p;
  dlc_graph_build *g = new_graph();
  uint32_t x = value(g, "x", DLC_ROLE_INPUT, DLC_F32, 1);
  uint32_t y = emit(g, "relu", emit(g, "add", x, emit(g, "add", x, x)), DLC_NONE);
  dlc_plan_info info;
  rig_ok(dlc_graph_mark(g, y, DLC_ROLE_OUTPUT, "y"));
  rig_ok(dlc_program_add(m, "p", g, &p));
  rig_ok(dlc_machine_commit(m));
  ck_assert_str_eq(logged, "backend fake does 1 of 3 nodes; on the slower reference kernels: add");
  *(float *)dlc_machine_memory(m, "x", NULL) = 2.0f;
  rig_ok(dlc_program_run(p));
  ck_assert_float_eq(*(float *)dlc_machine_memory(m, "y", NULL), 600.0f);
  dlc_program_info(p, &info);
  ck_assert_uint_eq(info.n_nodes, 3);
  ck_assert_uint_eq(info.n_fallback, 2);
  closed = 0;
  dlc_machine_close(m);
  ck_assert_int_eq(closed, 1);
}
END_TEST

START_TEST(a_backend_that_cannot_start_is_an_error_with_its_reason)
{
  dlc_machine *m;
  host = rig_host(NULL);
  dlc_machine_config config = {.backend = &fake, .host = &host, .backend_options = "device=13"};
  ck_assert_int_eq(dlc_machine_open(&config, &m), DLC_DEVICE);
  ck_assert_str_eq(dlc_reason(), "backend fake cannot start: device 13 is broken");
  config.backend_options = "device=100";
  ck_assert_int_eq(dlc_machine_open(&config, &m), DLC_INVALID);
  ck_assert_ptr_nonnull(strstr(dlc_reason(), "100"));
}
END_TEST

START_TEST(one_name_with_two_data_types_is_refused)
{
  dlc_machine *m = open_machine(NULL);
  dlc_program *p;
  dlc_graph_build *g = new_graph();
  value(g, "x", DLC_ROLE_INPUT, DLC_F32, 1);
  rig_ok(dlc_program_add(m, "p", g, &p));
  g = new_graph();
  value(g, "x", DLC_ROLE_INPUT, DLC_I32, 1);
  ck_assert_int_eq(dlc_program_add(m, "q", g, &p), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "`x` is the name of two different values");
  dlc_machine_close(m);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("program");
  TCase *c = tcase_create("program");
  tcase_add_test(c, values_that_live_at_the_same_time_never_share_memory);
  tcase_add_test(c, parameters_and_states_are_updated_in_place_and_persist);
  tcase_add_test(c, programs_share_what_they_name_alike_at_the_larger_size);
  tcase_add_test(c, a_node_the_backend_refuses_runs_on_the_reference_and_is_named_once);
  tcase_add_test(c, a_backend_that_cannot_start_is_an_error_with_its_reason);
  tcase_add_test(c, one_name_with_two_data_types_is_refused);
  suite_add_tcase(s, c);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
