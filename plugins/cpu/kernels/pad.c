/* pad2d and its gradient. Tasks are pieces of the planes (one image's channel). */
#include "kernels.h"

typedef struct pad {
  const dlc_device *device;
  int64_t planes, in[2], out[2]; /* height, width of the image and of the padded one */
  int64_t top, left;
  bool reflects;
  uint32_t tasks;
} pad;

typedef struct call {
  const pad *p;
  const float *from;
  float *to;
} call;

/* What element `o` of a side of the padded image is a copy of; -1: of nothing. */
static int64_t source(const pad *p, int i, int64_t o)
{
  const int64_t at = o - (i ? p->left : p->top);
  if (at >= 0 && at < p->in[i]) return at;
  if (!p->reflects) return -1;
  return at < 0 ? -at : 2 * (p->in[i] - 1) - at;
}

static void pad_row(const pad *p, const float *x, float *y)
{
  const int64_t right = p->left + p->in[1];
  memcpy(y + p->left, x, (size_t)p->in[1] * sizeof *y);
  for (int64_t i = 0; i < p->left; i++) y[i] = p->reflects ? x[p->left - i] : 0;
  for (int64_t i = right; i < p->out[1]; i++) y[i] = p->reflects ? x[source(p, 1, i)] : 0;
}

static void pad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const pad *p = c->p;
  const cpu_range r = cpu_piece(p->planes, p->tasks, i);
  for (int64_t plane = r.begin; plane < r.end; plane++)
    for (int64_t oh = 0; oh < p->out[0]; oh++) {
      const int64_t row = source(p, 0, oh);
      float *y = c->to + (plane * p->out[0] + oh) * p->out[1];
      if (row < 0) memset(y, 0, (size_t)p->out[1] * sizeof *y);
      else pad_row(p, c->from + (plane * p->in[0] + row) * p->in[1], y);
    }
}

static void add_row_back(const pad *p, const float *dy, float *dx)
{
  const int64_t right = p->left + p->in[1];
  for (int64_t i = 0; i < p->in[1]; i++) dx[i] += dy[p->left + i];
  for (int64_t i = 0; p->reflects && i < p->left; i++) dx[p->left - i] += dy[i];
  for (int64_t i = right; p->reflects && i < p->out[1]; i++) dx[source(p, 1, i)] += dy[i];
}

static void grad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const pad *p = c->p;
  const cpu_range r = cpu_piece(p->planes, p->tasks, i);
  for (int64_t plane = r.begin; plane < r.end; plane++) {
    float *dx = c->to + plane * p->in[0] * p->in[1];
    memset(dx, 0, (size_t)(p->in[0] * p->in[1]) * sizeof *dx);
    for (int64_t oh = 0; oh < p->out[0]; oh++) {
      const int64_t row = source(p, 0, oh);
      if (row >= 0) add_row_back(p, c->from + (plane * p->out[0] + oh) * p->out[1], dx + row * p->in[1]);
    }
  }
}

static dlc_status pad_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const pad *p = state;
  call c = {p, in[0], out[0]};
  cpu_run(p->device, p->tasks, pad_task, &c);
  return DLC_OK;
}

static dlc_status grad_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const pad *p = state;
  call c = {p, in[0], out[0]};
  cpu_run(p->device, p->tasks, grad_task, &c);
  return DLC_OK;
}

static dlc_status prepare(const dlc_device *device, const dlc_value *image, const dlc_value *padded, const dlc_pad2d *a,
                          dlc_kernel *k)
{
  pad *p = cpu_state(device, k, sizeof *p);
  if (!p) return DLC_NOMEM;
  *p = (pad){.device = device,
             .planes = image->dim[0] * image->dim[1],
             .in = {image->dim[2], image->dim[3]},
             .out = {padded->dim[2], padded->dim[3]},
             .top = a->padding[0],
             .left = a->padding[1],
             .reflects = a->mode == DLC_PAD_REFLECT};
  p->tasks = cpu_task_count(4 * (double)(dlc_count(image) + dlc_count(padded)), CPU_GRAIN_BYTES, p->planes);
  return DLC_OK;
}

dlc_status cpu_pad2d(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = pad_launch;
  return prepare(device, cpu_in(g, node, 0), cpu_out(g, node, 0), node->attr, k);
}

dlc_status cpu_pad2d_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = grad_launch;
  return prepare(device, cpu_out(g, node, 0), cpu_in(g, node, 0), node->attr, k);
}
