/* What `dlcore eval` found out, and the ways to tell it. [main] */
#ifndef DLCORE_APP_EVAL_H
#define DLCORE_APP_EVAL_H
#include "console.h"
#include "train/confusion.h"

typedef struct cli_evaluation {
  const char *weights, *dataset, *split;
  const char *const *classes;
  const char *criterion;      /* "cross_entropy:label_smoothing=0.1" */
  const float *class_weights; /* in it, [classes]; NULL: none */
  double loss;                /* by it */
  dlc_confusion confusion;
  uint32_t bad; /* pictures that were left out, or used as far as they could be read */
} cli_evaluation;

/* Loss and accuracies, the table of classes, the pairs confused most. */
void cli_eval_say(const cli_evaluation *e, cli_console *c);
/* All of it:
 * {version, weights, dataset, split, images, bad_images, criterion, class_weights, loss, top1, top5,
 *  macro: {precision, recall, f1}, classes: [{name, count, predicted, correct, precision, recall, f1}],
 *  confused: [{actual, predicted, count}], confusion_matrix: [[counts of one actual class]]}
 * Measures that are undefined are null; class_weights is there where there are any, top5 with more than five classes;
 * a row of the matrix is a line. */
void cli_eval_json(const cli_evaluation *e, dlc_str *out);
/* The matrix: actual classes down, predicted ones across. eval_matrix.c */
void cli_eval_csv(const cli_evaluation *e, dlc_str *out);
void cli_eval_svg(const cli_evaluation *e, dlc_str *out);

#endif
