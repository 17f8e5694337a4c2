/* Axes: which part of the numbers is shown, and where the round ones are. */
#include "chart.h"
#include <math.h>
#include <stdio.h>

static const double PLAIN_MAX = 1e6;
enum { DIGITS_MAX = 5 };

double cli_axis_place(const cli_axis *axis, double value)
{
  return (value - axis->low) / (axis->high - axis->low);
}

void cli_axis_label(const cli_axis *axis, double value, int more, char *text, size_t size)
{
  if (axis->digits < 0) snprintf(text, size, "%.*g", 3 + more, value);
  else snprintf(text, size, "%.*f", axis->digits + more, value);
}

/* The least of 1, 2, 5 times a power of ten that is not below `least`. */
static double round_step(double least)
{
  static const double factors[] = {1, 2, 5, 10};
  const double power = pow(10, floor(log10(least)));
  int i = 0;
  while (i < 3 && factors[i] * power < least * (1 - 1e-9)) i++;
  return factors[i] * power;
}

bool cli_axis_of_values(const cli_chart *chart, int ticks, cli_axis *axis)
{
  double least = INFINITY, most = -INFINITY;
  for (const cli_series *s = chart->series; s < chart->series + chart->n; s++)
    for (size_t i = 0; i < s->n; i++) {
      least = fmin(least, s->y[i]);
      most = fmax(most, s->y[i]);
    }
  if (least > most) return false;
  /* A flat line is drawn in the middle of something. */
  if (most - least <= 1e-9 * fabs(most)) {
    const double room = most != 0 ? 0.1 * fabs(most) : 1;
    least -= room;
    most += room;
  }
  const double step = round_step((most - least) / ticks), first = floor(least / step + 1e-9),
               last = ceil(most / step - 1e-9);
  *axis = (cli_axis){.low = first * step, .high = last * step, .digits = (int)fmax(0, -floor(log10(step) + 1e-9))};
  if (axis->digits > DIGITS_MAX || fabs(axis->high) >= PLAIN_MAX || fabs(axis->low) >= PLAIN_MAX) axis->digits = -1;
  for (double k = first; k <= last && axis->n < CLI_TICKS_MAX; k++) axis->tick[axis->n++] = k * step;
  return true;
}

void cli_axis_of_epochs(const cli_chart *chart, int ticks, cli_axis *axis)
{
  double last = 1;
  for (const cli_series *s = chart->series; s < chart->series + chart->n; s++)
    if (s->n) last = fmax(last, s->x[s->n - 1]);
  *axis = last > 1 ? (cli_axis){.low = 1, .high = last} : (cli_axis){.low = 0.5, .high = 1.5};
  const double step = fmax(1, round_step(last / ticks));
  axis->tick[axis->n++] = 1;
  for (double k = step > 1 ? step : 2; k <= last && axis->n < CLI_TICKS_MAX; k += step) axis->tick[axis->n++] = k;
}
