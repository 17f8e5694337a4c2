/* The trace: one JSON object, written piece by piece, because it may have a million spans. The format is the "Trace
 * Event Format" of Chromium's trace viewer: complete events ("X") with times in microseconds, threads named by metadata
 * events ("M"). */
#include "base/file.h"
#include "base/status.h"
#include "run/profile_report.h"
#include "run/profile_rows.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 16 }; /* bytes written at once */

typedef struct writer {
  dlc_atomic_file file;
  dlc_str text;
} writer;

static dlc_status flush_text(writer *w)
{
  if (!dlc_str_ok(&w->text)) return dlc_fail_nomem();
  DLC_TRY(dlc_atomic_write(&w->file, dlc_str_get(&w->text), w->text.length));
  dlc_str_clear(&w->text);
  return DLC_OK;
}

/* ---- order: by thread and time, what holds another before it ---- */

static int compare(const void *x, const void *y)
{
  const dlc_span *a = x, *b = y;
  const uint32_t s = a->row->track->number, t = b->row->track->number;
  if (s != t) return s < t ? -1 : 1;
  if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
  if (a->end != b->end) return a->end > b->end ? -1 : 1;
  return (a->row->op != NULL) - (b->row->op != NULL);
}

/* ---- what is the same for every span of a row ---- */

/* The members of a JSON object, without its braces; owned by the caller. */
static char *head_of(const dlc_profile_row *row)
{
  json_t *head = json_pack("{s:s, s:s}", "name", row->name, "cat", "run");
  if (row->op) {
    json_decref(head);
    head = json_pack("{s:s+++, s:s, s:{s:s, s:s, s:s, s:s}}", "name", row->name, " (", row->op, ")", "cat", row->part,
                     "args", "program", row->program, "layer", row->name, "op", row->op, "Input Dims", row->shapes);
  }
  char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;
  json_decref(head);
  if (!text) return NULL;
  const size_t n = strlen(text);
  memmove(text, text + 1, n - 2);
  text[n - 2] = 0;
  return text;
}

typedef struct heads {
  char **texts; /* by row->number */
  uint32_t n;
} heads;

static void free_heads(heads *h)
{
  for (uint32_t i = 0; h->texts && i < h->n; i++) free(h->texts[i]);
  free(h->texts);
}

static dlc_status make_heads(dlc_profile *p, heads *h)
{
  uint32_t n = 0;
  for (dlc_track *t = p->tracks; t; t = t->next)
    for (dlc_profile_row *row = t->rows; row; row = row->next) row->number = n++;
  h->texts = calloc((size_t)n + 1, sizeof *h->texts);
  if (!h->texts) return dlc_fail_nomem();
  for (dlc_track *t = p->tracks; t; t = t->next)
    for (dlc_profile_row *row = t->rows; row; row = row->next)
      if (!(h->texts[h->n++] = head_of(row))) return dlc_fail(DLC_INVALID, "`%s` cannot be written as JSON", row->name);
  return DLC_OK;
}

/* ---- events ---- */

static void add_microseconds(dlc_str *out, const char *key, int64_t ns)
{
  dlc_str_addf(out, ",\"%s\":%lld.%03d", key, (long long)(ns / 1000), (int)(ns % 1000));
}

static dlc_status add_thread(dlc_str *out, const dlc_track *t)
{
  json_t *name = json_pack("{s:s, s:i, s:i, s:s, s:{s:s}}", "ph", "M", "pid", 1, "tid", (int)t->number, "name",
                           "thread_name", "args", "name", t->name);
  char *text = name ? json_dumps(name, JSON_COMPACT) : NULL;
  json_decref(name);
  if (!text) return dlc_fail(DLC_INVALID, "the thread `%s` cannot be written as JSON", t->name);
  dlc_str_addf(out, "%s,\n", text);
  free(text);
  dlc_str_addf(out,
               "{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%u}},\n",
               t->number, t->number);
  return DLC_OK;
}

static dlc_status add_events(writer *w, const dlc_profile *p, const heads *h, uint64_t n)
{
  for (const dlc_track *t = p->tracks; t; t = t->next) DLC_TRY(add_thread(&w->text, t));
  for (uint64_t i = 0; i < n; i++) {
    const dlc_span *s = &p->spans[i];
    dlc_str_addf(&w->text, "{\"ph\":\"X\",\"pid\":1,\"tid\":%u", s->row->track->number);
    add_microseconds(&w->text, "ts", s->begin - p->opened);
    add_microseconds(&w->text, "dur", s->end - s->begin);
    dlc_str_addf(&w->text, ",%s},\n", h->texts[s->row->number]);
    if (w->text.length >= PIECE) DLC_TRY(flush_text(w));
  }
  return DLC_OK;
}

static dlc_status write_all(writer *w, const dlc_profile *p, const heads *h, const dlc_trace_info *info)
{
  dlc_str_addf(&w->text, "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"spans_left_out\":%llu},\"traceEvents\":[\n",
               (unsigned long long)info->left_out);
  DLC_TRY(add_events(w, p, h, info->spans));
  /* An event without a comma after it ends the list. */
  dlc_str_add(&w->text, "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"dlcore\"}}\n]}\n");
  return flush_text(w);
}

dlc_status dlc_profile_trace(dlc_profile *p, const char *path, dlc_trace_info *info)
{
  const uint64_t wanted = p->n_spans;
  heads h = {0};
  writer w = {0};
  info->spans = wanted < p->config.max_spans ? wanted : p->config.max_spans;
  info->left_out = wanted - info->spans;
  if (info->spans) qsort(p->spans, info->spans, sizeof *p->spans, compare);
  dlc_status status = make_heads(p, &h);
  if (status >= 0) status = dlc_atomic_open(&w.file, path);
  if (status >= 0) {
    status = write_all(&w, p, &h, info);
    if (status >= 0) status = dlc_atomic_commit(&w.file);
    else dlc_atomic_abort(&w.file);
  }
  dlc_str_free(&w.text);
  free_heads(&h);
  return status;
}
