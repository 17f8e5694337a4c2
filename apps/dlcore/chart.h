/* Curves over epochs, as a drawing and on a terminal: both are given the same charts. [main] */
#ifndef DLCORE_APP_CHART_H
#define DLCORE_APP_CHART_H
#include "base/str.h"
#include <stdbool.h>

typedef struct cli_series {
  const char *name;    /* in tips */
  const double *x, *y; /* epochs, ascending; where y is NaN the curve has a gap */
  size_t n;
  unsigned color; /* of its run */
  bool dashed;    /* training; solid: what is measured after it */
} cli_series;

typedef struct cli_chart {
  const char *title;
  const cli_series *series;
  size_t n;
} cli_chart;

/* What the colours stand for. */
typedef struct cli_legend {
  const char *const *runs;
  size_t n;
  const char *solid, *dashed; /* "test", "train"; NULL: there is none of these */
} cli_legend;

/* The charts side by side, the legend below. chart_svg.c */
void cli_chart_svg(const cli_chart *charts, size_t n, const cli_legend *legend, const char *title, dlc_str *out);

typedef struct cli_chart_style {
  int columns; /* of the terminal */
  bool braille, color;
} cli_chart_style;
/* One below the other, then the legend. Lines that end with a newline. chart_text.c */
void cli_chart_text(const cli_chart *charts, size_t n, const cli_legend *legend, const cli_chart_style *style,
                    dlc_str *out);

/* ---- axes. chart_axis.c ---- */

enum { CLI_TICKS_MAX = 16 };
typedef struct cli_axis {
  double low, high;
  double tick[CLI_TICKS_MAX];
  int n, digits; /* ticks, and their decimals; -1: as 2e+06 */
} cli_axis;

/* Round numbers around the values of all series; about `ticks` of them, at most CLI_TICKS_MAX - 2. False: there is no
 * value. */
bool cli_axis_of_values(const cli_chart *chart, int ticks, cli_axis *axis);
/* Whole epochs from 1. */
void cli_axis_of_epochs(const cli_chart *chart, int ticks, cli_axis *axis);
/* A value with `more` decimals than the ticks have. */
void cli_axis_label(const cli_axis *axis, double value, int more, char *text, size_t size);
/* 0 at low, 1 at high. */
double cli_axis_place(const cli_axis *axis, double value);

#endif
