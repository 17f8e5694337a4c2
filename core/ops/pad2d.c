/* pad2d: zeros around the image, or the image mirrored at its border, which itself is not repeated. Each element of the
 * padded image is a copy of one of the image or none; the gradient goes back the same way. */
#include "ops/pool.h"
#include <string.h>

static dlc_status check_attr(const dlc_pad2d *a)
{
  for (int i = 0; i < 4; i++) DLC_TRY(dlc_expect_range("padding", a->padding[i], 0, DLC_MAX_EXTENT));
  return dlc_expect_range("mode", a->mode, DLC_PAD_ZERO, DLC_PAD_REFLECT);
}

/* Of an image of height and width `size`. */
static dlc_status check_reflection(const dlc_pad2d *a, const int64_t size[2])
{
  for (int i = 0; i < 4 && a->mode == DLC_PAD_REFLECT; i++)
    if (a->padding[i] >= size[i % 2])
      return dlc_fail(DLC_INVALID, "padding is %lld, less than the input's %lldx%lld can be reflected",
                      (long long)a->padding[i], (long long)size[0], (long long)size[1]);
  return DLC_OK;
}

static dlc_status pad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                            dlc_value *out)
{
  (void)h;
  const dlc_pad2d *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  const dlc_value *x = in[0];
  DLC_TRY(dlc_expect_real(x, "input", 4, DLC_IMAGE_LAYOUT));
  DLC_TRY(check_attr(a));
  DLC_TRY(check_reflection(a, x->dim + 2));
  *n_out = 1;
  const int64_t y[4] = {x->dim[0], x->dim[1], a->padding[0] + x->dim[2] + a->padding[2],
                        a->padding[1] + x->dim[3] + a->padding[3]};
  return dlc_shape_set(&out[0], x->dtype, 4, y);
}

static dlc_status pad_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  return b->emit(b, "pad2d_grad", forward->attr, grad_out, 1, &grad_in[0]);
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  const dlc_pad2d *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  const dlc_value *dy = in[0];
  DLC_TRY(dlc_expect_real(dy, "dy", 4, DLC_IMAGE_LAYOUT));
  DLC_TRY(check_attr(a));
  int64_t x[4] = {dy->dim[0], dy->dim[1]};
  for (int i = 0; i < 2; i++) x[2 + i] = dy->dim[2 + i] - a->padding[i] - a->padding[i + 2];
  DLC_TRY(check_reflection(a, x + 2));
  *n_out = 1;
  return dlc_shape_set(&out[0], dy->dtype, 4, x);
}

/* Where element `o` of a side comes from, padded by `before` to begin with; -1: from nowhere. */
static int64_t source(const dlc_pad2d *a, int64_t o, int64_t before, int64_t size)
{
  const int64_t at = o - before;
  if (at >= 0 && at < size) return at;
  if (a->mode == DLC_PAD_ZERO) return -1;
  return at < 0 ? -at : 2 * (size - 1) - at;
}

/* Calls visit(element of the image or -1, element of the padded image) for every element of the padded image. */
typedef void visit(const dlc_call *call, int64_t inner, int64_t padded);
static void visit_all(const dlc_call *call, const dlc_value *image, const dlc_value *padded, visit *each)
{
  const dlc_pad2d *a = call->attr;
  const int64_t height = image->dim[2], width = image->dim[3], planes = image->dim[0] * image->dim[1];
  int64_t at = 0;
  for (int64_t p = 0; p < planes; p++)
    for (int64_t oh = 0; oh < padded->dim[2]; oh++)
      for (int64_t ow = 0; ow < padded->dim[3]; ow++, at++) {
        const int64_t row = source(a, oh, a->padding[0], height), col = source(a, ow, a->padding[1], width);
        each(call, row < 0 || col < 0 ? -1 : (p * height + row) * width + col, at);
      }
}

static void copy(const dlc_call *call, int64_t inner, int64_t padded)
{
  call->out[0][padded] = inner < 0 ? 0 : call->in[0][inner];
}

static void add_back(const dlc_call *call, int64_t inner, int64_t padded)
{
  if (inner >= 0) call->out[0][inner] += call->in[0][padded];
}

static dlc_status pad_reference(const dlc_call *call)
{
  visit_all(call, call->iv[0], call->ov[0], copy);
  return DLC_OK;
}

static dlc_status grad_reference(const dlc_call *call)
{
  memset(call->out[0], 0, (size_t)dlc_count(call->ov[0]) * sizeof(double));
  visit_all(call, call->ov[0], call->iv[0], add_back);
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(PADDING, dlc_pad2d, padding, NULL, "elements around the image"),
    DLC_ATTR_WORD(dlc_pad2d, mode, "zero|reflect", "zero", "what they are"),
};

const dlc_op dlc_op_pad2d = {
    .size = sizeof(dlc_op),
    .name = "pad2d",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_pad2d),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "zeros or reflections around the image",
    .infer = pad_infer,
    .grad = pad_grad_rule,
    .reference = pad_reference,
};

const dlc_op dlc_op_pad2d_grad = {
    .size = sizeof(dlc_op),
    .name = "pad2d_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 1,
    .attr_size = sizeof(dlc_pad2d),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "gradient of pad2d",
    .infer = grad_infer,
    .reference = grad_reference,
};
