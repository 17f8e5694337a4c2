/* An op: softplus, log(1 + exp(beta * x)) / beta, a smooth relu (Dugas et al. 2001). With it a model file may say
 *   - acme.softplus: {beta: 2}
 * An op is a shape rule, a gradient rule and a reference kernel in double; the gradient is an op of its own. Both run
 * with any backend: dlcore falls back to the reference kernel where the backend has none. */
#include <dlcore/plugin.h>
#include <math.h>
#include <string.h>

typedef struct softplus {
  double beta;
} softplus;

static const dlc_attr attrs[] = {DLC_ATTR(FLOAT, softplus, beta, "1", "sharpness of the bend; above 0")};

static dlc_status infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                        dlc_value *out)
{
  const softplus *s = attr;
  if (!(s->beta > 0)) return h->fail(h, DLC_INVALID, "beta is %g, expected above 0", s->beta);
  (void)n_in; /* dlcore has checked it against n_data */
  *n_out = 1;
  out[0] = *in[0];
  return DLC_OK;
}

static dlc_status grad(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  const uint32_t in[] = {grad_out[0], forward->in[0]};
  return b->emit(b, "acme.softplus_grad", forward->attr, in, 2, &grad_in[0]);
}

static dlc_status reference(const dlc_call *c)
{
  const double beta = ((const softplus *)c->attr)->beta, *x = c->in[0];
  for (int64_t i = 0; i < dlc_count(c->iv[0]); i++) {
    double u = beta * x[i]; /* log(1 + e^u) = max(u, 0) + log(1 + e^-|u|) does not overflow */
    c->out[0][i] = (fmax(u, 0) + log1p(exp(-fabs(u)))) / beta;
  }
  return DLC_OK;
}

static dlc_status reference_grad(const dlc_call *c)
{
  const double beta = ((const softplus *)c->attr)->beta, *dy = c->in[0], *x = c->in[1];
  for (int64_t i = 0; i < dlc_count(c->iv[1]); i++) c->out[0][i] = dy[i] / (1 + exp(-beta * x[i]));
  return DLC_OK;
}

#define SOFTPLUS .size = sizeof(dlc_op), .version = 1, .attr_size = sizeof(softplus), .attrs = attrs, .n_attrs = 1
static const dlc_op ops[] = {{SOFTPLUS, .name = "acme.softplus", .kind = DLC_OP_LAYER, .n_data = 1,
                              .help = "a smooth relu", .infer = infer, .grad = grad, .reference = reference},
                             {SOFTPLUS, .name = "acme.softplus_grad", .kind = DLC_OP_PLAIN, .n_data = 2,
                              .help = "gradient of acme.softplus", .infer = infer, .reference = reference_grad}};

static const void *get(const char *iface, uint32_t i)
{
  return strcmp(iface, DLC_IFACE_OP) == 0 && i < 2 ? &ops[i] : NULL;
}

static const dlc_plugin plugin = {DLC_PLUGIN("acme", "1.0.0", "MIT"), .get = get};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
