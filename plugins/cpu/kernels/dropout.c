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
  uint8_t *mask;        /* drawn, */
  const uint8_t *given; /* or drawn before */
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

/* ---- a flag a byte, 1 or 0, from and to lanes of -1 or 0 ---- */

INLINE void store_flags(uint8_t *p, veci a, veci b) /* 2 * VEC of them */
{
#if defined(__AVX512F__)
  _mm_storeu_si128((__m128i *)p, _mm_maskz_set1_epi8(_mm512_movepi32_mask((__m512i)a), 1));
  _mm_storeu_si128((__m128i *)(p + VEC), _mm_maskz_set1_epi8(_mm512_movepi32_mask((__m512i)b), 1));
#elif defined(__AVX2__)
  const __m256i words = _mm256_packs_epi32((__m256i)a, (__m256i)b); /* a0-3 b0-3 a4-7 b4-7 */
  const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storeu_si128((__m128i *)p, _mm_and_si128(_mm_shuffle_epi32(bytes, 0xd8), _mm_set1_epi8(1)));
#elif defined(__SSE2__)
  const __m128i words = _mm_packs_epi32((__m128i)a, (__m128i)b);
  _mm_storel_epi64((__m128i *)p, _mm_and_si128(_mm_packs_epi16(words, words), _mm_set1_epi8(1)));
#else
  for (int i = 0; i < VEC; i++) p[i] = a[i] & 1, p[VEC + i] = b[i] & 1;
#endif
}

INLINE veci load_flags(const uint8_t *p) /* VEC of them */
{
#if defined(__AVX512F__)
  return -(veci)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
#elif defined(__AVX2__)
  return -(veci)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
#else
  veci v;
  for (int i = 0; i < VEC; i++) v[i] = -p[i];
  return v;
#endif
}

/* ---- the mask, and what it is applied to ---- */

INLINE vec drop(const dropout *d, veci stays, vec x)
{
  return (vec)(stays & (veci)(x * vec_all(d->scale)));
}

/* Which of BLOCK elements stay: words from `least` on, unless nothing does. */
INLINE void draw_block(const call *c, int64_t block, veci stays[2])
{
  vecu words[2];
  vec_random(&c->key, (uint32_t)(block * DRAWS), words);
  for (int half = 0; half < 2; half++) stays[half] = (veci)(words[half] >= c->d->least) & vec_alli(c->d->none ? 0 : -1);
}

INLINE void drop_block(const call *c, int64_t block, int64_t at)
{
  veci stays[2];
  draw_block(c, block, stays);
  store_flags(c->mask + at, stays[0], stays[1]);
  if (!c->x) return;
  vec_store(c->y + at, drop(c->d, stays[0], vec_load(c->x + at)));
  vec_store(c->y + at + VEC, drop(c->d, stays[1], vec_load(c->x + at + VEC)));
}

/* The last n elements of a sample, fewer than BLOCK. */
static void drop_rest(const call *c, int64_t block, int64_t at, int64_t n)
{
  veci stays[2];
  uint8_t flags[BLOCK];
  draw_block(c, block, stays);
  store_flags(flags, stays[0], stays[1]);
  memcpy(c->mask + at, flags, (size_t)n);
  for (int half = 0; c->x && half < 2; half++, at += VEC, n -= VEC) {
    const vec_mask part = vec_first(n < 0 ? 0 : n < VEC ? n : VEC);
    vec_store_part(c->y + at, part, drop(c->d, stays[half], vec_load_part(c->x + at, part)));
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
    for (; block < whole; block++) drop_block(&c, block, sample * d->each + block * BLOCK);
    if (block < end) drop_rest(&c, block, sample * d->each + block * BLOCK, d->each - block * BLOCK);
    at += end - begin;
  }
}

/* y = x * scale where the mask, of x's shape, is 1. */
static void element_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const dropout *d = c->d;
  const cpu_range r = cpu_piece(d->samples * d->each, d->plane_tasks, i);
  int64_t j = r.begin;
  for (; j + VEC <= r.end; j += VEC) vec_store(c->y + j, drop(d, load_flags(c->given + j), vec_load(c->x + j)));
  for (; j < r.end; j++) c->y[j] = c->given[j] ? c->x[j] * d->scale : 0;
}

/* The same for a mask of planes. */
static void plane_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const dropout *d = c->d;
  const cpu_range r = cpu_piece(d->samples * d->each, d->plane_tasks, i);
  for (int64_t p = r.begin; p < r.end; p++) {
    const float *restrict x = c->x + p * d->spread;
    float *restrict y = c->y + p * d->spread;
    if (!c->given[p]) memset(y, 0, (size_t)d->spread * sizeof *y);
    else
      for (int64_t j = 0; j < d->spread; j++) y[j] = x[j] * d->scale;
  }
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
  call mask = {.d = d, .key = read_key(d, in[1]), .mask = out[1]};
  call c = {.d = d, .x = in[0], .y = out[0], .given = out[1]};
  cpu_run(d->device, d->mask_tasks, mask_task, &mask);
  cpu_run(d->device, d->plane_tasks, d->spread == 1 ? element_task : plane_task, &c);
  return DLC_OK;
}

static dlc_status grad_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const dropout *d = state;
  call c = {.d = d, .x = in[0], .y = out[0], .given = in[1]};
  cpu_run(d->device, d->plane_tasks, d->spread == 1 ? element_task : plane_task, &c);
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
