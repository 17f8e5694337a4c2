/* Interface "dlcore.op/1": an operation = shape rule + gradient rule + reference kernel. Layers, losses and optimizers
 * are ops; a plugin may add any of them without a backend, and a backend may speed up any of them without the op. */
#ifndef DLCORE_OP_H
#define DLCORE_OP_H
#include "attr.h"
#include "graph.h"
#ifdef __cplusplus
extern "C" {
#endif

#define DLC_IFACE_OP "dlcore.op/1"

/* ---- parameters that a layer owns, and states that an optimizer owns ---- */
enum { DLC_INIT_CONSTANT = 1, DLC_INIT_UNIFORM = 2, DLC_INIT_NORMAL = 3 };
typedef struct dlc_param {
  uint32_t size;
  const char *name; /* "weight": becomes "conv1.weight" */
  dlc_value value;  /* dtype, rank, dim */
  uint32_t init;    /* DLC_INIT_... */
  double a, b;      /* CONSTANT: a. UNIFORM: [a, b). NORMAL: mean a, standard deviation b */
  uint32_t role; /* LAYER: 0, trained (f32), or DLC_ROLE_STATE: changed by an update that build() emits, and saved with
                    the weights */
} dlc_param;

/* ---- graph building, for the rules that emit nodes. Filled by dlcore; all [main] ---- */
typedef struct dlc_builder dlc_builder;
struct dlc_builder {
  uint32_t size;
  const dlc_host *host;
  /* The value behind an id. Valid until the next emit(). */
  const dlc_value *(*value)(dlc_builder *b, uint32_t id);
  /* Appends a node. `attr` is copied (NULL: all defaults). `out` receives the ids of every output of the op: give it
   * room for DLC_MAX_OUT unless you know better. */
  dlc_status (*emit)(dlc_builder *b, const char *op, const void *attr, const uint32_t *in, uint32_t n_in,
                     uint32_t *out);
  /* For an op that draws random numbers: `key` is the value to draw by, i64 [3], a step scalar: the seed's lower 32
   * bits, its upper 32 bits, the step counted from 1. `stream` is a number that no other node of the graph gets, the
   * same in every graph of the model: part of the attributes. The numbers are dlc_random's words(seed,
   * DLC_RANDOM_STREAM + stream, step, sample of the batch, draw). */
  dlc_status (*random)(dlc_builder *b, uint32_t *key, int64_t *stream);
};
#define DLC_RANDOM_STREAM 0x8000u

/* ---- one call of a reference kernel ---- */
typedef struct dlc_call {
  uint32_t size, n_in, n_out;
  const dlc_host *host;
  const void *attr;
  const dlc_value *const *iv; /* shapes of the inputs; the data types are those of the graph */
  const double *const *in;    /* the data, converted to double by dlcore whatever its type */
  const dlc_value *const *ov;
  double *const *out; /* to be written in full; converted back by dlcore. Never overlaps an input */
} dlc_call;

enum {
  DLC_OP_PLAIN = 0, /* used by other ops: gradients, helpers */
  DLC_OP_LAYER = 1, /* may be named in a model file. Inputs: the data, then its parameters */
  DLC_OP_LOSS = 2,  /* inputs: logits, labels (i32 [batch]) and, where the user gives them, a weight for each class (f32
                       [classes]); output 0: the mean loss, f32 [1] */
  DLC_OP_OPTIMIZER = 3 /* inputs: parameter, its states, gradient, learning rate (f32 [1]), step number counted from
                          1 (i64 [1]); outputs: parameter, states. Must have DLC_OP_UPDATE */
};
enum {
  DLC_OP_VIEW = 1,     /* output 0 is input 0 under another shape: shares its memory and is never launched */
  DLC_OP_UPDATE = 2,   /* output k is the new content of input k, in the same memory */
  DLC_OP_VARIADIC = 4, /* n_data inputs or more; without parameters */
  DLC_OP_MOMENTUM = 8 /* OPTIMIZER: where a schedule moves its momentum there is one input more, behind the step number:
                         f32 [1], what stands in this step for the attribute `momentum`, else `beta1`. It is never there
                         where the former is 0 */
};

struct dlc_op {
  uint32_t size;
  const char *name; /* "vendor.op"; names without a dot belong to dlcore */
  uint32_t version; /* raised when a kernel written for the former one would compute something else */
  uint32_t kind, flags;
  uint32_t n_data; /* all but OPTIMIZER: inputs before the parameters; dlcore checks that they are there */
  uint32_t attr_size;
  const dlc_attr *attrs;
  uint32_t n_attrs;
  const char *help; /* one line */
  /* [main] Shapes and types of the outputs, or DLC_INVALID with what came and what was expected. May replace shorthand
   * in `attr` by what it stands for (padding `same` by numbers): the node keeps the result. `out` has room for
   * DLC_MAX_OUT values; size, role and name are dlcore's. Mandatory but for layers that are built of other ops. */
  dlc_status (*infer)(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                      dlc_value *out);
  /* [main] The k-th parameter (LAYER) or state (OPTIMIZER, where in[0] is the parameter); DLC_END after the last.
   * `in`: the n_data data inputs. A state begins as CONSTANT 0. Optional. */
  dlc_status (*param)(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k, dlc_param *p);
  /* [main] Emits the nodes of the gradient. grad_out[k]: id of the gradient of output k, or DLC_NONE where the loss
   * does not depend on it. Sets grad_in[j] for each input; DLC_NONE (the preset): no gradient flows there. Optional:
   * an op without it stops gradients with an error. */
  dlc_status (*grad)(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in);
  /* [any] The definition of what the op computes, in double. Backends are held against it, and a node that no backend
   * does runs on it. Mandatory unless DLC_OP_VIEW, or as infer. */
  dlc_status (*reference)(const dlc_call *call);
  /* [main] LAYER: emits the nodes that the layer is, where that is more than one node of this op, or not the same in
   * training as in evaluation. `in`: the data, then every parameter and state that param() declared; *out: the value
   * that the layer gives, one of `in` where it does nothing. An op that build() never emits has neither infer nor
   * reference. Optional: without it a layer is one node of this op. */
  dlc_status (*build)(dlc_builder *b, const void *attr, int training, const uint32_t *in, uint32_t n_in, uint32_t *out);
};

/* The i-th attribute. */
static inline const dlc_attr *dlc_attr_at(const dlc_op *op, uint32_t i)
{
  return dlc_attr_entry(op->attrs, i);
}

#ifdef __cplusplus
}
#endif
#endif
