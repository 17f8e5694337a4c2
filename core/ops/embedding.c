/* class_token: a learned token before those of every sample. position_embedding: a learned number for every feature of
 * every token, added. Both are trained as torchvision's VisionTransformer starts them. */
#include "ops/rules.h"

static dlc_status check_tokens(const dlc_value *x)
{
  return dlc_expect_real(x, "input", 3, "[batch, tokens, features]");
}

static dlc_status class_token_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k,
                                    dlc_param *p)
{
  (void)h, (void)attr;
  DLC_TRY(check_tokens(in[0]));
  if (k > 0) return DLC_END;
  p->name = "class_token";
  p->init = DLC_INIT_CONSTANT;
  p->a = 0;
  return dlc_shape_set(&p->value, in[0]->dtype, 3, (int64_t[]){1, 1, in[0]->dim[2]});
}

/* The token becomes a row for each sample as the bias of zeros. */
static dlc_status class_token_build(dlc_builder *b, const void *attr, int training, const uint32_t *in, uint32_t n_in,
                                    uint32_t *out)
{
  (void)attr, (void)training, (void)n_in;
  const int64_t batch = b->value(b, in[0])->dim[0], features = b->value(b, in[0])->dim[2];
  const dlc_fill zeros = {.rank = 2, .dim = {batch, features}, .dtype = b->value(b, in[0])->dtype};
  const dlc_reshape row = {1, {features}}, rows = {3, {batch, 1, features}};
  const dlc_concat along_tokens = {1};
  uint32_t zero[DLC_MAX_OUT], token[DLC_MAX_OUT], outs[DLC_MAX_OUT];
  DLC_TRY(b->emit(b, "fill", &zeros, NULL, 0, zero));
  DLC_TRY(b->emit(b, "reshape", &row, &in[1], 1, token));
  DLC_TRY(dlc_emit_two(b, "bias", NULL, zero[0], token[0], outs));
  DLC_TRY(b->emit(b, "reshape", &rows, outs, 1, token));
  DLC_TRY(dlc_emit_two(b, "concat", &along_tokens, token[0], in[0], outs));
  *out = outs[0];
  return DLC_OK;
}

static dlc_status position_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k,
                                 dlc_param *p)
{
  (void)h, (void)attr;
  DLC_TRY(check_tokens(in[0]));
  if (k > 0) return DLC_END;
  p->name = "pos_embedding";
  p->init = DLC_INIT_NORMAL;
  p->a = 0;
  p->b = 0.02;
  return dlc_shape_set(&p->value, in[0]->dtype, 3, (int64_t[]){1, in[0]->dim[1], in[0]->dim[2]});
}

static dlc_status position_build(dlc_builder *b, const void *attr, int training, const uint32_t *in, uint32_t n_in,
                                 uint32_t *out)
{
  (void)attr, (void)training, (void)n_in;
  const dlc_value *x = b->value(b, in[0]);
  const int64_t sample = x->dim[1] * x->dim[2];
  const dlc_reshape rows = {2, {x->dim[0], sample}}, row = {1, {sample}};
  uint32_t data[DLC_MAX_OUT], added[DLC_MAX_OUT], outs[DLC_MAX_OUT];
  DLC_TRY(b->emit(b, "reshape", &rows, &in[0], 1, data));
  DLC_TRY(b->emit(b, "reshape", &row, &in[1], 1, added));
  DLC_TRY(dlc_emit_two(b, "bias", NULL, data[0], added[0], outs));
  DLC_TRY(dlc_emit_reshape(b, outs[0], in[0], outs));
  *out = outs[0];
  return DLC_OK;
}

const dlc_op dlc_op_class_token = {
    .size = sizeof(dlc_op),
    .name = "class_token",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .help = "a learned token before the others",
    .param = class_token_param,
    .build = class_token_build,
};

const dlc_op dlc_op_position_embedding = {
    .size = sizeof(dlc_op),
    .name = "position_embedding",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .help = "adds a learned number for every feature of every token",
    .param = position_param,
    .build = position_build,
};
