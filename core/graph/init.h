/* How tensors begin: torch.nn.init, by its names and with its arguments. Model files ask for it layer by layer or for
 * all layers of a kind, the command line for the whole model. [main] */
#ifndef DLC_GRAPH_INIT_H
#define DLC_GRAPH_INIT_H
#include "dlcore/op.h"
#include <stdbool.h>

/* What a tensor is filled with. */
typedef struct dlc_init {
  uint32_t kind;    /* DLC_INIT_... */
  double a, b;      /* as in dlc_param */
  double low, high; /* NORMAL, where low < high: drawn from what lies between them alone */
} dlc_init;

/* The n numbers of tensor `index`: a function of the seed and the index, as in base/random.h. */
void dlc_init_fill(const dlc_init *init, uint64_t seed, uint32_t index, float *out, size_t n);

typedef struct dlc_init_args {
  double a, b, mean, std, val, gain;
  int64_t mode, nonlinearity;
} dlc_init_args;

/* One of torch.nn.init's functions: which numbers its arguments come to depends on the tensor's shape. */
typedef struct dlc_init_function {
  const char *name, *help;
  const dlc_attr *attrs; /* of dlc_init_args */
  uint32_t n_attrs;
  dlc_status (*fill)(const dlc_init_args *a, const dlc_value *tensor, dlc_init *init);
} dlc_init_function;
/* NULL past the last. */
const dlc_init_function *dlc_init_function_at(uint32_t i);

typedef struct dlc_initializer {
  const dlc_init_function *function;
  dlc_init_args args;
} dlc_initializer;

/* Whether it is the name of one, or near enough to be meant as one. */
bool dlc_initializer_meant(const char *name);
/* With its defaults. *missing: the argument that must be given, or NULL. */
dlc_status dlc_initializer_named(const char *name, dlc_initializer *i, const char **missing);
/* One argument, as dlc_attrs_set(); `name` "": the first. */
dlc_status dlc_initializer_set(dlc_initializer *i, const char *name, const char *const *words, uint32_t count);
/* Whether the arguments, all of them set, make sense. */
dlc_status dlc_initializer_check(const dlc_initializer *i);
/* "kaiming_normal:mode=fan_out", as on the command line. */
dlc_status dlc_initializer_read(const char *text, dlc_initializer *i);
dlc_status dlc_initializer_of(const dlc_initializer *i, const dlc_value *tensor, dlc_init *init);

/* Which tensors of which layers begin how. */
typedef struct dlc_init_rule {
  const char *layer;  /* the name of its op; NULL: of any */
  const char *tensor; /* what the op calls it; NULL: the weights */
  dlc_initializer initializer;
  unsigned line, column; /* in the model file */
  bool matched;          /* set by dlc_init_find() where there is such a tensor, whichever rule decides about it */
} dlc_init_rule;

/* The first of n rules that matches a trained tensor of a layer of kind `layer`, or NULL. Weights are tensors of two
 * dimensions or more whose names end so. */
const dlc_init_rule *dlc_init_find(dlc_init_rule *rules, uint32_t n, const char *layer, const dlc_param *tensor);

#endif
