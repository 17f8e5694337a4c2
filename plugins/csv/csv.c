/* The csv logger: RUNDIR/summary.csv with one row an epoch and, when asked, RUNDIR/steps.csv with one row every k
 * steps. A missing number is an empty field; the others are written with as many digits as it takes to read back the
 * same number. [main] */
#include "table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const dlc_option options[] = {{sizeof(dlc_option), DLC_OPTION_INT, "steps", "0", "0..1000000000",
                                      "also a row every so many steps, in steps.csv; 0: none"}};

struct dlc_log {
  const dlc_host *h;
  csv_table epochs, steps;
  int64_t every; /* steps; 0: no rows of steps */
};

static dlc_status csv_open(const dlc_logger *l, const dlc_host *h, const dlc_run_info *run,
                           const dlc_option_value *values, dlc_log **log)
{
  (void)l;
  dlc_log *g = calloc(1, sizeof *g);
  if (!g) return h->fail(h, DLC_NOMEM, "out of memory");
  *g = (dlc_log){.h = h, .every = values[0].i, .steps.fd = -1};
  const int resumed = DLC_HAS(run, resumed);
  dlc_status status = csv_table_open(h, &g->epochs, run->dir, "summary.csv");
  if (status == DLC_OK && resumed) status = csv_table_cut(h, &g->epochs, run->epochs);
  if (status == DLC_OK && g->every > 0) {
    status = csv_table_open(h, &g->steps, run->dir, "steps.csv");
    if (status == DLC_OK && resumed) status = csv_table_cut(h, &g->steps, run->steps);
    if (status != DLC_OK) csv_table_close(h, &g->epochs);
  }
  if (status != DLC_OK) {
    free(g);
    return status;
  }
  *log = g;
  return DLC_OK;
}

/* The shortest of 15, 16 or 17 digits that reads back as `x`. */
static void put_number(FILE *f, double x)
{
  char text[32] = "";
  if (isnan(x)) return;
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, x);
    if (strtod(text, NULL) == x) break;
  }
  fputs(text, f);
}

static void put_header(FILE *f, const dlc_row *row)
{
  fputs(row->kind == DLC_ROW_STEP ? "step,epoch" : "epoch", f);
  for (uint32_t i = 0; i < row->n; i++) fprintf(f, ",%s", row->names[i]);
  fputc('\n', f);
}

static void put_row(FILE *f, const dlc_row *row)
{
  if (row->kind == DLC_ROW_STEP) fprintf(f, "%lld,", (long long)row->step);
  fprintf(f, "%lld", (long long)row->epoch);
  for (uint32_t i = 0; i < row->n; i++) {
    fputc(',', f);
    put_number(f, row->values[i]);
  }
  fputc('\n', f);
}

/* Formats the row by `put` and hands it to `take`. */
static dlc_status with_text(const dlc_host *h, csv_table *t, const dlc_row *row,
                            void (*put)(FILE *f, const dlc_row *row),
                            dlc_status (*take)(const dlc_host *h, csv_table *t, const char *text, size_t n))
{
  char *text = NULL;
  size_t n;
  FILE *f = open_memstream(&text, &n);
  if (!f) return h->fail(h, DLC_NOMEM, "out of memory");
  put(f, row);
  int broken = ferror(f);
  broken |= fclose(f) != 0;
  dlc_status status = broken ? h->fail(h, DLC_NOMEM, "out of memory") : take(h, t, text, n);
  free(text);
  return status;
}

static dlc_status csv_write(dlc_log *g, const dlc_row *row)
{
  int step = row->kind == DLC_ROW_STEP;
  if (!step && row->kind != DLC_ROW_EPOCH) return DLC_OK;
  if (step && (g->every == 0 || row->step % g->every != 0)) return DLC_OK;
  csv_table *t = step ? &g->steps : &g->epochs;
  dlc_status status = t->titled ? DLC_OK : with_text(g->h, t, row, put_header, csv_table_title);
  return status == DLC_OK ? with_text(g->h, t, row, put_row, csv_table_append) : status;
}

static dlc_status csv_close(dlc_log *g)
{
  dlc_status epochs = csv_table_close(g->h, &g->epochs), steps = csv_table_close(g->h, &g->steps);
  free(g);
  return epochs != DLC_OK ? epochs : steps;
}

static const dlc_logger csv = {.size = sizeof(dlc_logger),
                               .name = "csv",
                               .help = "summary.csv, one row an epoch; steps=K adds steps.csv",
                               .options = options,
                               .n_options = sizeof options / sizeof options[0],
                               .open = csv_open,
                               .write = csv_write,
                               .close = csv_close};

static const void *get(const char *iface, uint32_t i)
{
  return strcmp(iface, DLC_IFACE_LOGGER) == 0 && i == 0 ? &csv : NULL;
}

static const dlc_plugin plugin = {DLC_PLUGIN("csv", "0.1.0", "MIT"), .get = get};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
