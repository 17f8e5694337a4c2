/* An evaluation as text for people and as JSON for programs. */
#include "eval.h"
#include "json_text.h"
#include <math.h>
#include <string.h>

enum { PAIRS = 10, NAME_MIN = 7, NAME_MAX = 32 };

static bool has_topk(const cli_evaluation *e)
{
  return e->confusion.n_classes > DLC_TOP_K;
}

static double share(int64_t part, int64_t whole)
{
  return (double)part / (double)whole;
}

/* ---- text ---- */

/* Columns of a terminal, near enough: characters. */
static int length_of(const char *text)
{
  int n = 0;
  for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
  return n;
}

static int name_columns(const cli_evaluation *e)
{
  int most = NAME_MIN;
  for (uint32_t i = 0; i < e->confusion.n_classes; i++) {
    const int n = length_of(e->classes[i]);
    if (n > most) most = n;
  }
  return most < NAME_MAX ? most : NAME_MAX;
}

static void add_measure(dlc_str *line, double value)
{
  if (isnan(value)) dlc_str_addf(line, " %9s", "-");
  else dlc_str_addf(line, " %9.4f", value);
}

static void say_row(cli_console *c, const char *name, int columns, const dlc_class_metrics *m)
{
  const int missing = columns - length_of(name);
  dlc_str line = {0};
  dlc_str_addf(&line, "%s%*s", name, missing > 0 ? missing : 0, "");
  add_measure(&line, m->precision);
  add_measure(&line, m->recall);
  add_measure(&line, m->f1);
  dlc_str_addf(&line, " %8lld", (long long)m->count);
  cli_say(c, DLC_LOG_INFO, "%s", dlc_str_get(&line));
  dlc_str_free(&line);
}

static void say_classes(const cli_evaluation *e, cli_console *c)
{
  const int columns = name_columns(e);
  cli_say(c, DLC_LOG_INFO, "\n%-*s %9s %9s %9s %8s", columns, "class", "precision", "recall", "f1", "count");
  for (uint32_t i = 0; i < e->confusion.n_classes; i++) {
    const dlc_class_metrics m = dlc_confusion_class(&e->confusion, i);
    say_row(c, e->classes[i], columns, &m);
  }
  const dlc_class_metrics mean = dlc_confusion_mean(&e->confusion);
  say_row(c, "mean", columns, &mean);
}

static void say_pairs(const cli_evaluation *e, cli_console *c)
{
  dlc_confused_pair pairs[PAIRS];
  uint32_t n;
  dlc_confusion_pairs(&e->confusion, pairs, PAIRS, &n);
  if (n) cli_say(c, DLC_LOG_INFO, "\nmost often confused");
  for (const dlc_confused_pair *p = pairs; p < pairs + n; p++) {
    const int64_t count = dlc_confusion_class(&e->confusion, p->actual).count;
    cli_say(c, DLC_LOG_INFO, "%8lld of %lld  %s taken for %s  (%.1f%%)", (long long)p->count, (long long)count,
            e->classes[p->actual], e->classes[p->predicted], 100 * share(p->count, count));
  }
}

void cli_eval_say(const cli_evaluation *e, cli_console *c)
{
  const dlc_confusion *m = &e->confusion;
  dlc_str line = {0};
  dlc_str_addf(&line, "%-9s loss %.4f (%s%s), top-1 %.2f%%", e->split, e->loss, e->criterion,
               e->class_weights ? ", class weights" : "", 100 * share(m->top1, m->samples));
  if (has_topk(e)) dlc_str_addf(&line, ", top-%d %.2f%%", DLC_TOP_K, 100 * share(m->topk, m->samples));
  dlc_str_addf(&line, " of %lld images", (long long)m->samples);
  if (e->bad) dlc_str_addf(&line, ", %u bad", e->bad);
  cli_say(c, DLC_LOG_INFO, "%s", dlc_str_get(&line));
  dlc_str_free(&line);
  say_classes(e, c);
  say_pairs(e, c);
}

/* ---- JSON ---- */

static json_t *number(double v)
{
  return isnan(v) ? json_null() : json_real(v);
}

static void set_measures(json_t *object, const dlc_class_metrics *m)
{
  json_object_set_new(object, "precision", number(m->precision));
  json_object_set_new(object, "recall", number(m->recall));
  json_object_set_new(object, "f1", number(m->f1));
}

static json_t *classes_json(const cli_evaluation *e)
{
  json_t *list = json_array();
  for (uint32_t i = 0; i < e->confusion.n_classes; i++) {
    const dlc_class_metrics m = dlc_confusion_class(&e->confusion, i);
    json_t *one = json_object();
    json_object_set_new(one, "name", cli_json_text(e->classes[i]));
    json_object_set_new(one, "count", json_integer(m.count));
    json_object_set_new(one, "predicted", json_integer(m.predicted));
    json_object_set_new(one, "correct", json_integer(m.correct));
    set_measures(one, &m);
    json_array_append_new(list, one);
  }
  return list;
}

static json_t *pairs_json(const cli_evaluation *e)
{
  dlc_confused_pair pairs[PAIRS];
  uint32_t n;
  json_t *list = json_array();
  dlc_confusion_pairs(&e->confusion, pairs, PAIRS, &n);
  for (const dlc_confused_pair *p = pairs; p < pairs + n; p++) {
    json_t *one = json_object();
    json_object_set_new(one, "actual", cli_json_text(e->classes[p->actual]));
    json_object_set_new(one, "predicted", cli_json_text(e->classes[p->predicted]));
    json_object_set_new(one, "count", json_integer(p->count));
    json_array_append_new(list, one);
  }
  return list;
}

/* By hand: jansson puts all on one line, or every number on its own. */
static void add_matrix(const dlc_confusion *c, dlc_str *out)
{
  dlc_str_add(out, " \"confusion_matrix\": [");
  for (uint32_t i = 0; i < c->n_classes; i++) {
    dlc_str_add(out, i ? ",\n  [" : "\n  [");
    for (uint32_t k = 0; k < c->n_classes; k++)
      dlc_str_addf(out, k ? ", %lld" : "%lld", (long long)dlc_confusion_at(c, i, k));
    dlc_str_add(out, "]");
  }
  dlc_str_add(out, "\n ]\n}\n");
}

static json_t *weights_json(const float *weights, uint32_t n)
{
  json_t *list = json_array();
  for (uint32_t i = 0; i < n; i++) json_array_append_new(list, json_real((double)weights[i]));
  return list;
}

/* All but the matrix. */
static json_t *measures_json(const cli_evaluation *e)
{
  const dlc_confusion *c = &e->confusion;
  const dlc_class_metrics mean = dlc_confusion_mean(c);
  json_t *root = json_object(), *macro = json_object();
  json_object_set_new(root, "version", json_string(DLCORE_VERSION));
  json_object_set_new(root, "weights", cli_json_text(e->weights));
  json_object_set_new(root, "dataset", cli_json_text(e->dataset));
  json_object_set_new(root, "split", json_string(e->split));
  json_object_set_new(root, "images", json_integer(c->samples));
  json_object_set_new(root, "bad_images", json_integer(e->bad));
  json_object_set_new(root, "criterion", cli_json_text(e->criterion));
  if (e->class_weights) json_object_set_new(root, "class_weights", weights_json(e->class_weights, c->n_classes));
  json_object_set_new(root, "loss", number(e->loss));
  json_object_set_new(root, "top1", number(share(c->top1, c->samples)));
  if (has_topk(e)) json_object_set_new(root, "top5", number(share(c->topk, c->samples)));
  set_measures(macro, &mean);
  json_object_set_new(root, "macro", macro);
  json_object_set_new(root, "classes", classes_json(e));
  json_object_set_new(root, "confused", pairs_json(e));
  return root;
}

void cli_eval_json(const cli_evaluation *e, dlc_str *out)
{
  json_t *root = measures_json(e);
  char *text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
  json_decref(root);
  const size_t end = text ? strlen(text) : 0;
  if (end < 2) { /* "\n}" is its end */
    out->failed = true;
  } else {
    dlc_str_addn(out, text, end - 2);
    dlc_str_add(out, ",\n");
    add_matrix(&e->confusion, out);
  }
  free(text);
}
