/* transpose: [N,A,B] -> [N,B,A], in squares whose rows stay in the first cache. Tasks are pieces of the bands of SIDE
 * rows of y. */
#include "kernels.h"

enum { SIDE = 16 };

typedef struct transpose {
  const dlc_device *device;
  int64_t rows, cols, bands; /* of x; bands of SIDE rows of y */
  int64_t all_bands;
  uint32_t tasks;
} transpose;

typedef struct call {
  const transpose *t;
  const float *x;
  float *y;
} call;

static void transpose_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const transpose *t = c->t;
  const cpu_range r = cpu_piece(t->all_bands, t->tasks, i);
  for (int64_t band = r.begin; band < r.end; band++) {
    const float *restrict x = c->x + band / t->bands * t->rows * t->cols;
    float *restrict y = c->y + band / t->bands * t->rows * t->cols;
    const int64_t begin = band % t->bands * SIDE, end = begin + SIDE < t->cols ? begin + SIDE : t->cols;
    for (int64_t row = 0; row < t->rows; row += SIDE) {
      const int64_t last = row + SIDE < t->rows ? row + SIDE : t->rows;
      for (int64_t b = begin; b < end; b++)
        for (int64_t a = row; a < last; a++) y[b * t->rows + a] = x[a * t->cols + b];
    }
  }
}

static dlc_status launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const transpose *t = state;
  call c = {t, in[0], out[0]};
  cpu_run(t->device, t->tasks, transpose_task, &c);
  return DLC_OK;
}

dlc_status cpu_transpose(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_value *x = cpu_in(g, node, 0);
  transpose *t = cpu_state(device, k, sizeof *t);
  if (!t) return DLC_NOMEM;
  *t = (transpose){.device = device, .rows = x->dim[1], .cols = x->dim[2]};
  t->bands = (t->cols + SIDE - 1) / SIDE;
  t->all_bands = x->dim[0] * t->bands;
  t->tasks = cpu_task_count(8 * (double)dlc_count(x), CPU_GRAIN_BYTES, t->all_bands);
  k->launch = launch;
  return DLC_OK;
}
