/* How well a classifier does: what is counted of every sample, and the measures made of the counts. [main] */
#ifndef DLC_TRAIN_CONFUSION_H
#define DLC_TRAIN_CONFUSION_H
#include "dlcore/base.h"

enum { DLC_TOP_K = 5 };

/* Begins with dlc_confusion_open(); `counts` is owned. */
typedef struct dlc_confusion {
  uint32_t n_classes;
  int64_t *counts; /* [n_classes][n_classes]: samples of class (row) that were taken for class (column) */
  int64_t samples, top1, topk;
} dlc_confusion;

/* Of one class against all others. Undefined ones (0/0) are NaN. */
typedef struct dlc_class_metrics {
  int64_t count, predicted, correct;
  double precision, recall; /* correct / predicted, correct / count */
  double f1;                /* 2 * correct / (count + predicted) */
} dlc_class_metrics;

typedef struct dlc_confused_pair {
  uint32_t actual, predicted;
  int64_t count;
} dlc_confused_pair;

dlc_status dlc_confusion_open(dlc_confusion *c, uint32_t n_classes);
void dlc_confusion_close(dlc_confusion *c);
/* `log_probs`: n_classes of them, none NaN. The prediction is the most probable class, of equals the first. */
void dlc_confusion_add(dlc_confusion *c, uint32_t label, const float *log_probs);

int64_t dlc_confusion_at(const dlc_confusion *c, uint32_t actual, uint32_t predicted);
dlc_class_metrics dlc_confusion_class(const dlc_confusion *c, uint32_t i);
/* The mean of the classes that occur, as label or as prediction; an undefined measure counts as 0, as in scikit-learn.
 * Counts are sums. */
dlc_class_metrics dlc_confusion_mean(const dlc_confusion *c);
/* The pairs of different classes with the highest counts, of equals in the order of the matrix. *n: at most `most`. */
void dlc_confusion_pairs(const dlc_confusion *c, dlc_confused_pair *pairs, uint32_t most, uint32_t *n);

#endif
