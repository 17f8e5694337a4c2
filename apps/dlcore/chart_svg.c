/* Charts as a drawing. */
#include "chart.h"
#include "svg.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PANEL_WIDTH = 420, PANEL_HEIGHT = 270, LEFT = 56, RIGHT = 24, HEAD = 52, TITLE = 26, FOOT = 48, ROW = 22 };
enum { FONT = 12, NAME_CHARACTERS = 40, POINTS_MAX = 40, KEY = 26, BETWEEN = 24 };

/* Where a panel's curves are. */
typedef struct panel {
  const cli_chart *chart;
  cli_axis x, y;
  double left, top, width, height;
} panel;

static double at_x(const panel *p, double epoch)
{
  return p->left + p->width * cli_axis_place(&p->x, epoch);
}

static double at_y(const panel *p, double value)
{
  return p->top + p->height * (1 - cli_axis_place(&p->y, value));
}

static void draw_axes(const panel *p, dlc_str *out)
{
  const double right = p->left + p->width, bottom = p->top + p->height;
  char label[32];
  for (int i = 0; i < p->y.n; i++) {
    const double y = at_y(p, p->y.tick[i]);
    cli_axis_label(&p->y, p->y.tick[i], 0, label, sizeof label);
    cli_svg_line(out, p->left, y, right, y, "grid");
    cli_svg_write(out, &(cli_svg_text){p->left - 8, y + 4, FONT, 0, "end", "soft"}, label, 0);
  }
  for (int i = 0; i < p->x.n; i++) {
    const double x = at_x(p, p->x.tick[i]);
    snprintf(label, sizeof label, "%.0f", p->x.tick[i]);
    cli_svg_line(out, x, bottom, x, bottom + 4, "axis");
    cli_svg_write(out, &(cli_svg_text){x, bottom + 18, FONT, 0, "middle", "soft"}, label, 0);
  }
  cli_svg_line(out, p->left, bottom, right, bottom, "axis");
  cli_svg_write(out, &(cli_svg_text){p->left + p->width / 2, bottom + 36, FONT, 0, "middle", "soft"}, "epoch", 0);
}

/* The curve, and a point with its number at every epoch while they are few. */
static void draw_series(const panel *p, const cli_series *s, double *x, double *y, dlc_str *out)
{
  char style[32], value[32];
  for (size_t i = 0; i < s->n; i++) {
    x[i] = at_x(p, s->x[i]);
    y[i] = at_y(p, s->y[i]);
  }
  snprintf(style, sizeof style, "s%u%s", s->color % CLI_SVG_SERIES, s->dashed ? " dashed" : "");
  cli_svg_curve(out, x, y, s->n, style, s->name);
  snprintf(style, sizeof style, "s%u", s->color % CLI_SVG_SERIES);
  for (size_t i = 0; i < s->n && p->x.high - p->x.low <= POINTS_MAX; i++) {
    dlc_str tip = {0};
    if (isnan(s->y[i])) continue;
    cli_axis_label(&p->y, s->y[i], 2, value, sizeof value);
    dlc_str_addf(&tip, "%s, epoch %.0f: %s", s->name, s->x[i], value);
    cli_svg_dot(out, x[i], y[i], style, dlc_str_get(&tip));
    dlc_str_free(&tip);
  }
}

static void draw_curves(const panel *p, bool dashed, dlc_str *out)
{
  for (const cli_series *s = p->chart->series; s < p->chart->series + p->chart->n; s++) {
    if (s->dashed != dashed) continue;
    double *points = calloc(2 * s->n + 1, sizeof *points);
    if (points) draw_series(p, s, points, points + s->n, out);
    else out->failed = true;
    free(points);
  }
}

static void draw_panel(panel *p, dlc_str *out)
{
  cli_svg_write(out, &(cli_svg_text){p->left, p->top - 12, 14, 0, "start", "ink"}, p->chart->title, 0);
  cli_axis_of_epochs(p->chart, 8, &p->x);
  if (!cli_axis_of_values(p->chart, 6, &p->y)) {
    cli_svg_write(out, &(cli_svg_text){p->left + p->width / 2, p->top + p->height / 2, FONT, 0, "middle", "soft"},
                  "nothing measured", 0);
    return;
  }
  draw_axes(p, out);
  draw_curves(p, true, out);
  draw_curves(p, false, out);
}

/* ---- the legend: keys in rows, which are begun when the former is full ---- */

typedef struct keys {
  dlc_str *out; /* NULL: only the place is counted */
  double x, y, left, right;
} keys;

static void add_key(keys *k, const char *style, const char *text)
{
  const double width = KEY + 8 + cli_svg_width(text, NAME_CHARACTERS, FONT);
  if (k->x > k->left && k->x + width > k->right) {
    k->x = k->left;
    k->y += ROW;
  }
  if (k->out) {
    cli_svg_curve(k->out, (double[]){k->x, k->x + KEY}, (double[]){k->y, k->y}, 2, style, NULL);
    cli_svg_write(k->out, &(cli_svg_text){k->x + KEY + 8, k->y + 4, FONT, 0, "start", "ink"}, text, NAME_CHARACTERS);
  }
  k->x += width + BETWEEN;
}

static void add_keys(keys *k, const cli_legend *legend)
{
  char style[16];
  for (size_t i = 0; i < legend->n && legend->n > 1; i++) {
    snprintf(style, sizeof style, "s%zu", i % CLI_SVG_SERIES);
    add_key(k, style, legend->runs[i]);
  }
  const bool one = legend->n == 1;
  if (legend->solid) add_key(k, one ? "s0" : "key", legend->solid);
  if (legend->dashed) add_key(k, one ? "s0 dashed" : "key dashed", legend->dashed);
}

void cli_chart_svg(const cli_chart *charts, size_t n, const cli_legend *legend, const char *title, dlc_str *out)
{
  const double width = (double)n * (LEFT + PANEL_WIDTH + RIGHT), top = HEAD + TITLE,
               foot = top + PANEL_HEIGHT + FOOT + 12;
  keys k = {.x = LEFT, .y = foot, .left = LEFT, .right = width - RIGHT};
  add_keys(&k, legend);
  cli_svg_begin(out, width, k.y + ROW, title);
  cli_svg_write(out, &(cli_svg_text){LEFT, 30, 16, 0, "start", "ink"}, title, 100);
  for (size_t i = 0; i < n; i++) {
    panel p = {.chart = &charts[i],
               .left = LEFT + (double)i * (LEFT + PANEL_WIDTH + RIGHT),
               .top = top,
               .width = PANEL_WIDTH,
               .height = PANEL_HEIGHT};
    draw_panel(&p, out);
  }
  k = (keys){.out = out, .x = LEFT, .y = foot, .left = LEFT, .right = width - RIGHT};
  add_keys(&k, legend);
  cli_svg_end(out);
}
