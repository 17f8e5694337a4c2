/* Calling the rules of an op by themselves: infer() and param(), and what they give or refuse. For tests only. */
#ifndef TEST_INFER_H
#define TEST_INFER_H
#include "reference_run.h"
#include "suite.h"
#include <math.h>
#include <stdbool.h>

/* ---- one call of infer() ---- */

typedef struct inferred {
  dlc_status status;
  uint32_t n_out;
  dlc_value out[DLC_MAX_OUT];
} inferred;

static inline const dlc_op *op_named(const char *name)
{
  const dlc_op *op = NULL;
  ck_assert_msg(find_core_op(NULL, name, &op) == DLC_OK, "%s", dlc_reason());
  return op;
}

#define DIMS(...)                                                                                                      \
  sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (const int64_t[])                                          \
  {                                                                                                                    \
    __VA_ARGS__                                                                                                        \
  }
#define VALUE(dtype, ...) make_value(dtype, DIMS(__VA_ARGS__))
#define F32(...)          VALUE(DLC_F32, __VA_ARGS__)
#define INFER(op, attr, ...)                                                                                           \
  infer(op, attr, (const dlc_value[]){__VA_ARGS__}, sizeof((const dlc_value[]){__VA_ARGS__}) / sizeof(dlc_value))

static inline dlc_value make_value(uint32_t dtype, size_t rank, const int64_t *dim)
{
  dlc_value v = {.size = sizeof v, .dtype = dtype, .rank = (uint32_t)rank, .name = ""};
  memcpy(v.dim, dim, rank * sizeof *dim);
  return v;
}

static inline inferred infer(const char *name, void *attr, const dlc_value *in, size_t n_in)
{
  inferred r = {.n_out = 0};
  const dlc_value *list[DLC_MAX_IN];
  for (size_t i = 0; i < n_in; i++) list[i] = &in[i];
  r.status = op_named(name)->infer(NULL, attr, (uint32_t)n_in, list, &r.n_out, r.out);
  return r;
}

static inline void check_shape(const inferred *r, uint32_t k, uint32_t dtype, size_t rank, const int64_t *dim)
{
  ck_assert_msg(r->status == DLC_OK, "%s", dlc_reason());
  ck_assert_uint_lt(k, r->n_out);
  ck_assert_uint_eq(r->out[k].dtype, dtype);
  ck_assert_uint_eq(r->out[k].rank, rank);
  for (size_t i = 0; i < rank; i++) ck_assert_int_eq(r->out[k].dim[i], dim[i]);
}

static inline void check_refused(inferred r, const char *reason)
{
  ck_assert_int_eq(r.status, DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), reason);
}

static inline dlc_status param_of(const char *op, const void *attr, dlc_value in, uint32_t k, dlc_param *p)
{
  const dlc_value *list[1] = {&in};
  *p = (dlc_param){.size = sizeof *p};
  return op_named(op)->param(NULL, attr, list, k, p);
}

/* Runs the reference kernel on data for shapes that infer() gave. */
static inline dlc_status call(const char *op, const void *attr, const inferred *shapes, const dlc_value *iv,
                              const double *const *in, uint32_t n_in, double *const *out)
{
  const dlc_value *ins[DLC_MAX_IN], *outs[DLC_MAX_OUT];
  for (uint32_t i = 0; i < n_in; i++) ins[i] = &iv[i];
  for (uint32_t i = 0; i < shapes->n_out; i++) outs[i] = &shapes->out[i];
  const dlc_call c = {sizeof c, n_in, shapes->n_out, NULL, attr, ins, in, outs, out};
  return op_named(op)->reference(&c);
}

static inline void check_uniform(const dlc_param *p, const char *name, double bound, size_t rank, const int64_t *dim)
{
  ck_assert_str_eq(p->name, name);
  ck_assert_uint_eq(p->init, DLC_INIT_UNIFORM);
  ck_assert_double_eq_tol(p->a, -bound, 1e-15);
  ck_assert_double_eq_tol(p->b, bound, 1e-15);
  ck_assert_uint_eq(p->value.dtype, DLC_F32);
  ck_assert_uint_eq(p->value.rank, rank);
  for (size_t i = 0; i < rank; i++) ck_assert_int_eq(p->value.dim[i], dim[i]);
}

#endif
