/* attention and its gradient. Tasks are pieces of the heads of all samples; the products of one head are
 * small, and are done out of registers (gemm.c). */
#include "kernels.h"
#include "vec_curves.h"
#include <math.h>

typedef struct attention {
  const dlc_device *device;
  int64_t heads, all_heads; /* of one sample, of all of them */
  int64_t tokens, features; /* features of a token, of all its heads */
  uint32_t tasks;
  float scale;
} attention;

typedef struct call {
  const attention *a;
  const float *dy, *q, *k, *v, *kept; /* kept: the probabilities, in the gradient */
  float *y, *prob, *dq, *dk, *dv;
  float *scratch; /* [tasks, tokens, tokens], in the gradient */
} call;

static attention *prepare(const dlc_device *device, const dlc_value *prob, const dlc_value *q, dlc_kernel *k)
{
  attention *a = cpu_state(device, k, sizeof *a);
  if (!a) return NULL;
  a->device = device;
  a->heads = prob->dim[1];
  a->all_heads = prob->dim[0] * prob->dim[1];
  a->tokens = q->dim[1];
  a->features = q->dim[2];
  const double width = (double)(a->features / a->heads);
  a->scale = (float)(1 / sqrt(width));
  a->tasks = cpu_task_count((4 * width + 40) * (double)dlc_count(prob), CPU_GRAIN_FLOPS, a->all_heads);
  return a;
}

static int64_t head_offset(const attention *a, int64_t head)
{
  return head / a->heads * a->tokens * a->features + head % a->heads * (a->features / a->heads);
}

/* out = left right^T of [tokens, width] each: [tokens, tokens]. */
static void products_of_tokens(const attention *a, const float *left, const float *right, float *out)
{
  cpu_dots d = {.rows = a->tokens,
                .cols = a->tokens,
                .parts = 1,
                .length = a->features / a->heads,
                .a = left,
                .a_row = a->features,
                .b = right,
                .b_row = a->features,
                .c = out,
                .c_row = a->tokens};
  cpu_dot_products(&d);
}

/* out = weights x, or weights^T x: [tokens, width] from [tokens, tokens] and [tokens, width]. */
static void weighted_tokens(const attention *a, const float *weights, bool transposed, const float *x, float *out)
{
  cpu_product p = {.rows = a->tokens,
                   .cols = a->features / a->heads,
                   .depth = a->tokens,
                   .a = weights,
                   .a_row = transposed ? 1 : a->tokens,
                   .a_step = transposed ? a->tokens : 1,
                   .b = x,
                   .b_row = a->features,
                   .c = out,
                   .c_row = a->features};
  cpu_multiply(&p);
}

/* p = softmax(scale * p) of one row, in place. */
static void softmax_row(float *p, int64_t n, float scale)
{
  vec most = vec_all(-INFINITY), sum = vec_all(0);
  int64_t j = 0;
  for (; j + VEC <= n; j += VEC) most = vec_max(vec_load(p + j), most);
  float max = vec_largest(most);
  for (; j < n; j++) max = p[j] > max ? p[j] : max;
  for (j = 0; j + VEC <= n; j += VEC) {
    vec e = vec_exp_below_0((vec_load(p + j) - vec_all(max)) * vec_all(scale));
    vec_store(p + j, e);
    sum += e;
  }
  if (j < n) {
    const vec_mask rest = vec_first(n - j);
    vec e = vec_exp_below_0((vec_load_part(p + j, rest) - vec_all(max)) * vec_all(scale));
    vec_store_part(p + j, rest, e);
    sum += vec_keep_first(e, n - j);
  }
  const float total = vec_sum(sum);
  for (j = 0; j < n; j++) p[j] /= total;
}

static void attention_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const attention *a = c->a;
  const cpu_range r = cpu_piece(a->all_heads, a->tasks, i);
  for (int64_t head = r.begin; head < r.end; head++) {
    const int64_t at = head_offset(a, head);
    float *p = c->prob + head * a->tokens * a->tokens;
    products_of_tokens(a, c->q + at, c->k + at, p);
    for (int64_t t = 0; t < a->tokens; t++) softmax_row(p + t * a->tokens, a->tokens, a->scale);
    weighted_tokens(a, p, false, c->v + at, c->y + at);
  }
}

/* ds = prob * (dprob - sum(dprob * prob)) * scale, of one row, in place of dprob. */
static void softmax_grad_row(const float *restrict p, float *restrict ds, int64_t n, float scale)
{
  vec sums = vec_all(0);
  int64_t j = 0;
  for (; j + VEC <= n; j += VEC) sums = vec_fma(vec_load(ds + j), vec_load(p + j), sums);
  float sum = vec_sum(sums);
  for (; j < n; j++) sum += ds[j] * p[j];
  for (j = 0; j < n; j++) ds[j] = p[j] * (ds[j] - sum) * scale;
}

static void attention_grad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const attention *a = c->a;
  const int64_t square = a->tokens * a->tokens;
  const cpu_range r = cpu_piece(a->all_heads, a->tasks, i);
  float *ds = c->scratch + i * square;
  for (int64_t head = r.begin; head < r.end; head++) {
    const int64_t at = head_offset(a, head);
    const float *p = c->kept + head * square;
    weighted_tokens(a, p, true, c->dy + at, c->dv + at);
    products_of_tokens(a, c->dy + at, c->v + at, ds);
    for (int64_t t = 0; t < square; t += a->tokens) softmax_grad_row(p + t, ds + t, a->tokens, a->scale);
    weighted_tokens(a, ds, false, c->k + at, c->dq + at);
    weighted_tokens(a, ds, true, c->q + at, c->dk + at);
  }
}

static dlc_status attention_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const attention *a = state;
  call c = {.a = a, .q = in[0], .k = in[1], .v = in[2], .y = out[0], .prob = out[1]};
  cpu_run(a->device, a->tasks, attention_task, &c);
  return DLC_OK;
}

static dlc_status attention_grad_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const attention *a = state;
  call c = {.a = a, .dy = in[0], .q = in[1], .k = in[2], .v = in[3], .kept = in[4]};
  c.dq = out[0], c.dk = out[1], c.dv = out[2], c.scratch = workspace;
  cpu_run(a->device, a->tasks, attention_grad_task, &c);
  return DLC_OK;
}

dlc_status cpu_attention(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = attention_launch;
  return prepare(device, cpu_out(g, node, 1), cpu_in(g, node, 0), k) ? DLC_OK : DLC_NOMEM;
}

dlc_status cpu_attention_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  attention *a = prepare(device, cpu_in(g, node, 4), cpu_in(g, node, 1), k);
  if (!a) return DLC_NOMEM;
  k->launch = attention_grad_launch;
  k->workspace = (size_t)(a->tasks * a->tokens * a->tokens) * sizeof(float);
  return DLC_OK;
}
