/* Costs as text. Layers are shown as the tree that their names are: "layer1.0.conv1" stands below "layer1" and "0", as
 * long as that is a group with tensors in it; else a layer shows what is left of its name. */
#include "summary.h"
#include <string.h>

enum { INDENT = 2 };

/* "11,173,962" */
static const char *grouped(int64_t n, char text[32])
{
  char digits[24];
  const int length = snprintf(digits, sizeof digits, "%lld", (long long)n);
  char *out = text;
  for (int i = 0; i < length; i++) {
    if (i && (length - i) % 3 == 0) *out++ = ',';
    *out++ = digits[i];
  }
  *out = '\0';
  return text;
}

/* "1.11 G": three digits that mean something, below 1000 as it is. */
static const char *scaled(double n, double thousand, const char *const *units, char text[32])
{
  int unit = 0;
  while (n >= 999.5 && units[unit + 1]) n /= thousand, unit++;
  snprintf(text, 32, "%.*f %s", unit == 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2, n, units[unit]);
  return text;
}

static const char *flops_text(double n, char text[32])
{
  static const char *const units[] = {"", "k", "M", "G", "T", "P", NULL};
  return scaled(n, 1000, units, text);
}

static const char *bytes_text(size_t n, char text[32])
{
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};
  return scaled((double)n, 1024, units, text);
}

/* ---- rows ---- */

typedef struct widths {
  int layer, op, output;
} widths;

/* How many bytes of the name are those of groups, dots included. */
static size_t group_bytes(const cli_costs *c, const char *name)
{
  for (size_t n = strlen(name); n > 0; n--)
    for (uint32_t i = 0; i < c->n && name[n - 1] == '.'; i++)
      if (c->layers[i].parameters && strncmp(c->layers[i].layer, name, n) == 0) return n;
  return 0;
}

static int count_dots(const char *text, size_t bytes)
{
  int n = 0;
  for (size_t i = 0; i < bytes; i++) n += text[i] == '.';
  return n;
}

static int max_int(int a, int b)
{
  return a > b ? a : b;
}

static widths measure(const cli_costs *c)
{
  widths w = {16, 12, 12};
  for (uint32_t i = 0; i < c->n; i++) {
    const cli_cost *cost = &c->layers[i];
    const size_t group = group_bytes(c, cost->layer);
    w.layer = max_int(w.layer, INDENT * count_dots(cost->layer, group) + (int)strlen(cost->layer + group));
    w.op = max_int(w.op, (int)strlen(cost->op));
    w.output = max_int(w.output, (int)strlen(cost->output));
  }
  return w;
}

static void print_row(const widths *w, int depth, const char *name, const char *op, const char *output,
                      const char *parameters, const char *flops, const char *kept)
{
  char line[512];
  int n = snprintf(line, sizeof line, "%*s%-*s  %-*s  %-*s  %12s  %8s  %9s", INDENT * depth, "",
                   w->layer - INDENT * depth, name, w->op, op, w->output, output, parameters, flops, kept);
  if (n >= (int)sizeof line) n = (int)sizeof line - 1;
  while (n > 0 && line[n - 1] == ' ') n--;
  printf("%.*s\n", n, line);
}

/* A line for each group that begins with this layer; `before`: the groups of the one before it. */
static void print_groups(const char *before, size_t before_bytes, const char *name, size_t bytes)
{
  size_t common = 0, at = 0;
  for (size_t i = 0; i < bytes && i < before_bytes && name[i] == before[i]; i++)
    if (name[i] == '.') common = i + 1;
  for (size_t i = 0; i < bytes; i++) {
    if (name[i] != '.') continue;
    if (at >= common) printf("%*s%.*s\n", INDENT * count_dots(name, at), "", (int)(i - at), name + at);
    at = i + 1;
  }
}

void cli_costs_table(const cli_costs *c)
{
  const widths w = measure(c);
  const char *before = "";
  size_t before_bytes = 0;
  print_row(&w, 0, "layer", "type", "output", "parameters", "FLOPs", "kept");
  for (uint32_t i = 0; i < c->n; i++) {
    const cli_cost *cost = &c->layers[i];
    char parameters[32] = "", flops[32] = "", kept[32] = "";
    const size_t group = group_bytes(c, cost->layer);
    print_groups(before, before_bytes, cost->layer, group);
    if (cost->parameters) grouped(cost->parameters, parameters);
    if (cost->flops > 0) flops_text(cost->flops, flops);
    if (cost->kept) bytes_text(cost->kept, kept);
    print_row(&w, count_dots(cost->layer, group), cost->layer + group, cost->op, cost->output, parameters, flops, kept);
    before = cost->layer;
    before_bytes = group;
  }
}

/* ---- totals ---- */

static void print_memory(const char *what, size_t bytes, const char *about)
{
  char text[32];
  printf("  %-12s %10s%s%s\n", what, bytes_text(bytes, text), *about ? "   " : "", about);
}

void cli_costs_total(const cli_costs *c, const char *optimizer, int64_t batch)
{
  char text[32];
  int64_t parameters = 0;
  double flops = 0;
  size_t kept = c->rest.kept;
  for (uint32_t i = 0; i < c->n; i++) {
    parameters += c->layers[i].parameters;
    flops += c->layers[i].flops;
    kept += c->layers[i].kept;
  }
  printf("parameters  %s", grouped(parameters, text));
  if (c->frozen) printf(", %s of them frozen", grouped(c->frozen, text));
  if (c->states) printf(", and %s numbers that layers change themselves", grouped(c->states, text));
  printf("\nforward     %sFLOPs a picture: twice the multiply-adds of convolutions and matrix products\n",
         flops_text(flops, text));
  if (c->refused) {
    printf("training    %s\n", c->refused);
    return;
  }
  printf("training    %sFLOPs a picture, and memory for a batch of %lld with %s:\n",
         flops_text(c->training_flops, text), (long long)batch, optimizer);
  print_memory("parameters", c->parameter_bytes, "");
  print_memory("gradients", c->gradient_bytes, "");
  print_memory("optimizer", c->optimizer_bytes, "");
  print_memory("kept", kept, "of what the layers give, for the backward pass");
  print_memory("in all", c->parameter_bytes + c->gradient_bytes + c->optimizer_bytes + kept, "");
}
