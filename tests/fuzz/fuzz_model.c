/* Any text as a model file. What is refused must say where; what is accepted must become a graph, with gradients, whose
 * tensors have names of their own. */
#include "base/status.h"
#include "fuzz_host.h"
#include "graph/flops.h"
#include "graph/model.h"
#include "ops/ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static dlc_status find(void *ctx, const char *name, const dlc_op **op)
{
  (void)ctx;
  for (uint32_t i = 0; (*op = dlc_core_ops[i]); i++)
    if (strcmp((*op)->name, name) == 0) return DLC_OK;
  return dlc_fail(DLC_NOT_FOUND, "no op is called '%s'", name);
}

static void check_names(const dlc_graph *g, const dlc_model_graph *m)
{
  for (uint32_t i = 0; i < m->n_params; i++)
    for (uint32_t k = 0; k < i && k < 200; k++)
      FUZZ_CHECK(strcmp(dlc_value_at(g, m->params[i].value)->name, dlc_value_at(g, m->params[k].value)->name) != 0);
}

/* No op of the core refuses a gradient where its forward node was accepted. */
static void differentiate(dlc_graph_build *g, const dlc_model_graph *m)
{
  const int64_t rows = 2;
  uint32_t in[2] = {m->logits}, out[DLC_MAX_OUT], n = 0;
  uint32_t *ids = calloc(2 * (size_t)m->n_params + 1, sizeof *ids);
  FUZZ_CHECK(ids);
  for (uint32_t i = 0; i < m->n_params; i++)
    if (dlc_value_at(dlc_graph_view(g), m->params[i].value)->role == DLC_ROLE_PARAMETER) ids[n++] = m->params[i].value;
  FUZZ_CHECK(dlc_graph_pool_before_relu(g) == DLC_OK);
  FUZZ_CHECK(dlc_graph_value(g, "labels", DLC_ROLE_INPUT, DLC_I32, 1, &rows, &in[1]) == DLC_OK);
  FUZZ_CHECK(dlc_graph_emit(g, "loss", "cross_entropy", NULL, in, 2, out) == DLC_OK);
  if (dlc_graph_differentiate(g, out[0], ids, n, ids + m->n_params) < 0) {
    fprintf(stderr, "%s\n", dlc_reason());
    FUZZ_CHECK(strstr(dlc_reason(), "too many elements"));
  }
  free(ids);
}

static void build(const dlc_model *model, int training)
{
  static const int64_t dim[4] = {2, 3, 32, 32};
  const dlc_op_finder finder = {find, NULL, &fuzz_host};
  const dlc_model_use use = {.classes = 10, .training = training != 0};
  dlc_graph_build *g;
  dlc_model_graph m;
  uint32_t input;
  FUZZ_CHECK(dlc_graph_new(&finder, &g) == DLC_OK);
  FUZZ_CHECK(dlc_graph_value(g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &input) == DLC_OK);
  if (dlc_model_build(model, g, input, &use, &m) >= 0) {
    const dlc_graph *view = dlc_graph_view(g);
    check_names(view, &m);
    for (uint32_t i = 0; i < view->n_nodes; i++) FUZZ_CHECK(dlc_node_flops(view, i) >= 0);
    if (training) differentiate(g, &m);
  } else {
    FUZZ_CHECK(strncmp(dlc_reason(), "m.yaml", 6) == 0);
  }
  dlc_model_graph_free(&m);
  dlc_graph_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  dlc_model *model;
  if (size > 20000) return 0;
  if (dlc_model_parse((const char *)data, size, "m.yaml", &model) < 0) {
    FUZZ_CHECK(!model && strncmp(dlc_reason(), "m.yaml", 6) == 0);
    return 0;
  }
  FUZZ_CHECK(*dlc_model_name(model) && dlc_model_text(model));
  build(model, 0);
  build(model, 1);
  dlc_model_free(model);
  return 0;
}
