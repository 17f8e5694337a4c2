/* The losses and their gradients, and correct: row by row over [N,K]. What each row adds to a loss goes to the
 * workspace and is summed in the order of the rows, in double. */
#include "kernels.h"
#include "vec_exp.h"
#include <math.h>

typedef struct call call;

typedef struct loss {
  const dlc_device *device;
  int64_t rows, classes;
  uint32_t tasks;
  uint32_t labels; /* which input the labels are; class weights come after them */
  bool weighted;   /* there are class weights */
  bool log_prob;   /* the loss has this second output */
  bool plain_mean; /* over all N x K elements, instead of over the rows by the weights of their labels */
  double smoothing;
  int64_t k;                               /* of correct */
  double (*row)(const call *c, int64_t n); /* of a loss: gives its share of it, before the division */
} loss;

struct call {
  const loss *l;
  const float *x; /* logits, output or log_prob */
  const int32_t *labels;
  const float *weights; /* [K], or NULL: all 1 */
  double scale;         /* of a gradient: dloss over what the loss is divided by */
  double all_weights;   /* the sum of the class weights */
  float *y;             /* log_prob or the gradient */
  double *sums;         /* of each row */
};

/* Flops of an exponential and what goes with it, roughly. */
#define FLOPS_PER_ELEMENT 40.0

/* `shape`: a value of [N,K]; `labels`: as in loss. */
static loss *prepare(const dlc_device *device, const dlc_node *node, const dlc_value *shape, uint32_t labels,
                     double (*row)(const call *c, int64_t n), dlc_kernel *k)
{
  loss *l = cpu_state(device, k, sizeof *l);
  if (!l) return NULL;
  l->device = device;
  l->rows = shape->dim[0];
  l->classes = shape->dim[1];
  l->tasks = cpu_task_count(FLOPS_PER_ELEMENT * (double)dlc_count(shape), CPU_GRAIN_FLOPS, l->rows);
  l->labels = labels;
  l->weighted = node->n_in > labels + 1;
  l->row = row;
  return l;
}

static float weight_of(const call *c, int64_t class)
{
  return c->weights ? c->weights[class] : 1;
}

static void run_task(void *arg, uint32_t i)
{
  const call *c = arg;
  cpu_range r = cpu_piece(c->l->rows, c->l->tasks, i);
  for (int64_t n = r.begin; n < r.end; n++) {
    const double sum = c->l->row(c, n);
    if (c->sums) c->sums[n] = sum;
  }
}

/* Checks the labels and gives what the loss is divided by. */
static dlc_status begin(const loss *l, const void *const *in, call *c, double *divisor)
{
  *c = (call){.l = l, .labels = in[l->labels], .weights = l->weighted ? in[l->labels + 1] : NULL};
  double of_labels = 0;
  for (int64_t n = 0; n < l->rows; n++) {
    if (c->labels[n] < 0 || c->labels[n] >= l->classes)
      return l->device->host->fail(l->device->host, DLC_INVALID, "label %d of row %lld: expected 0 to %lld",
                                   (int)c->labels[n], (long long)n, (long long)l->classes - 1);
    of_labels += (double)weight_of(c, c->labels[n]);
  }
  for (int64_t k = 0; k < l->classes; k++) c->all_weights += (double)weight_of(c, k);
  *divisor = l->plain_mean ? (double)l->rows * (double)l->classes : of_labels;
  return DLC_OK;
}

/* Inputs: x, labels, class weights?; outputs: loss, and log_prob where there is one. */
static dlc_status launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const loss *l = state;
  call c;
  double divisor, sum = 0;
  dlc_status status = begin(l, in, &c, &divisor);
  if (status < 0) return status;
  c.x = in[0];
  c.y = l->log_prob ? out[1] : NULL;
  c.sums = workspace;
  cpu_run(l->device, l->tasks, run_task, &c);
  for (int64_t n = 0; n < l->rows; n++) sum += c.sums[n];
  *(float *)out[0] = (float)(sum / divisor);
  return DLC_OK;
}

/* Inputs: dloss, x (nll_loss has none, and does not look at it), labels, class weights?. */
static dlc_status launch_grad(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const loss *l = state;
  call c;
  double divisor;
  dlc_status status = begin(l, in, &c, &divisor);
  if (status < 0) return status;
  c.scale = divisor == 0 ? NAN : *(const float *)in[0] / divisor;
  c.x = in[1];
  c.y = out[0];
  cpu_run(l->device, l->tasks, run_task, &c);
  return DLC_OK;
}

static loss *prepare_loss(const dlc_device *device, const dlc_graph *g, const dlc_node *node,
                          double (*row)(const call *c, int64_t n), dlc_kernel *k)
{
  loss *l = prepare(device, node, cpu_in(g, node, 0), 1, row, k);
  if (!l) return NULL;
  k->launch = launch;
  k->workspace = (size_t)l->rows * sizeof(double);
  return l;
}

static loss *prepare_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, uint32_t labels,
                          double (*row)(const call *c, int64_t n), dlc_kernel *k)
{
  k->launch = launch_grad;
  return prepare(device, node, cpu_out(g, node, 0), labels, row, k);
}

/* ---- cross_entropy; core/ops/cross_entropy.c has its formulas ---- */

static double cross_entropy_row(const call *c, int64_t n)
{
  const int64_t classes = c->l->classes;
  const int32_t label = c->labels[n];
  const double smoothing = c->l->smoothing;
  float *log_prob = c->y + n * classes;
  cpu_log_softmax_row(c->x + n * classes, classes, log_prob);
  const double of_label = -(double)weight_of(c, label) * (double)log_prob[label];
  if (smoothing == 0) return of_label;
  double of_all = 0;
  for (int64_t k = 0; k < classes; k++) of_all -= (double)weight_of(c, k) * (double)log_prob[k];
  return (1 - smoothing) * of_label + smoothing / (double)classes * of_all;
}

dlc_status cpu_cross_entropy(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  loss *l = prepare_loss(device, g, node, cross_entropy_row, k);
  if (!l) return DLC_NOMEM;
  l->log_prob = true;
  l->smoothing = ((const dlc_cross_entropy *)node->attr)->label_smoothing;
  return DLC_OK;
}

static double cross_entropy_grad_row(const call *c, int64_t n)
{
  const int64_t classes = c->l->classes;
  const int32_t label = c->labels[n];
  const float *log_prob = c->x + n * classes;
  float *dx = c->y + n * classes;
  const double of_label = (1 - c->l->smoothing) * (double)weight_of(c, label) * c->scale;
  const double share = c->l->smoothing == 0 ? 0 : c->l->smoothing / (double)classes * c->scale;
  const vec p_factor = vec_all((float)(of_label + share * c->all_weights)), w_factor = vec_all((float)share);
  for (int64_t k = 0; k < classes; k += VEC) {
    vec_mask part = vec_first(classes - k < VEC ? classes - k : VEC);
    vec d = vec_exp(vec_load_part(log_prob + k, part)) * p_factor;
    if (share != 0) d -= w_factor * (c->weights ? vec_load_part(c->weights + k, part) : vec_all(1));
    vec_store_part(dx + k, part, d);
  }
  /* expm1 keeps what (exp(log_prob) - 1) would lose when the label is almost certain. */
  const double at = (double)log_prob[label], all = share == 0 ? 0 : exp(at) * c->all_weights;
  dx[label] = (float)(of_label * expm1(at) + share * (all - (double)weight_of(c, label)));
  return 0;
}

dlc_status cpu_cross_entropy_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  loss *l = prepare_grad(device, g, node, 2, cross_entropy_grad_row, k);
  if (!l) return DLC_NOMEM;
  l->smoothing = ((const dlc_cross_entropy *)node->attr)->label_smoothing;
  return DLC_OK;
}

/* ---- nll_loss ---- */

static double nll_loss_row(const call *c, int64_t n)
{
  const int32_t label = c->labels[n];
  return -(double)weight_of(c, label) * (double)c->x[n * c->l->classes + label];
}

dlc_status cpu_nll_loss(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  return prepare_loss(device, g, node, nll_loss_row, k) ? DLC_OK : DLC_NOMEM;
}

static double nll_loss_grad_row(const call *c, int64_t n)
{
  const int32_t label = c->labels[n];
  float *dx = c->y + n * c->l->classes;
  memset(dx, 0, (size_t)c->l->classes * sizeof *dx);
  dx[label] = (float)(-c->scale * (double)weight_of(c, label));
  return 0;
}

dlc_status cpu_nll_loss_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  return prepare_grad(device, g, node, 1, nll_loss_grad_row, k) ? DLC_OK : DLC_NOMEM;
}

/* ---- mse_loss ---- */

static double mse_loss_row(const call *c, int64_t n)
{
  const float *x = c->x + n * c->l->classes;
  double sum = 0;
  for (int64_t k = 0; k < c->l->classes; k++) {
    const double distance = (double)x[k] - (k == c->labels[n]);
    sum += distance * distance;
  }
  return sum;
}

dlc_status cpu_mse_loss(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  loss *l = prepare_loss(device, g, node, mse_loss_row, k);
  if (!l) return DLC_NOMEM;
  l->plain_mean = true;
  return DLC_OK;
}

static double mse_loss_grad_row(const call *c, int64_t n)
{
  const float *restrict x = c->x + n * c->l->classes, factor = (float)(2 * c->scale);
  float *restrict dx = c->y + n * c->l->classes;
  for (int64_t k = 0; k < c->l->classes; k++) dx[k] = factor * x[k];
  dx[c->labels[n]] = factor * (x[c->labels[n]] - 1);
  return 0;
}

dlc_status cpu_mse_loss_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  loss *l = prepare_grad(device, g, node, 2, mse_loss_grad_row, k);
  if (!l) return DLC_NOMEM;
  l->plain_mean = true;
  return DLC_OK;
}

/* ---- bce_with_logits ---- */

static vec vec_abs(vec x)
{
  return (vec)((veci)x & vec_alli(0x7fffffff));
}

/* log(1 + y) for 0 <= y <= 1, within a few units in the last place: 2 artanh(z) by its series, z = y / (2 + y) <= 1/3,
 * whose remainder after z^17 / 17 is below 2^-28. */
static vec vec_log1p(vec y)
{
  const vec z = y / (vec_all(2) + y), z2 = z * z;
  vec p = vec_all(1.0f / 17);
  for (int d = 15; d >= 1; d -= 2) p = vec_fma(p, z2, vec_all(1.0f / (float)d));
  return vec_all(2) * z * p;
}

/* -log(1 - sigmoid(x)) = max(x, 0) + log(1 + exp(-|x|)) of every class, and x less for the label. */
static double bce_row(const call *c, int64_t n)
{
  const int64_t classes = c->l->classes;
  const float *x = c->x + n * classes;
  double sum = -(double)x[c->labels[n]];
  for (int64_t k = 0; k < classes; k += VEC) {
    const int64_t lanes = classes - k < VEC ? classes - k : VEC;
    const vec v = vec_load_part(x + k, vec_first(lanes));
    const vec l = vec_log1p(vec_exp(-vec_abs(v))) + vec_select(v < vec_all(0), vec_all(0), v);
    for (int64_t j = 0; j < lanes; j++) sum += (double)l[j];
  }
  return sum;
}

dlc_status cpu_bce_with_logits(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  loss *l = prepare_loss(device, g, node, bce_row, k);
  if (!l) return DLC_NOMEM;
  l->plain_mean = true;
  return DLC_OK;
}

/* sigmoid(x), and sigmoid(x) - 1 = -sigmoid(-x) for the label. */
static double bce_grad_row(const call *c, int64_t n)
{
  const int64_t classes = c->l->classes;
  const int32_t label = c->labels[n];
  const float *x = c->x + n * classes;
  float *dx = c->y + n * classes;
  const vec scale = vec_all((float)c->scale), one = vec_all(1);
  for (int64_t k = 0; k < classes; k += VEC) {
    vec_mask part = vec_first(classes - k < VEC ? classes - k : VEC);
    const vec v = vec_load_part(x + k, part), e = vec_exp(-vec_abs(v));
    vec_store_part(dx + k, part, scale * vec_select(v < vec_all(0), e, one) / (one + e));
  }
  const double e = exp(-fabs((double)x[label]));
  dx[label] = (float)(-c->scale * (x[label] > 0 ? e : 1) / (1 + e));
  return 0;
}

dlc_status cpu_bce_with_logits_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  loss *l = prepare_grad(device, g, node, 2, bce_grad_row, k);
  if (!l) return DLC_NOMEM;
  l->plain_mean = true;
  return DLC_OK;
}

/* ---- correct ---- */

static double correct_row(const call *c, int64_t n)
{
  const int64_t classes = c->l->classes, label = c->labels[n];
  const float *x = c->x + n * classes;
  int64_t before = 0;
  if (label < 0 || label >= classes) return 0;
  for (int64_t j = 0; j < classes; j++) {
    const bool same = isnan(x[j]) ? isnan(x[label]) : x[j] == x[label];
    before += same ? j < label : isnan(x[j]) || x[j] > x[label];
  }
  return before < c->l->k;
}

static dlc_status correct_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const loss *l = state;
  const call c = {.l = l, .x = in[0], .labels = in[1]};
  double count = 0;
  for (int64_t n = 0; n < l->rows; n++) count += correct_row(&c, n);
  *(float *)out[0] = (float)count;
  return DLC_OK;
}

dlc_status cpu_correct(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  loss *l = prepare(device, node, cpu_in(g, node, 0), 1, NULL, k);
  if (!l) return DLC_NOMEM;
  l->k = ((const dlc_correct *)node->attr)->k;
  k->launch = correct_launch;
  return DLC_OK;
}
