/* Counting and dividing, see confusion.h. */
#include "train/confusion.h"
#include "base/status.h"
#include <math.h>
#include <stdlib.h>

dlc_status dlc_confusion_open(dlc_confusion *c, uint32_t n_classes)
{
  *c = (dlc_confusion){.n_classes = n_classes, .counts = calloc((size_t)n_classes * n_classes + 1, sizeof *c->counts)};
  return c->counts ? DLC_OK : dlc_fail_nomem();
}

void dlc_confusion_close(dlc_confusion *c)
{
  free(c->counts);
  *c = (dlc_confusion){0};
}

void dlc_confusion_add(dlc_confusion *c, uint32_t label, const float *log_probs)
{
  uint32_t best = 0, before = 0; /* classes that rank before the label */
  for (uint32_t i = 0; i < c->n_classes; i++) {
    if (log_probs[i] > log_probs[best]) best = i;
    before += log_probs[i] > log_probs[label] || (i < label && log_probs[i] == log_probs[label]);
  }
  c->counts[(size_t)label * c->n_classes + best]++;
  c->samples++;
  c->top1 += before == 0;
  c->topk += before < DLC_TOP_K;
}

int64_t dlc_confusion_at(const dlc_confusion *c, uint32_t actual, uint32_t predicted)
{
  return c->counts[(size_t)actual * c->n_classes + predicted];
}

static double ratio(int64_t a, int64_t b)
{
  return b ? (double)a / (double)b : NAN;
}

dlc_class_metrics dlc_confusion_class(const dlc_confusion *c, uint32_t i)
{
  dlc_class_metrics m = {.correct = dlc_confusion_at(c, i, i)};
  for (uint32_t k = 0; k < c->n_classes; k++) {
    m.count += dlc_confusion_at(c, i, k);
    m.predicted += dlc_confusion_at(c, k, i);
  }
  m.precision = ratio(m.correct, m.predicted);
  m.recall = ratio(m.correct, m.count);
  m.f1 = ratio(2 * m.correct, m.count + m.predicted);
  return m;
}

static double or_zero(double x)
{
  return isnan(x) ? 0 : x;
}

dlc_class_metrics dlc_confusion_mean(const dlc_confusion *c)
{
  dlc_class_metrics sum = {0};
  uint32_t n = 0;
  for (uint32_t i = 0; i < c->n_classes; i++) {
    const dlc_class_metrics m = dlc_confusion_class(c, i);
    n += m.count + m.predicted > 0;
    sum.count += m.count;
    sum.predicted += m.predicted;
    sum.correct += m.correct;
    sum.precision += or_zero(m.precision);
    sum.recall += or_zero(m.recall);
    sum.f1 += or_zero(m.f1);
  }
  sum.precision /= n;
  sum.recall /= n;
  sum.f1 /= n;
  return sum;
}

void dlc_confusion_pairs(const dlc_confusion *c, dlc_confused_pair *pairs, uint32_t most, uint32_t *n)
{
  *n = 0;
  for (uint32_t i = 0; i < c->n_classes; i++)
    for (uint32_t k = 0; k < c->n_classes; k++) {
      const int64_t count = dlc_confusion_at(c, i, k);
      uint32_t at = *n;
      if (i == k || count == 0) continue;
      while (at > 0 && pairs[at - 1].count < count) at--;
      if (at == most) continue;
      if (*n < most) ++*n;
      for (uint32_t j = *n - 1; j > at; j--) pairs[j] = pairs[j - 1];
      pairs[at] = (dlc_confused_pair){i, k, count};
    }
}
