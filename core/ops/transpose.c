/* transpose: [N,A,B] -> [N,B,A], and its own gradient. tokens: pixels [N,C,H,W] become tokens [N,H*W,C] of C features.
 */
#include "ops/rules.h"

static dlc_status transpose_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                  uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  DLC_TRY(dlc_expect_real(in[0], "input", 3, "[batch, a, b]"));
  *n_out = 1;
  return dlc_shape_set(&out[0], in[0]->dtype, 3, (int64_t[]){in[0]->dim[0], in[0]->dim[2], in[0]->dim[1]});
}

static dlc_status transpose_grad(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  (void)forward;
  return b->emit(b, "transpose", NULL, grad_out, 1, &grad_in[0]);
}

static dlc_status transpose_reference(const dlc_call *call)
{
  const int64_t batch = call->iv[0]->dim[0], rows = call->iv[0]->dim[1], cols = call->iv[0]->dim[2];
  for (int64_t n = 0; n < batch; n++)
    for (int64_t r = 0; r < rows; r++)
      for (int64_t c = 0; c < cols; c++)
        call->out[0][(n * cols + c) * rows + r] = call->in[0][(n * rows + r) * cols + c];
  return DLC_OK;
}

static dlc_status tokens_build(dlc_builder *b, const void *attr, int training, const uint32_t *in, uint32_t n_in,
                               uint32_t *out)
{
  (void)attr, (void)training, (void)n_in;
  const dlc_value *x = b->value(b, in[0]);
  uint32_t outs[DLC_MAX_OUT];
  DLC_TRY(dlc_expect_real(x, "input", 4, "[batch, channels, height, width]"));
  const dlc_reshape planes = {3, {x->dim[0], x->dim[1], x->dim[2] * x->dim[3]}};
  DLC_TRY(b->emit(b, "reshape", &planes, in, 1, outs));
  DLC_TRY(b->emit(b, "transpose", NULL, outs, 1, outs));
  *out = outs[0];
  return DLC_OK;
}

const dlc_op dlc_op_transpose = {
    .size = sizeof(dlc_op),
    .name = "transpose",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .help = "exchanges the last two of three dimensions",
    .infer = transpose_infer,
    .grad = transpose_grad,
    .reference = transpose_reference,
};

const dlc_op dlc_op_tokens = {
    .size = sizeof(dlc_op),
    .name = "tokens",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .help = "pixels become tokens: [batch, height * width, channels]",
    .build = tokens_build,
};
