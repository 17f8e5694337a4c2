/* Reading summary.csv: a line of names, then a row of numbers an epoch. An empty field, nan and inf are no number, nor
 * is what only a loss on its way there reaches. */
#include "curves.h"
#include "base/file.h"
#include "base/status.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double VALUE_MAX = 1e30, EPOCH_MAX = 1e9;
enum { CSV_BYTES_MAX = 256 << 20, EPOCH = CLI_CURVES, N_COLUMNS };

static const char *const names[2][N_COLUMNS] = {
    {"train_loss", "train_acc", "val_loss", "val_acc", "epoch"},
    {"train_loss", "train_acc", "test_loss", "test_acc", "epoch"},
};

typedef struct reader {
  const char *path;
  char *at; /* the next line; NULL: none */
  unsigned line;
  int n_fields;          /* of every row */
  int column[N_COLUMNS]; /* where it is, or -1 */
  const char *const *names;
  cli_curves *curves;
} reader;

/* Cuts the next line that holds something off the text; NULL: none. */
static char *next_line(reader *r)
{
  while (r->at) {
    char *line = r->at, *end = strchr(line, '\n');
    r->at = end ? end + 1 : NULL;
    r->line++;
    if (end) *end = 0;
    const size_t n = strlen(line);
    if (n && line[n - 1] == '\r') line[n - 1] = 0;
    if (*line) return line;
  }
  return NULL;
}

static int find_column(char *header, const char *name)
{
  int i = 0;
  for (char *comma; header; header = comma ? comma + 1 : NULL, i++) {
    comma = strchr(header, ',');
    const size_t n = comma ? (size_t)(comma - header) : strlen(header);
    if (strlen(name) == n && strncmp(header, name, n) == 0) return i;
  }
  return -1;
}

static dlc_status read_header(reader *r)
{
  char *header = next_line(r);
  if (!header) return dlc_fail(DLC_NOT_FOUND, "%s is empty", r->path);
  r->names = names[find_column(header, "val_loss") < 0 && find_column(header, "val_acc") < 0];
  r->curves->measured = r->names == names[0] ? "val" : "test";
  int found = 0;
  for (int i = 0; i < N_COLUMNS; i++) {
    r->column[i] = find_column(header, r->names[i]);
    found += i != EPOCH && r->column[i] >= 0;
  }
  if (r->column[EPOCH] < 0 || !found)
    return dlc_fail(DLC_INVALID, "%s:%u: expected the columns epoch,train_loss,.. of the csv logger, got '%.60s'",
                    r->path, r->line, header);
  r->n_fields = 1;
  for (const char *c = header; *c; c++) r->n_fields += *c == ',';
  return DLC_OK;
}

static dlc_status read_number(const reader *r, int column, const char *text, double *value)
{
  char *end;
  *value = *text ? strtod(text, &end) : NAN;
  if (*text && (*end || end == text))
    return dlc_fail(DLC_INVALID, "%s:%u: %s: expected a number, got '%.40s'", r->path, r->line, r->names[column], text);
  if (!(fabs(*value) <= VALUE_MAX)) *value = NAN;
  return DLC_OK;
}

/* The row's numbers, behind those that are kept. */
static dlc_status read_row(const reader *r, char *row)
{
  cli_curves *c = r->curves;
  const size_t n = c->n;
  int fields = 0;
  for (char *field; (field = strsep(&row, ",")); fields++)
    for (int i = 0; i < N_COLUMNS; i++)
      if (r->column[i] == fields) DLC_TRY(read_number(r, i, field, i == EPOCH ? &c->epoch[n] : &c->value[i][n]));
  if (fields != r->n_fields)
    return dlc_fail(DLC_INVALID, "%s:%u: expected %d fields, got %d", r->path, r->line, r->n_fields, fields);
  if (c->epoch[n] >= 1 && c->epoch[n] <= EPOCH_MAX) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s:%u: epoch: expected a number from 1 to 1e9, got %g", r->path, r->line, c->epoch[n]);
}

/* A run that went on from an earlier epoch, or began again, replaces what it repeats. */
static void keep_row(cli_curves *c)
{
  size_t at = c->n;
  while (at > 0 && c->epoch[at - 1] >= c->epoch[c->n]) at--;
  c->epoch[at] = c->epoch[c->n];
  for (int i = 0; i < CLI_CURVES; i++) c->value[i][at] = c->value[i][c->n];
  c->n = at + 1;
}

static dlc_status allocate(cli_curves *c, size_t rows)
{
  double *numbers = c->memory = malloc((rows + 1) * N_COLUMNS * sizeof *numbers);
  if (!numbers) return dlc_fail_nomem();
  for (size_t i = 0; i < rows * N_COLUMNS; i++) numbers[i] = NAN;
  for (int i = 0; i < CLI_CURVES; i++) c->value[i] = numbers + (size_t)i * rows;
  c->epoch = numbers + EPOCH * rows;
  return DLC_OK;
}

static void finish(cli_curves *c)
{
  for (int i = 0; i < CLI_CURVES; i++)
    for (size_t k = 0; k < c->n; k++) {
      if (i == CLI_TRAIN_ACCURACY || i == CLI_ACCURACY) c->value[i][k] *= 100;
      c->has[i] |= !isnan(c->value[i][k]);
    }
}

static dlc_status read_text(reader *r, char *text)
{
  size_t rows = 1;
  for (const char *c = text; *c; c++) rows += *c == '\n';
  r->at = text;
  DLC_TRY(read_header(r));
  DLC_TRY(allocate(r->curves, rows));
  for (char *row; (row = next_line(r));) {
    DLC_TRY(read_row(r, row));
    keep_row(r->curves);
  }
  if (r->curves->n == 0) return dlc_fail(DLC_NOT_FOUND, "%s has no row: no epoch was finished", r->path);
  finish(r->curves);
  return DLC_OK;
}

dlc_status cli_curves_read(const char *path, cli_curves *curves)
{
  char *text = NULL;
  size_t length;
  *curves = (cli_curves){0};
  if (!dlc_path_exists(path)) return dlc_fail(DLC_NOT_FOUND, "%s: no such file; --logger csv writes it", path);
  DLC_TRY(dlc_read_file(path, CSV_BYTES_MAX, &text, &length));
  reader r = {.path = path, .curves = curves};
  dlc_status status = read_text(&r, text);
  free(text);
  if (status < 0) cli_curves_free(curves);
  return status;
}

void cli_curves_free(cli_curves *curves)
{
  free(curves->memory);
  *curves = (cli_curves){0};
}
