/* The confusion matrix as a table and as a drawing: actual classes down, predicted ones across; a cell's colour is its
 * share of its row. */
#include "csv_field.h"
#include "eval.h"
#include "svg.h"
#include <math.h>

void cli_eval_csv(const cli_evaluation *e, dlc_str *out)
{
  const uint32_t n = e->confusion.n_classes;
  dlc_str_add(out, "actual");
  for (uint32_t i = 0; i < n; i++) {
    dlc_str_add(out, ",");
    cli_csv_field(out, e->classes[i]);
  }
  for (uint32_t i = 0; i < n; i++) {
    dlc_str_add(out, "\n");
    cli_csv_field(out, e->classes[i]);
    for (uint32_t k = 0; k < n; k++) dlc_str_addf(out, ",%lld", (long long)dlc_confusion_at(&e->confusion, i, k));
  }
  dlc_str_add(out, "\n");
}

/* ---- the drawing ---- */

enum { NAME_CHARACTERS = 24, MARGIN = 16, HEAD = 64, AXIS_TITLE = 20, CELL_OF_FEW = 72 };
static const double DIAGONAL = 0.7072; /* of a label at 45 degrees, its height and width */

typedef struct drawing {
  const cli_evaluation *e;
  dlc_str *out;
  double cell, font, digits; /* sizes of a cell and of the texts; digits 0: counts don't fit */
  bool steep;                /* names across are upright, not slanting */
  double left, top;          /* of the cells */
  double width, height;
  char title[256];
} drawing;

static const char legend[] = "Colour: share of the row. Blue right, orange wrong.";
enum { TITLE_SIZE = 16, LEGEND_SIZE = 12 };

static int64_t largest_count(const dlc_confusion *c)
{
  int64_t most = 0;
  for (size_t i = 0; i < (size_t)c->n_classes * c->n_classes; i++)
    if (c->counts[i] > most) most = c->counts[i];
  return most;
}

/* Of the counts, as large as the widest of them allows. */
static double digit_size(const dlc_confusion *c, double cell)
{
  enum { LEAST = 6, MOST = 13 };
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)largest_count(c));
  const double fits = (cell - 3) / cli_svg_width(text, 0, 1);
  return fits < LEAST ? 0 : fits < MOST ? fits : MOST;
}

static drawing lay_out(const cli_evaluation *e, dlc_str *out)
{
  const uint32_t n = e->confusion.n_classes;
  drawing d = {.e = e, .out = out};
  double names = 0;
  d.cell = n <= 4 ? CELL_OF_FEW : n <= 12 ? 44 : n <= 30 ? 28 : n <= 60 ? 18 : n <= 200 ? 12 : 6;
  d.font = d.cell >= 28 ? 13 : d.cell - 3;
  d.digits = digit_size(&e->confusion, d.cell);
  d.steep = n > 30;
  for (uint32_t i = 0; i < n; i++) {
    const double width = cli_svg_width(e->classes[i], NAME_CHARACTERS, d.font);
    if (width > names) names = width;
  }
  d.left = MARGIN + AXIS_TITLE + names + 8;
  d.top = HEAD + AXIS_TITLE + (d.steep ? names : DIAGONAL * (names + d.font)) + 8;
  snprintf(d.title, sizeof d.title, "%s %s: %.2f%% of %lld right", e->dataset, e->split,
           100 * (double)e->confusion.top1 / (double)e->confusion.samples, (long long)e->confusion.samples);
  d.width = fmax(d.left + n * d.cell + (d.steep ? 0 : DIAGONAL * names),
                 MARGIN + fmax(cli_svg_width(d.title, 0, TITLE_SIZE), cli_svg_width(legend, 0, LEGEND_SIZE))) +
            MARGIN;
  d.height = d.top + n * d.cell + MARGIN;
  return d;
}

static void write_head(const drawing *d)
{
  cli_svg_write(d->out, &(cli_svg_text){MARGIN, 28, TITLE_SIZE, 0, "start", "ink"}, d->title, 0);
  cli_svg_write(d->out, &(cli_svg_text){MARGIN, 48, LEGEND_SIZE, 0, "start", "soft"}, legend, 0);
}

static void write_names(const drawing *d)
{
  const uint32_t n = d->e->confusion.n_classes;
  const double across = d->left + n * d->cell / 2, down = d->top + n * d->cell / 2;
  for (uint32_t i = 0; i < n; i++) {
    const double middle = (i + 0.5) * d->cell, base = 0.35 * d->font;
    const cli_svg_text row = {d->left - 6, d->top + middle + base, d->font, 0, "end", "ink"},
                       column = {d->left + middle + base, d->top - 6, d->font, d->steep ? -90 : -45, "start", "ink"};
    cli_svg_write(d->out, &row, d->e->classes[i], NAME_CHARACTERS);
    cli_svg_write(d->out, &column, d->e->classes[i], NAME_CHARACTERS);
  }
  cli_svg_write(d->out, &(cli_svg_text){across, HEAD + 12, 13, 0, "middle", "soft"}, "predicted", 0);
  cli_svg_write(d->out, &(cli_svg_text){MARGIN + 10, down, 13, -90, "middle", "soft"}, "actual", 0);
}

static void draw_cell(const drawing *d, uint32_t actual, uint32_t predicted, int64_t row)
{
  const int64_t count = dlc_confusion_at(&d->e->confusion, actual, predicted);
  const double share = row ? (double)count / (double)row : 0, x = d->left + predicted * d->cell,
               y = d->top + actual * d->cell, gap = d->cell >= 18 ? 1 : 0.25;
  char number[24];
  if (count > 0) {
    dlc_str tip = {0};
    dlc_str_addf(&tip, "%s taken for %s: %lld of %lld (%.1f%%)", d->e->classes[actual], d->e->classes[predicted],
                 (long long)count, (long long)row, 100 * share);
    /* From 0.08: one picture of a thousand is still seen to be there. */
    cli_svg_rect(d->out, x + gap, y + gap, d->cell - 2 * gap, d->cell - 2 * gap,
                 actual == predicted ? "right" : "wrong", 0.08 + 0.92 * share, dlc_str_get(&tip));
    dlc_str_free(&tip);
  }
  if (d->digits == 0 || (count == 0 && d->cell < CELL_OF_FEW)) return;
  snprintf(number, sizeof number, "%lld", (long long)count);
  cli_svg_write(d->out,
                &(cli_svg_text){x + d->cell / 2, y + d->cell / 2 + 0.35 * d->digits, d->digits, 0, "middle",
                                share > 0.5 ? "on" : "ink"},
                number, 0);
}

void cli_eval_svg(const cli_evaluation *e, dlc_str *out)
{
  const uint32_t n = e->confusion.n_classes;
  const drawing d = lay_out(e, out);
  cli_svg_begin(out, d.width, d.height, "Confusion matrix");
  write_head(&d);
  cli_svg_rect(out, d.left, d.top, n * d.cell, n * d.cell, "empty", 1, NULL);
  write_names(&d);
  for (uint32_t i = 0; i < n; i++) {
    const int64_t row = dlc_confusion_class(&e->confusion, i).count;
    for (uint32_t k = 0; k < n; k++) draw_cell(&d, i, k, row);
  }
  cli_svg_end(out);
}
