/* Shares from Beta(alpha, alpha): x / (x + y) with x, y from Gamma(alpha, 1). */
#include "train/mix.h"
#include "base/random.h"
#include <math.h>

typedef struct stream {
  uint64_t seed;
  int64_t batch;
  uint32_t draw;
} stream;

/* In (0, 1), of 53 bits. */
static double unit(stream *s)
{
  uint32_t words[4];
  dlc_random_words(s->seed, DLC_PURPOSE_MIX, (uint32_t)s->batch, (uint32_t)(s->batch >> 32), s->draw++, words);
  const uint64_t bits = (uint64_t)words[0] << 21 ^ words[1] >> 11;
  return ((double)bits + 0.5) * 0x1p-53;
}

static double normal(stream *s) /* Box and Muller 1958 */
{
  const double radius = sqrt(-2 * log(unit(s)));
  return radius * cos(2 * 3.14159265358979323846 * unit(s));
}

/* Marsaglia and Tsang 2000; alpha < 1 by their remark that Gamma(a) = Gamma(a + 1) * U^(1/a). */
static double gamma_number(stream *s, double alpha)
{
  if (alpha < 1) {
    const double g = gamma_number(s, alpha + 1);
    return g * pow(unit(s), 1 / alpha);
  }
  const double d = alpha - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    const double x = normal(s), v = pow(1 + c * x, 3);
    if (v > 0 && log(unit(s)) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
  }
}

static double beta_number(stream *s, double alpha)
{
  const double x = gamma_number(s, alpha), y = gamma_number(s, alpha);
  return x + y > 0 ? x / (x + y) : 0.5;
}

static int64_t clamp(int64_t x, int64_t high)
{
  return x < 0 ? 0 : x > high ? high : x;
}

/* A box of about 1 - share of the picture around a random point, cut off at the borders; labels by what it covers. */
static dlc_mix cut(stream *s, double share, int64_t height, int64_t width)
{
  const double side = 0.5 * sqrt(1 - share);
  const int64_t y = (int64_t)(unit(s) * (double)height), x = (int64_t)(unit(s) * (double)width);
  const int64_t dy = (int64_t)(side * (double)height), dx = (int64_t)(side * (double)width);
  dlc_mix m = {.share = 1,
               .box = {clamp(y - dy, height), clamp(x - dx, width), clamp(y + dy, height), clamp(x + dx, width)}};
  const double covered = (double)((m.box[2] - m.box[0]) * (m.box[3] - m.box[1]));
  m.label_share = (float)(1 - covered / ((double)height * (double)width));
  return m;
}

dlc_mix dlc_mix_draw(const dlc_method *method, uint64_t seed, int64_t batch, int64_t height, int64_t width)
{
  stream s = {seed, batch, 0};
  const bool cutting = method->cutmix > 0 && (method->mixup <= 0 || unit(&s) < 0.5);
  const double share = beta_number(&s, cutting ? method->cutmix : method->mixup);
  return cutting ? cut(&s, share, height, width) : (dlc_mix){.share = (float)share, .label_share = (float)share};
}
