/* How far the run is, on one line:
 * epoch 3/10 train 352/352 ━━━━━━━━ 3721 img/s  eta 1:24  loss 1.273  acc 54.6%  lr 1.0e-03  wait 3% */
#include "base/clock.h"
#include "console.h"
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_MIN = 6, BAR_MAX = 24, PLAIN_COLUMNS = 200 };
static const double REDRAW_SECONDS = 0.1, PLAIN_SECONDS = 10;

/* Until the end of training, or of the phase where that is not known: later evaluations are not counted. */
static double seconds_left(const dlc_progress *p)
{
  if (p->batch == 0 || p->seconds <= 0) return NAN;
  double batches = p->batches - p->batch;
  if (strcmp(p->phase, "train") == 0) batches += (double)(p->epochs - p->epoch) * p->batches;
  return batches * p->seconds / p->batch;
}

static void add_eta(dlc_str *s, double seconds)
{
  if (isnan(seconds)) return;
  unsigned long t = (unsigned long)(seconds + 0.5);
  if (t >= 3600) dlc_str_addf(s, "  eta %lu:%02lu:%02lu", t / 3600, t / 60 % 60, t % 60);
  else dlc_str_addf(s, "  eta %lu:%02lu", t / 60, t % 60);
}

/* A part that is shown only where it still fits. */
static void add_part(dlc_str *line, int columns, const dlc_str *part)
{
  if ((int)(line->length + part->length) <= columns) dlc_str_add(line, dlc_str_get(part));
}

static void add_bar(dlc_str *out, const dlc_progress *p, int cells, bool utf8)
{
  int done = p->batches ? (int)((uint64_t)p->batch * (uint64_t)cells / p->batches) : 0;
  if (done > cells) done = cells;
  for (int i = 0; i < cells; i++) dlc_str_add(out, i < done ? (utf8 ? "━" : "=") : (utf8 ? "╌" : "-"));
}

static void add_numbers(dlc_str *tail, const dlc_progress *p, int columns)
{
  dlc_str part = {0};
  dlc_str_addf(&part, "%.*f img/s", p->images_per_second < 10 ? 1 : 0, p->images_per_second);
  add_part(tail, columns, &part);
  dlc_str_clear(&part);
  add_eta(&part, seconds_left(p));
  add_part(tail, columns, &part);
  dlc_str_clear(&part);
  dlc_str_addf(&part, "  loss %.4f", p->loss);
  add_part(tail, columns, &part);
  dlc_str_clear(&part);
  dlc_str_addf(&part, "  acc %.1f%%", 100 * p->accuracy);
  add_part(tail, columns, &part);
  dlc_str_clear(&part);
  if (strcmp(p->phase, "train") == 0) dlc_str_addf(&part, "  lr %.1e", p->lr);
  add_part(tail, columns, &part);
  dlc_str_clear(&part);
  dlc_str_addf(&part, "  wait %.0f%%", 100 * p->wait_share);
  add_part(tail, columns, &part);
  dlc_str_free(&part);
}

/* At most `columns` wide. */
static void format_line(const cli_console *c, const dlc_progress *p, int columns, dlc_str *out)
{
  dlc_str head = {0}, tail = {0};
  dlc_str_addf(&head, "epoch %u/%u %s %u/%u ", p->epoch, p->epochs, p->phase, p->batch, p->batches);
  if ((int)head.length <= columns) {
    add_numbers(&tail, p, columns - (int)head.length);
    int cells = columns - (int)(head.length + tail.length) - 1;
    dlc_str_add(out, dlc_str_get(&head));
    if (c->redraw && cells >= BAR_MIN) {
      add_bar(out, p, cells < BAR_MAX ? cells : BAR_MAX, c->utf8);
      dlc_str_add(out, " ");
    }
    dlc_str_add(out, dlc_str_get(&tail));
  }
  dlc_str_free(&head);
  dlc_str_free(&tail);
}

static int terminal_columns(void)
{
  struct winsize size;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

/* Whether it is time for another line; the first comes after one period where lines stay. */
static bool is_due(cli_console *c)
{
  if (!c->progress) return false;
  double now = dlc_seconds();
  if (c->last_draw == 0 && !c->redraw) c->last_draw = now;
  if (now - c->last_draw < (c->redraw ? REDRAW_SECONDS : PLAIN_SECONDS)) return false;
  c->last_draw = now;
  return true;
}

static void draw(cli_console *c, const char *line)
{
  pthread_mutex_lock(&c->lock);
  fprintf(stderr, c->redraw ? "\r%s\033[K" : "%s\n", line);
  c->drawn = c->redraw;
  fflush(stderr);
  pthread_mutex_unlock(&c->lock);
}

void cli_progress(cli_console *c, const dlc_progress *p)
{
  if (!is_due(c)) return;
  dlc_str line = {0};
  /* One column stays free: a full line would wrap. */
  format_line(c, p, c->redraw ? terminal_columns() - 1 : PLAIN_COLUMNS, &line);
  draw(c, dlc_str_get(&line));
  dlc_str_free(&line);
}

void cli_progress_count(cli_console *c, const char *what, uint32_t done, uint32_t count)
{
  if (!is_due(c)) return;
  dlc_str line = {0};
  dlc_str_addf(&line, "%s %u/%u", what, done, count);
  draw(c, dlc_str_get(&line));
  dlc_str_free(&line);
}
