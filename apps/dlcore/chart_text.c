/* Charts on a terminal: in dots of Braille patterns, eight to a character, or in letters. */
#include "chart.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 11, LABEL = 8, COLORS = 6, MARGIN = 2 };

static const char markers[] = "*o+x#@", dashed_marker = '.';
static const int colors[COLORS] = {36, 33, 32, 35, 34, 31};

/* One character: its dots, or its letter, and whose it is. */
typedef struct cell {
  unsigned char dots, color; /* color 0: nobody's; else one more than the run's */
  char letter;
} cell;

/* `width` by `height` dots on columns by ROWS cells. */
typedef struct canvas {
  const cli_chart_style *style;
  cli_axis x, y;
  int columns, width, height;
  cell *cells;
} canvas;

/* ---- drawing ---- */

static void put_dot(canvas *c, const cli_series *s, int x, int y)
{
  static const unsigned char dot[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
  const int across = c->style->braille ? 2 : 1, down = c->style->braille ? 4 : 1;
  if (x < 0 || x >= c->width || y < 0 || y >= c->height) return;
  cell *at = &c->cells[y / down * c->columns + x / across];
  at->dots |= dot[y % down][x % across];
  at->color = (unsigned char)(1 + s->color % COLORS);
  at->letter = s->dashed ? dashed_marker : markers[s->color % COLORS];
}

static int dot_x(const canvas *c, double epoch)
{
  return (int)lround((c->width - 1) * cli_axis_place(&c->x, epoch));
}

static int dot_y(const canvas *c, double value)
{
  return (int)lround((c->height - 1) * (1 - cli_axis_place(&c->y, value)));
}

/* From the i-th point to the next: a dot in every column, and as many above each other as it takes. */
static void draw_line(canvas *c, const cli_series *s, size_t i)
{
  const int x0 = dot_x(c, s->x[i]), x1 = dot_x(c, s->x[i + 1]), y0 = dot_y(c, s->y[i]), y1 = dot_y(c, s->y[i + 1]);
  const int steps = abs(y1 - y0) > x1 - x0 ? abs(y1 - y0) : x1 - x0;
  for (int k = 0; k <= steps; k++) {
    const double part = steps ? (double)k / steps : 0;
    const int x = x0 + (int)lround(part * (x1 - x0)), y = y0 + (int)lround(part * (y1 - y0));
    if (s->dashed && c->style->braille && (x0 + k) % 4 >= 2) continue;
    put_dot(c, s, x, y);
  }
}

static void draw_series(canvas *c, const cli_series *s)
{
  for (size_t i = 0; i < s->n; i++) {
    if (isnan(s->y[i])) continue;
    put_dot(c, s, dot_x(c, s->x[i]), dot_y(c, s->y[i]));
    if (i + 1 < s->n && !isnan(s->y[i + 1])) draw_line(c, s, i);
  }
}

/* ---- writing ---- */

static void add_colored(dlc_str *out, const cli_chart_style *style, unsigned color, const char *text)
{
  if (style->color) dlc_str_addf(out, "\033[%dm%s\033[0m", colors[color % COLORS], text);
  else dlc_str_add(out, text);
}

static void add_cell(const canvas *c, const cell *at, dlc_str *out)
{
  if (at->color == 0) {
    dlc_str_add(out, " ");
  } else if (c->style->braille) { /* U+2800 and its dots */
    const char text[] = {(char)0xE2, (char)(0xA0 | at->dots >> 6), (char)(0x80 | (at->dots & 0x3F))};
    dlc_str_addn(out, text, sizeof text);
  } else {
    dlc_str_addn(out, &at->letter, 1);
  }
}

/* Up to the last cell that is somebody's; the colour is told when it changes. */
static void add_row(const canvas *c, const cell *cells, dlc_str *out)
{
  int last = c->columns;
  unsigned color = 0;
  while (last > 0 && cells[last - 1].color == 0) last--;
  for (int i = 0; i < last; i++) {
    if (c->style->color && cells[i].color && cells[i].color != color)
      dlc_str_addf(out, "\033[%dm", colors[(color = cells[i].color) - 1]);
    add_cell(c, &cells[i], out);
  }
  dlc_str_add(out, color ? "\033[0m\n" : "\n");
}

/* The tick that belongs to this row, or nothing. */
static void add_label(const canvas *c, int row, dlc_str *out)
{
  const int down = c->style->braille ? 4 : 1;
  for (int i = 0; i < c->y.n; i++) {
    if (dot_y(c, c->y.tick[i]) / down != row) continue;
    char label[32];
    cli_axis_label(&c->y, c->y.tick[i], 0, label, sizeof label);
    dlc_str_addf(out, "%*s %s", LABEL, label, c->style->braille ? "┤" : "+");
    return;
  }
  dlc_str_addf(out, "%*s %s", LABEL, "", c->style->braille ? "│" : "|");
}

/* The line below the dots, and the epochs below that where they do not run into each other. */
static void add_epochs(const canvas *c, dlc_str *out)
{
  int column = 0;
  dlc_str_addf(out, "%*s %s", LABEL, "", c->style->braille ? "└" : "+");
  for (int i = 0; i < c->columns; i++) dlc_str_add(out, c->style->braille ? "─" : "-");
  dlc_str_addf(out, "\n%*s", LABEL + 2, "");
  for (int i = 0; i < c->x.n; i++) {
    char text[32];
    const int length = snprintf(text, sizeof text, "%.0f", c->x.tick[i]);
    int at = dot_x(c, c->x.tick[i]) / (c->style->braille ? 2 : 1) - length / 2;
    if (at + length > c->columns) at = c->columns - length;
    if (at < column + (column > 0)) {
      if (column > 0) continue;
      at = 0;
    }
    dlc_str_addf(out, "%*s%s", at - column, "", text);
    column = at + length;
  }
  dlc_str_add(out, "\n");
}

static void add_canvas(const canvas *c, dlc_str *out)
{
  for (int row = 0; row < ROWS; row++) {
    add_label(c, row, out);
    add_row(c, c->cells + row * c->columns, out);
  }
  add_epochs(c, out);
}

static void add_chart(const cli_chart *chart, const cli_chart_style *style, dlc_str *out)
{
  const int columns = style->columns - LABEL - 2 - MARGIN, across = style->braille ? 2 : 1,
            down = style->braille ? 4 : 1;
  canvas c = {.style = style,
              .columns = columns,
              .width = columns * across,
              .height = ROWS * down,
              .cells = calloc((size_t)columns * ROWS, sizeof(cell))};
  dlc_str_addf(out, "%*s%s\n", LABEL + 2, "", chart->title);
  cli_axis_of_epochs(chart, columns / 8 < 10 ? columns / 8 : 10, &c.x);
  if (!c.cells) {
    out->failed = true;
  } else if (!cli_axis_of_values(chart, 5, &c.y)) {
    dlc_str_addf(out, "%*snothing measured\n", LABEL + 2, "");
  } else {
    for (size_t i = 0; i < chart->n; i++)
      if (chart->series[i].dashed) draw_series(&c, &chart->series[i]);
    for (size_t i = 0; i < chart->n; i++)
      if (!chart->series[i].dashed) draw_series(&c, &chart->series[i]);
    add_canvas(&c, out);
  }
  free(c.cells);
}

/* "── test  ╌╌ train", before that the runs where there are several. */
static void add_legend(const cli_legend *legend, const cli_chart_style *style, dlc_str *out)
{
  const char *solid = style->braille ? "──" : "*", *dashed = style->braille ? "╌╌" : ".";
  dlc_str_addf(out, "%*s", LABEL + 2, "");
  for (size_t i = 0; i < legend->n && legend->n > 1; i++) {
    const char letter[2] = {markers[i % COLORS]};
    add_colored(out, style, (unsigned)i, style->braille ? solid : letter);
    dlc_str_addf(out, " %s  ", legend->runs[i]);
  }
  if (legend->n > 1) {
    dlc_str_add(out, "  ");
    if (style->braille && legend->solid) dlc_str_addf(out, "%s %s  ", solid, legend->solid);
    if (legend->dashed) dlc_str_addf(out, "%s %s", dashed, legend->dashed);
  } else {
    if (legend->solid) add_colored(out, style, 0, solid), dlc_str_addf(out, " %s  ", legend->solid);
    if (legend->dashed) add_colored(out, style, 0, dashed), dlc_str_addf(out, " %s", legend->dashed);
  }
  dlc_str_add(out, "\n");
}

void cli_chart_text(const cli_chart *charts, size_t n, const cli_legend *legend, const cli_chart_style *style,
                    dlc_str *out)
{
  for (size_t i = 0; i < n; i++) {
    add_chart(&charts[i], style, out);
    dlc_str_add(out, "\n");
  }
  add_legend(legend, style, out);
}
