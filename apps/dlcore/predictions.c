/* Rows of predictions, see predictions.h. */
#include "predictions.h"
#include "base/parse.h"
#include "base/status.h"
#include "csv_field.h"
#include "json_text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Best first; of equals the lower class. */
static void choose_best(cli_prediction *row, uint32_t topk, const float *probabilities, uint32_t n)
{
  uint32_t kept = 0;
  for (uint32_t c = 0; c < n; c++) {
    uint32_t at = kept;
    while (at > 0 && probabilities[c] > row->probabilities[at - 1]) at--;
    if (at == topk) continue;
    if (kept < topk) kept++;
    for (uint32_t i = kept - 1; i > at; i--) {
      row->classes[i] = row->classes[i - 1];
      row->probabilities[i] = row->probabilities[i - 1];
    }
    row->classes[at] = c;
    row->probabilities[at] = probabilities[c];
  }
}

dlc_status cli_predictions_add(cli_predictions *p, const char *prefix, const char *name, const float *probabilities)
{
  if (p->n == p->room) {
    const uint32_t room = p->room ? 2 * p->room : 256;
    cli_prediction *moved = realloc(p->list, room * sizeof *moved);
    if (!moved) return dlc_fail_nomem();
    p->list = moved;
    p->room = room;
  }
  cli_prediction *row = &p->list[p->n++];
  *row = (cli_prediction){.classes = calloc(p->topk, sizeof *row->classes),
                          .probabilities = calloc(p->topk, sizeof *row->probabilities),
                          .second = p->info->n_classes > 1 ? probabilities[1] : 0};
  if (asprintf(&row->name, "%s%s", prefix, name) < 0) row->name = NULL;
  if (!row->classes || !row->probabilities || !row->name) return dlc_fail_nomem();
  choose_best(row, p->topk, probabilities, p->info->n_classes);
  return DLC_OK;
}

void cli_predictions_free(cli_predictions *p)
{
  for (uint32_t i = 0; i < p->n; i++) {
    free(p->list[i].name);
    free(p->list[i].classes);
    free(p->list[i].probabilities);
  }
  free(p->list);
  *p = (cli_predictions){0};
}

/* ---- CSV ---- */

static void write_csv(const cli_predictions *p, dlc_str *out)
{
  dlc_str_add(out, "file,label,probability");
  for (uint32_t k = 2; k <= p->topk; k++) dlc_str_addf(out, ",label_%u,probability_%u", k, k);
  dlc_str_add(out, "\n");
  for (const cli_prediction *row = p->list; row < p->list + p->n; row++) {
    cli_csv_field(out, row->name);
    for (uint32_t k = 0; k < p->topk; k++) {
      dlc_str_add(out, ",");
      cli_csv_field(out, p->info->classes[row->classes[k]]);
      dlc_str_addf(out, ",%.6g", (double)row->probabilities[k]);
    }
    dlc_str_add(out, "\n");
  }
}

/* ---- JSON ---- */

static void add_string(dlc_str *out, const char *text)
{
  json_t *s = cli_json_text(text);
  char *quoted = s ? json_dumps(s, JSON_ENCODE_ANY) : NULL;
  if (quoted) dlc_str_add(out, quoted);
  else out->failed = true;
  free(quoted);
  json_decref(s);
}

static void write_json(const cli_predictions *p, dlc_str *out)
{
  dlc_str_add(out, "[");
  for (uint32_t i = 0; i < p->n; i++) {
    const cli_prediction *row = &p->list[i];
    dlc_str_add(out, i ? ",\n {\"file\": " : "\n {\"file\": ");
    add_string(out, row->name);
    dlc_str_add(out, ", \"predictions\": [");
    for (uint32_t k = 0; k < p->topk; k++) {
      dlc_str_add(out, k ? ", {\"label\": " : "{\"label\": ");
      add_string(out, p->info->classes[row->classes[k]]);
      dlc_str_addf(out, ", \"probability\": %.6g}", (double)row->probabilities[k]);
    }
    dlc_str_add(out, "]}");
  }
  dlc_str_add(out, "\n]\n");
}

/* ---- Kaggle ---- */

typedef struct submission {
  int64_t id;
  const cli_prediction *row;
} submission;

static int by_id(const void *a, const void *b)
{
  const submission *x = a, *y = b;
  return (x->id > y->id) - (x->id < y->id);
}

/* 17 of "test/17.jpg": the digits of the file's name. */
static bool read_id(const char *name, int64_t *id)
{
  const char *slash = strrchr(name, '/'), *at = slash ? slash + 1 : name;
  char digits[20];
  while (*at && !isdigit((unsigned char)*at)) at++;
  const size_t n = strspn(at, "0123456789");
  if (n == 0 || n >= sizeof digits) return false;
  memcpy(digits, at, n);
  digits[n] = 0;
  return dlc_parse_int(digits, id);
}

static int fill_submission(const cli_predictions *p, submission *list)
{
  for (uint32_t i = 0; i < p->n; i++) {
    list[i].row = &p->list[i];
    if (read_id(p->list[i].name, &list[i].id)) continue;
    dlc_fail(DLC_INVALID, "--format kaggle: %s has no number in its name to be its id", p->list[i].name);
    return CLI_FAILED;
  }
  qsort(list, p->n, sizeof *list, by_id);
  for (uint32_t i = 1; i < p->n; i++) {
    if (list[i].id != list[i - 1].id) continue;
    dlc_fail(DLC_INVALID, "--format kaggle: %s and %s have the same id %lld", list[i - 1].row->name, list[i].row->name,
             (long long)list[i].id);
    return CLI_FAILED;
  }
  return CLI_OK;
}

static int write_kaggle(const cli_predictions *p, double clip, dlc_str *out)
{
  if (p->info->n_classes != 2) {
    dlc_fail(DLC_INVALID, "--format kaggle is for two classes, the weights know %u", p->info->n_classes);
    return CLI_FAILED;
  }
  submission *list = calloc((size_t)p->n + 1, sizeof *list);
  if (!list) {
    dlc_fail_nomem();
    return CLI_FAILED;
  }
  int code = fill_submission(p, list);
  dlc_str_add(out, "id,label\n");
  for (uint32_t i = 0; code == CLI_OK && i < p->n; i++) {
    double label = (double)list[i].row->second;
    label = label < clip ? clip : label > 1 - clip ? 1 - clip : label;
    dlc_str_addf(out, "%lld,%.6g\n", (long long)list[i].id, label);
  }
  free(list);
  return code;
}

int cli_predictions_write(cli_predictions *p, const cli_options *o, dlc_str *out)
{
  int code = CLI_OK;
  if (strcmp(o->format, "json") == 0) write_json(p, out);
  else if (strcmp(o->format, "kaggle") == 0) code = write_kaggle(p, o->clip, out);
  else write_csv(p, out);
  if (code != CLI_OK || dlc_str_ok(out)) return code;
  dlc_fail_nomem();
  return CLI_FAILED;
}
