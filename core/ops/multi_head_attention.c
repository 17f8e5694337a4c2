/* multi_head_attention: tokens attend to each other, with the parameters of torch.nn.MultiheadAttention, as they are at
 * first there: query, key and value out of one linear, attention, a linear. */
#include "ops/rules.h"
#include <math.h>

static dlc_status param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k, dlc_param *p)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_real(in[0], "input", 3, "[batch, tokens, features]"));
  const uint32_t dtype = in[0]->dtype;
  const int64_t features = in[0]->dim[2], weight[2] = {3 * features, features};
  p->init = DLC_INIT_CONSTANT;
  p->a = 0;
  switch (k) {
  case 0: /* xavier_uniform_: sqrt(6 / (fan_in + fan_out)) */
    p->name = "in_proj_weight";
    p->init = DLC_INIT_UNIFORM;
    p->b = sqrt(6.0 / (double)(4 * features));
    p->a = -p->b;
    return dlc_shape_set(&p->value, dtype, 2, weight);
  case 1: p->name = "in_proj_bias"; return dlc_shape_set(&p->value, dtype, 1, weight);
  case 2: return dlc_param_uniform(p, "out_proj.weight", features, dtype, 2, (int64_t[]){features, features});
  case 3: p->name = "out_proj.bias"; return dlc_shape_set(&p->value, dtype, 1, &features);
  default: return DLC_END;
  }
}

static dlc_status build(dlc_builder *b, const void *attr, int training, const uint32_t *in, uint32_t n_in,
                        uint32_t *out)
{
  (void)training, (void)n_in;
  const int64_t features = b->value(b, in[0])->dim[2];
  const dlc_linear to_parts = {3 * features, 1}, to_output = {features, 1};
  uint32_t all[DLC_MAX_OUT], parts[3], outs[DLC_MAX_OUT];
  DLC_TRY(b->emit(b, "linear", &to_parts, in, 3, all));
  for (int64_t i = 0; i < 3; i++) {
    const dlc_slice part = {.dim = 2, .begin = i * features, .end = (i + 1) * features, .size = 3 * features};
    DLC_TRY(b->emit(b, "slice", &part, all, 1, outs));
    parts[i] = outs[0];
  }
  DLC_TRY(b->emit(b, "attention", attr, parts, 3, outs));
  DLC_TRY(b->emit(b, "linear", &to_output, (uint32_t[]){outs[0], in[3], in[4]}, 3, outs));
  *out = outs[0];
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(INT, dlc_attention, num_heads, NULL, "parts of the features that attend by themselves"),
};

const dlc_op dlc_op_multi_head_attention = {
    .size = sizeof(dlc_op),
    .name = "multi_head_attention",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_attention),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "self-attention with its projections",
    .param = param,
    .build = build,
};
