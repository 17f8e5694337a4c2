/* torch.nn.init's distributions. With fan_in = elements of a weight [O, I, ...] / O and fan_out = elements / I:
 *
 *   xavier   std = gain * sqrt(2 / (fan_in + fan_out))      Glorot and Bengio 2010
 *   kaiming  std = gain(nonlinearity) / sqrt(fan of mode)    He et al. 2015
 *
 * and a uniform distribution of that deviation goes from -sqrt(3) * std to sqrt(3) * std. */
#include "graph/init.h"
#include "base/names.h"
#include "base/random.h"
#include "base/shape.h"
#include "base/status.h"
#include "graph/attr.h"
#include <math.h>
#include <string.h>

enum { FAN_IN, FAN_OUT };
enum { LINEAR, SIGMOID, TANH, RELU, LEAKY_RELU, SELU };

void dlc_init_fill(const dlc_init *init, uint64_t seed, uint32_t index, float *out, size_t n)
{
  if (init->kind == DLC_INIT_UNIFORM) dlc_random_uniform(seed, index, init->a, init->b, out, n);
  else if (init->kind == DLC_INIT_NORMAL && init->low < init->high)
    dlc_random_trunc_normal(seed, index, init->a, init->b, init->low, init->high, out, n);
  else if (init->kind == DLC_INIT_NORMAL) dlc_random_normal(seed, index, init->a, init->b, out, n);
  else
    for (size_t i = 0; i < n; i++) out[i] = (float)init->a;
}

/* ---- distributions ---- */

static dlc_status set_normal(double mean, double std, dlc_init *init)
{
  *init = (dlc_init){.kind = DLC_INIT_NORMAL, .a = mean, .b = std};
  return std >= 0 ? DLC_OK : dlc_fail(DLC_INVALID, "std is %g, expected 0 or more", std);
}

static dlc_status set_uniform(double a, double b, dlc_init *init)
{
  *init = (dlc_init){.kind = DLC_INIT_UNIFORM, .a = a, .b = b};
  return a <= b ? DLC_OK : dlc_fail(DLC_INVALID, "a is %g, expected at most b, %g", a, b);
}

static dlc_status set_constant(double value, dlc_init *init)
{
  *init = (dlc_init){.kind = DLC_INIT_CONSTANT, .a = value};
  return DLC_OK;
}

static dlc_status uniform(const dlc_init_args *a, const dlc_value *tensor, dlc_init *init)
{
  (void)tensor;
  return set_uniform(a->a, a->b, init);
}

static dlc_status normal(const dlc_init_args *a, const dlc_value *tensor, dlc_init *init)
{
  (void)tensor;
  return set_normal(a->mean, a->std, init);
}

static dlc_status trunc_normal(const dlc_init_args *a, const dlc_value *tensor, dlc_init *init)
{
  DLC_TRY(normal(a, tensor, init));
  init->low = a->a;
  init->high = a->b;
  if (!(a->a < a->b)) return dlc_fail(DLC_INVALID, "a is %g, expected less than b, %g", a->a, a->b);
  if (a->mean >= a->a - 2 * a->std && a->mean <= a->b + 2 * a->std) return DLC_OK;
  return dlc_fail(DLC_INVALID, "mean is %g, more than two deviations of %g outside of a to b, %g to %g", a->mean,
                  a->std, a->a, a->b);
}

static dlc_status constant(const dlc_init_args *a, const dlc_value *tensor, dlc_init *init)
{
  (void)tensor;
  return set_constant(a->val, init);
}

static dlc_status ones(const dlc_init_args *a, const dlc_value *tensor, dlc_init *init)
{
  (void)a, (void)tensor;
  return set_constant(1, init);
}

static dlc_status zeros(const dlc_init_args *a, const dlc_value *tensor, dlc_init *init)
{
  (void)a, (void)tensor;
  return set_constant(0, init);
}

/* ---- distributions by the size of a layer ---- */

static dlc_status read_fans(const dlc_value *tensor, double fan[2])
{
  if (tensor->rank < 2)
    return dlc_fail(DLC_INVALID, "a tensor of two dimensions or more has a fan; this one is %s",
                    dlc_name_shape(tensor->rank, tensor->dim).text);
  fan[FAN_IN] = (double)(dlc_count(tensor) / tensor->dim[0]);
  fan[FAN_OUT] = (double)(dlc_count(tensor) / tensor->dim[1]);
  return DLC_OK;
}

static dlc_status xavier_std(const dlc_init_args *a, const dlc_value *tensor, double *std)
{
  double fan[2] = {0};
  DLC_TRY(read_fans(tensor, fan));
  *std = a->gain * sqrt(2 / (fan[FAN_IN] + fan[FAN_OUT]));
  return DLC_OK;
}

/* torch.nn.init.calculate_gain; `slope` is leaky_relu's. */
static double gain_of(int64_t nonlinearity, double slope)
{
  switch (nonlinearity) {
  case TANH: return 5.0 / 3;
  case RELU: return sqrt(2);
  case LEAKY_RELU: return sqrt(2 / (1 + slope * slope));
  case SELU: return 3.0 / 4;
  default: return 1;
  }
}

static dlc_status kaiming_std(const dlc_init_args *a, const dlc_value *tensor, double *std)
{
  double fan[2] = {0};
  DLC_TRY(read_fans(tensor, fan));
  *std = gain_of(a->nonlinearity, a->a) / sqrt(fan[a->mode]);
  return DLC_OK;
}

static dlc_status xavier_uniform(const dlc_init_args *a, const dlc_value *tensor, dlc_init *init)
{
  double std;
  DLC_TRY(xavier_std(a, tensor, &std));
  return set_uniform(-sqrt(3) * std, sqrt(3) * std, init);
}

static dlc_status xavier_normal(const dlc_init_args *a, const dlc_value *tensor, dlc_init *init)
{
  double std;
  DLC_TRY(xavier_std(a, tensor, &std));
  return set_normal(0, std, init);
}

static dlc_status kaiming_uniform(const dlc_init_args *a, const dlc_value *tensor, dlc_init *init)
{
  double std;
  DLC_TRY(kaiming_std(a, tensor, &std));
  return set_uniform(-sqrt(3) * std, sqrt(3) * std, init);
}

static dlc_status kaiming_normal(const dlc_init_args *a, const dlc_value *tensor, dlc_init *init)
{
  double std;
  DLC_TRY(kaiming_std(a, tensor, &std));
  return set_normal(0, std, init);
}

/* ---- the functions by name ---- */

static const dlc_attr uniform_attrs[] = {
    DLC_ATTR(FLOAT, dlc_init_args, a, "0", "the least"),
    DLC_ATTR(FLOAT, dlc_init_args, b, "1", "the bound"),
};
static const dlc_attr normal_attrs[] = {
    /* the first two are normal's */
    DLC_ATTR(FLOAT, dlc_init_args, mean, "0", "mean"),
    DLC_ATTR(FLOAT, dlc_init_args, std, "1", "standard deviation"),
    DLC_ATTR(FLOAT, dlc_init_args, a, "-2", "the least"),
    DLC_ATTR(FLOAT, dlc_init_args, b, "2", "the bound"),
};
static const dlc_attr constant_attrs[] = {
    DLC_ATTR(FLOAT, dlc_init_args, val, NULL, "the value"),
};
static const dlc_attr xavier_attrs[] = {
    DLC_ATTR(FLOAT, dlc_init_args, gain, "1", "times the deviation"),
};
static const dlc_attr kaiming_attrs[] = {
    DLC_ATTR(FLOAT, dlc_init_args, a, "0", "negative slope of leaky_relu"),
    DLC_ATTR_WORD(dlc_init_args, mode, "fan_in|fan_out", "fan_in", "what keeps its deviation: forward or backward"),
    DLC_ATTR_WORD(dlc_init_args, nonlinearity, "linear|sigmoid|tanh|relu|leaky_relu|selu", "leaky_relu",
                  "what follows"),
};

static const dlc_init_function functions[] = {
    {"uniform", "between two bounds", uniform_attrs, 2, uniform},
    {"normal", "a normal distribution", normal_attrs, 2, normal},
    {"trunc_normal", "what of a normal distribution lies between two bounds", normal_attrs, 4, trunc_normal},
    {"constant", "a number", constant_attrs, 1, constant},
    {"ones", "1", NULL, 0, ones},
    {"zeros", "0", NULL, 0, zeros},
    {"xavier_uniform", "uniform, of deviation gain * sqrt(2 / (fan_in + fan_out)): Glorot and Bengio 2010",
     xavier_attrs, 1, xavier_uniform},
    {"xavier_normal", "normal, of deviation gain * sqrt(2 / (fan_in + fan_out)): Glorot and Bengio 2010", xavier_attrs,
     1, xavier_normal},
    {"kaiming_uniform", "uniform, of deviation gain(nonlinearity) / sqrt(fan of mode): He et al. 2015", kaiming_attrs,
     3, kaiming_uniform},
    {"kaiming_normal", "normal, of deviation gain(nonlinearity) / sqrt(fan of mode): He et al. 2015", kaiming_attrs, 3,
     kaiming_normal},
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

const dlc_init_function *dlc_init_function_at(uint32_t i)
{
  return i < FUNCTIONS ? &functions[i] : NULL;
}

static dlc_attr_table table_of(const dlc_initializer *i)
{
  return (dlc_attr_table){i->function->name, i->function->attrs, i->function->n_attrs};
}

/* Where it is, or FUNCTIONS; then *near is the one that may be meant, or negative. */
static int find(const char *name, int *near)
{
  const char *names[FUNCTIONS];
  int i = 0;
  while (i < FUNCTIONS && strcmp(functions[i].name, name) != 0) i++;
  for (int k = 0; k < FUNCTIONS; k++) names[k] = functions[k].name;
  *near = dlc_nearest(name, names, FUNCTIONS);
  return i;
}

bool dlc_initializer_meant(const char *name)
{
  int near;
  return find(name, &near) < FUNCTIONS || near >= 0;
}

dlc_status dlc_initializer_named(const char *name, dlc_initializer *i, const char **missing)
{
  int near;
  const int at = find(name, &near);
  if (at == FUNCTIONS && near >= 0)
    return dlc_fail(DLC_INVALID, "no initialisation `%s`; did you mean `%s`?", name, functions[near].name);
  if (at == FUNCTIONS)
    return dlc_fail(DLC_INVALID,
                    "no initialisation `%s`; there are uniform, normal, trunc_normal, constant, ones, zeros, "
                    "xavier_uniform, xavier_normal, kaiming_uniform and kaiming_normal",
                    name);
  *i = (dlc_initializer){.function = &functions[at]};
  const dlc_attr_table table = table_of(i);
  return dlc_attrs_defaults(&table, &i->args, missing);
}

dlc_status dlc_initializer_set(dlc_initializer *i, const char *name, const char *const *words, uint32_t count)
{
  const dlc_attr_table table = table_of(i);
  if (!*name && table.n == 0) return dlc_fail(DLC_INVALID, "%s takes no arguments", table.owner);
  return dlc_attrs_set(&table, &i->args, *name ? name : table.attrs->name, words, count);
}

dlc_status dlc_initializer_check(const dlc_initializer *i)
{
  const dlc_value any = {.size = sizeof any, .dtype = DLC_F32, .rank = 2, .dim = {1, 1}, .name = ""};
  dlc_init init;
  return dlc_initializer_of(i, &any, &init);
}

dlc_status dlc_initializer_read(const char *text, dlc_initializer *i)
{
  const char *missing, *colon = strchr(text, ':');
  char name[32];
  const size_t n = colon ? (size_t)(colon - text) : strlen(text);
  if (n >= sizeof name) return dlc_fail(DLC_INVALID, "no initialisation has so long a name");
  memcpy(name, text, n);
  name[n] = '\0';
  DLC_TRY(dlc_initializer_named(name, i, &missing));
  const dlc_attr_table table = table_of(i);
  DLC_TRY(dlc_attrs_read(&table, &i->args, colon ? colon + 1 : ""));
  return dlc_initializer_check(i);
}

dlc_status dlc_initializer_of(const dlc_initializer *i, const dlc_value *tensor, dlc_init *init)
{
  const dlc_status status = i->function->fill(&i->args, tensor, init);
  return status < 0 ? dlc_fail_in(status, "%s", i->function->name) : DLC_OK;
}

/* ---- rules ---- */

static bool is_weight(const dlc_param *tensor)
{
  const size_t n = strlen(tensor->name);
  return tensor->value.rank >= 2 && n >= 6 && strcmp(tensor->name + n - 6, "weight") == 0;
}

const dlc_init_rule *dlc_init_find(dlc_init_rule *rules, uint32_t n, const char *layer, const dlc_param *tensor)
{
  const dlc_init_rule *first = NULL;
  for (uint32_t i = 0; i < n; i++) {
    dlc_init_rule *r = &rules[i];
    if (r->layer && strcmp(r->layer, layer) != 0) continue;
    if (r->tensor ? strcmp(r->tensor, tensor->name) != 0 : !is_weight(tensor)) continue;
    r->matched = true;
    if (!first) first = r;
  }
  return first;
}
