/* dropout, dropout2d and their gradient. The mask is a function of (seed, stream, step, sample, element) alone, so any
 * task may draw any part of it: a sample's elements are cut into blocks of two vectors, and tasks are pieces of the
 * blocks of all samples. */
#include "kernels.h"
#include "vec_random.h"
#include <math.h>

enum { BLOCK = 2 * VEC };

typedef struct dropout {
  const dlc_device *device;
  int64_t samples, each, blocks; /* elements of a sample's mask, and how many blocks they are */
  int64_t spread;                /* elements of x for one of the mask */
  uint32_t mask_tasks, plane_tasks;
  uint32_t purpose, least; /* what stays has words from `least` */
  bool none;               /* nothing stays */
  float scale;
} dropout;

typedef struct call {
  const dropout *d;
  random_key key;
  const float *x; /* NULL: the mask only */
  float *y;
  uint8_t *mask;
} call;

static dropout *prepare(const dlc_device *device, const dlc_dropout *a, const dlc_value *x, const dlc_value *mask,
                        dlc_kernel *k)
{
  dropout *d = cpu_state(device, k, sizeof *d);
  if (!d) return NULL;
  const double least = ceil(a->p * 0x1p32), work = (double)dlc_count(x);
  d->device = device;
  d->samples = mask->dim[0];
  d->each = dlc_count(mask) / d->samples;
  d->blocks = (d->each + BLOCK - 1) / BLOCK;
  d->spread = dlc_count(x) / dlc_count(mask);
  d->mask_tasks =
      cpu_task_count(BLOCK * (double)d->samples * (double)d->blocks, CPU_GRAIN_BYTES / 9, d->samples * d->blocks);
  d->plane_tasks = cpu_task_count(8 * work, CPU_GRAIN_BYTES, dlc_count(mask));
  d->purpose = DLC_RANDOM_STREAM + (uint32_t)a->stream;
  d->none = least > UINT32_MAX;
  d->least = d->none ? UINT32_MAX : (uint32_t)least;
  d->scale = d->none ? 0 : (float)(1 / (1 - a->p));
  return d;
}

/* Block `block` of the sample in the key: `at` is its first element in mask and x, n of them are in the sample. */
INLINE void drop_block(const call *c, int64_t block, int64_t at, int64_t n)
{
  vecu words[2];
  const vec scale = vec_all(c->d->scale);
  vec_random(&c->key, (uint32_t)(block * DRAWS), words);
#pragma GCC unroll 2
  for (int half = 0; half < 2; half++, at += VEC, n -= VEC) {
    const int64_t lanes = n < 0 ? 0 : n < VEC ? n : VEC;
    const veci stays = (veci)(words[half] >= c->d->least) & vec_alli(c->d->none ? 0 : -1);
    vec_store_bytes(c->mask + at, __builtin_convertvector(stays & 1, vecb), lanes);
    if (!c->x) continue;
    const vec_mask part = vec_first(lanes);
    vec_store_part(c->y + at, part, vec_select(stays, vec_load_part(c->x + at, part) * scale, vec_all(0)));
  }
}

static void mask_task(void *arg, uint32_t i)
{
  call c = *(const call *)arg;
  const dropout *d = c.d;
  const cpu_range r = cpu_piece(d->samples * d->blocks, d->mask_tasks, i);
  for (int64_t at = r.begin; at < r.end;) {
    const int64_t sample = at / d->blocks, begin = at % d->blocks;
    const int64_t end = begin + (r.end - at) < d->blocks ? begin + (r.end - at) : d->blocks;
    const int64_t whole = end < d->blocks ? end : d->each / BLOCK;
    int64_t block = begin;
    c.key.sample = (uint32_t)sample;
    for (; block < whole; block++) drop_block(&c, block, sample * d->each + block * BLOCK, BLOCK);
    for (; block < end; block++) drop_block(&c, block, sample * d->each + block * BLOCK, d->each - block * BLOCK);
    at += end - begin;
  }
}

/* y = x * scale where the mask is 1. */
static void plane_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const dropout *d = c->d;
  const float scale = d->scale;
  const cpu_range r = cpu_piece(d->samples * d->each, d->plane_tasks, i);
  const uint8_t *restrict mask = c->mask;
  const float *restrict x = c->x;
  float *restrict y = c->y;
  if (d->spread == 1) {
    for (int64_t j = r.begin; j < r.end; j++) y[j] = mask[j] ? x[j] * scale : 0;
    return;
  }
  for (int64_t p = r.begin; p < r.end; p++)
    if (mask[p])
      for (int64_t j = p * d->spread; j < (p + 1) * d->spread; j++) y[j] = x[j] * scale;
    else memset(y + p * d->spread, 0, (size_t)d->spread * sizeof *y);
}

static random_key read_key(const dropout *d, const int64_t *key)
{
  return (random_key){
      .seed = (uint64_t)key[1] << 32 | (uint32_t)key[0], .purpose = d->purpose, .epoch = (uint32_t)key[2]};
}

static dlc_status dropout_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const dropout *d = state;
  call c = {.d = d, .key = read_key(d, in[1]), .x = in[0], .y = out[0], .mask = out[1]};
  cpu_run(d->device, d->mask_tasks, mask_task, &c);
  return DLC_OK;
}

static dlc_status dropout2d_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const dropout *d = state;
  call mask = {.d = d, .key = read_key(d, in[1]), .mask = out[1]},
       c = {.d = d, .x = in[0], .y = out[0], .mask = out[1]};
  cpu_run(d->device, d->mask_tasks, mask_task, &mask);
  cpu_run(d->device, d->plane_tasks, plane_task, &c);
  return DLC_OK;
}

static dlc_status grad_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const dropout *d = state;
  call c = {.d = d, .x = in[0], .y = out[0], .mask = (uint8_t *)in[1]};
  cpu_run(d->device, d->plane_tasks, plane_task, &c);
  return DLC_OK;
}

dlc_status cpu_dropout(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = dropout_launch;
  return prepare(device, node->attr, cpu_in(g, node, 0), cpu_out(g, node, 1), k) ? DLC_OK : DLC_NOMEM;
}

dlc_status cpu_dropout2d(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = dropout2d_launch;
  return prepare(device, node->attr, cpu_in(g, node, 0), cpu_out(g, node, 1), k) ? DLC_OK : DLC_NOMEM;
}

dlc_status cpu_dropout_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = grad_launch;
  return prepare(device, node->attr, cpu_in(g, node, 0), cpu_in(g, node, 1), k) ? DLC_OK : DLC_NOMEM;
}
