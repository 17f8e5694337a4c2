/* What a rule's builder does is done to the graph that it was made of. */
#include "graph/builder.h"
#include "base/status.h"
#include "graph/build.h"

static const dlc_value *builder_value(dlc_builder *b, uint32_t id)
{
  const dlc_graph_build *g = ((dlc_graph_builder *)b)->g;
  return id < g->n_values ? &g->values[id] : NULL;
}

static dlc_status builder_emit(dlc_builder *b, const char *op, const void *attr, const uint32_t *in, uint32_t n_in,
                               uint32_t *out)
{
  const dlc_graph_builder *own = (dlc_graph_builder *)b;
  const uint32_t first = own->g->n_values;
  DLC_TRY(dlc_graph_emit(own->g, own->name, op, attr, in, n_in, out));
  for (uint32_t v = first; v < own->g->n_values; v++)
    if (own->g->values[v].role == DLC_ROLE_ACTIVATION) own->g->values[v].role = own->role;
  return DLC_OK;
}

static dlc_status builder_random(dlc_builder *b, uint32_t *key, int64_t *stream)
{
  return dlc_graph_random(((dlc_graph_builder *)b)->g, key, stream);
}

dlc_graph_builder dlc_graph_builder_of(dlc_graph_build *g, uint32_t role)
{
  return (dlc_graph_builder){
      .table = {sizeof(dlc_builder), dlc_graph_host(g), builder_value, builder_emit, builder_random},
      .g = g,
      .name = "",
      .role = role};
}
