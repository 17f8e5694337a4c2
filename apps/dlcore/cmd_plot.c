/* dlcore plot: loss and accuracy of runs, epoch by epoch, as a drawing and on the terminal. */
#include "base/file.h"
#include "base/status.h"
#include "chart.h"
#include "commands.h"
#include "curves.h"
#include "picked.h"
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LOSS, ACCURACY, CHARTS };

typedef struct plot {
  size_t n;          /* runs */
  const char **runs; /* as they were typed */
  cli_curves *curves;
  char **names;          /* owned */
  cli_series *series;    /* of each chart two a run at most */
  dlc_str *series_names; /* two a run: "NAME test", "NAME train" */
  cli_chart charts[CHARTS];
  cli_legend legend;
} plot;

/* ---- the runs ---- */

/* RUN/summary.csv, or the file itself where RUN is one. */
static dlc_status read_run(const char *run, cli_curves *curves)
{
  char *path;
  if (!dlc_path_exists(run)) return dlc_fail(DLC_INVALID, "%s: no such run folder", run);
  if (asprintf(&path, "%s%s", run, dlc_path_is_dir(run) ? "/summary.csv" : "") < 0) return dlc_fail_nomem();
  dlc_status status = cli_curves_read(path, curves);
  free(path);
  return status;
}

/* The last part of the path. */
static char *short_name(const char *run)
{
  size_t end = strlen(run);
  while (end > 1 && run[end - 1] == '/') end--;
  size_t begin = end;
  while (begin > 0 && run[begin - 1] != '/') begin--;
  return strndup(run + begin, end - begin);
}

/* Runs are called by their folders' names, or by their paths where two are alike. */
static int name_runs(plot *p)
{
  bool alike = false;
  for (size_t i = 0; i < p->n; i++) {
    p->names[i] = short_name(p->runs[i]);
    for (size_t k = 0; k < i && p->names[i]; k++) alike |= strcmp(p->names[i], p->names[k]) == 0;
  }
  for (size_t i = 0; i < p->n; i++) {
    if (alike) free(p->names[i]);
    if (alike) p->names[i] = strdup(p->runs[i]);
    if (p->names[i]) continue;
    dlc_fail_nomem();
    return CLI_FAILED;
  }
  return CLI_OK;
}

static bool make_room(plot *p, size_t n)
{
  p->runs = calloc(n, sizeof *p->runs);
  p->curves = calloc(n, sizeof *p->curves);
  p->names = calloc(n, sizeof *p->names);
  p->series = calloc(2 * CHARTS * n, sizeof *p->series);
  p->series_names = calloc(2 * n, sizeof *p->series_names);
  return p->runs && p->curves && p->names && p->series && p->series_names;
}

/* Of several runs those without an epoch are left out: they may have only just begun. */
static int read_runs(plot *p, const cli_options *o, cli_console *c)
{
  const uint32_t n = o->arguments.n;
  if (!make_room(p, n)) {
    dlc_fail_nomem();
    return CLI_FAILED;
  }
  for (uint32_t i = 0; i < n; i++) {
    const dlc_status status = read_run(o->arguments.items[i], &p->curves[p->n]);
    if (status < 0 && (status != DLC_NOT_FOUND || n == 1)) return CLI_FAILED;
    if (status < 0) cli_say(c, DLC_LOG_WARN, "%s", dlc_reason());
    else p->runs[p->n++] = o->arguments.items[i];
  }
  if (p->n) return name_runs(p);
  dlc_fail(DLC_NOT_FOUND, "none of the %u runs has an epoch to draw", n);
  return CLI_FAILED;
}

/* ---- what is drawn ---- */

static void add_series(plot *p, cli_chart *chart, cli_series *series, size_t run, int curve)
{
  const cli_curves *c = &p->curves[run];
  const bool dashed = curve == CLI_TRAIN_LOSS || curve == CLI_TRAIN_ACCURACY;
  if (!c->has[curve]) return;
  dlc_str *name = &p->series_names[2 * run + dashed];
  if (!name->length) dlc_str_addf(name, "%s %s", p->names[run], dashed ? "train" : c->measured);
  series[chart->n++] = (cli_series){dlc_str_get(name), c->epoch, c->value[curve], c->n, (unsigned)run, dashed};
  const char **key = dashed ? &p->legend.dashed : &p->legend.solid;
  if (dashed) *key = "train";
  else if (!*key) *key = c->measured;
  else if (strcmp(*key, c->measured)) *key = "val or test";
}

static void lay_out(plot *p)
{
  cli_series *loss = p->series, *accuracy = p->series + 2 * p->n;
  p->charts[LOSS] = (cli_chart){.title = "loss", .series = loss};
  p->charts[ACCURACY] = (cli_chart){.title = "accuracy, %", .series = accuracy};
  p->legend.runs = (const char *const *)p->names;
  p->legend.n = p->n;
  for (size_t i = 0; i < p->n; i++) {
    add_series(p, &p->charts[LOSS], loss, i, CLI_TRAIN_LOSS);
    add_series(p, &p->charts[LOSS], loss, i, CLI_LOSS);
    add_series(p, &p->charts[ACCURACY], accuracy, i, CLI_TRAIN_ACCURACY);
    add_series(p, &p->charts[ACCURACY], accuracy, i, CLI_ACCURACY);
  }
}

/* ---- where it goes ---- */

static bool writes_utf8(void)
{
  return setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int terminal_columns(void)
{
  enum { LEAST = 40, USUAL = 80, MOST = 160 };
  struct winsize size;
  if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col == 0) return USUAL;
  return size.ws_col < LEAST ? LEAST : size.ws_col > MOST ? MOST : size.ws_col;
}

/* Several runs are told apart by colours, or else by letters, which Braille patterns have none of. */
static int show(const plot *p, const cli_console *c)
{
  const cli_chart_style style = {
      .columns = terminal_columns(), .braille = (p->n == 1 || c->color_out) && writes_utf8(), .color = c->color_out};
  dlc_str text = {0};
  cli_chart_text(p->charts, CHARTS, &p->legend, &style, &text);
  const bool ok = dlc_str_ok(&text);
  if (ok) fputs(dlc_str_get(&text), stdout);
  else dlc_fail_nomem();
  dlc_str_free(&text);
  return ok ? CLI_OK : CLI_FAILED;
}

/* --output; else into the one run's folder, or here. */
static void choose_path(const cli_options *o, dlc_str *path)
{
  const char *run = o->arguments.items[0];
  if (o->file) dlc_str_add(path, o->file);
  else if (o->arguments.n > 1) dlc_str_add(path, "curves.svg");
  else if (dlc_path_is_dir(run)) dlc_str_addf(path, "%s/curves.svg", run);
  else dlc_str_addf(path, "%.*scurves.svg", (int)cli_folder_length(run), run);
}

static int write_drawing(const plot *p, const cli_options *o, cli_console *c)
{
  dlc_str path = {0}, svg = {0}, title = {0};
  if (p->n == 1) dlc_str_add(&title, p->names[0]);
  else dlc_str_addf(&title, "%zu runs", p->n);
  choose_path(o, &path);
  cli_chart_svg(p->charts, CHARTS, &p->legend, dlc_str_get(&title), &svg);
  dlc_status status = dlc_str_ok(&path) && dlc_str_ok(&svg) && dlc_str_ok(&title)
                          ? dlc_write_file(dlc_str_get(&path), dlc_str_get(&svg), svg.length)
                          : dlc_fail_nomem();
  if (status >= 0) cli_say(c, DLC_LOG_INFO, "written   %s", dlc_str_get(&path));
  dlc_str_free(&path);
  dlc_str_free(&svg);
  dlc_str_free(&title);
  return status < 0 ? CLI_FAILED : CLI_OK;
}

static int run_plot(plot *p, const cli_options *o, cli_console *c)
{
  if (o->arguments.n == 0) {
    dlc_fail(DLC_INVALID, "nothing to plot: name run folders, as in dlcore plot runs/first-try");
    return CLI_USAGE;
  }
  int code = read_runs(p, o, c);
  if (code != CLI_OK) return code;
  lay_out(p);
  if (!o->quiet) code = show(p, c);
  return code == CLI_OK ? write_drawing(p, o, c) : code;
}

int cli_plot(cli_options *o, cli_console *c)
{
  plot p = {0};
  int code = run_plot(&p, o, c);
  cli_report(c, code);
  for (size_t i = 0; i < p.n; i++) {
    cli_curves_free(&p.curves[i]);
    free(p.names[i]);
    for (size_t k = 0; k < 2; k++) dlc_str_free(&p.series_names[2 * i + k]);
  }
  free(p.runs);
  free(p.curves);
  free(p.names);
  free(p.series);
  free(p.series_names);
  return code;
}
