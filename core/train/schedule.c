/* The kinds of schedules, and how a run uses one. */
#include "train/schedule.h"
#include "base/names.h"
#include "base/status.h"
#include "graph/attr.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_KINDS = 16 };
static const double pi = 3.14159265358979323846;

static double clamp_share(double t, double total)
{
  return total <= 0 || t >= total ? 1 : t / total;
}

static dlc_status check_factor(const char *name, double value, double high)
{
  return value > 0 && value <= high
             ? DLC_OK
             : dlc_fail(DLC_INVALID, "`%s` is %g, expected more than 0 and at most %g", name, value, high);
}

/* ---- constant ---- */

static double constant_rate(const void *attr, double lr, double t, double total)
{
  (void)attr, (void)t, (void)total;
  return lr;
}

static const dlc_schedule_kind constant = {.name = "constant", .help = "always --lr", .rate = constant_rate};

/* ---- step ---- */

typedef struct step_attr {
  int64_t step_size;
  double gamma;
} step_attr;

static const dlc_attr step_attrs[] = {
    DLC_ATTR(INT, step_attr, step_size, NULL, "epochs (or steps) between two changes"),
    DLC_ATTR(FLOAT, step_attr, gamma, "0.1", "what the rate is multiplied by")};

static dlc_status step_check(const void *attr)
{
  const step_attr *a = attr;
  if (a->step_size < 1)
    return dlc_fail(DLC_INVALID, "`step_size` is %lld, expected at least 1", (long long)a->step_size);
  return check_factor("gamma", a->gamma, 1);
}

static double step_rate(const void *attr, double lr, double t, double total)
{
  const step_attr *a = attr;
  (void)total;
  return lr * pow(a->gamma, floor(t / (double)a->step_size));
}

static const dlc_schedule_kind step = {.name = "step",
                                       .help = "times gamma after every step_size",
                                       .attr_size = sizeof(step_attr),
                                       .n_attrs = 2,
                                       .attrs = step_attrs,
                                       .check = step_check,
                                       .rate = step_rate};

/* ---- multistep ---- */

typedef struct multistep_attr {
  dlc_numbers milestones;
  double gamma;
} multistep_attr;

static const dlc_attr multistep_attrs[] = {
    DLC_ATTR(NUMBERS, multistep_attr, milestones, NULL, "epochs (or steps) after which the rate changes: [30,60]"),
    DLC_ATTR(FLOAT, multistep_attr, gamma, "0.1", "what the rate is multiplied by")};

static dlc_status multistep_check(const void *attr)
{
  return check_factor("gamma", ((const multistep_attr *)attr)->gamma, 1);
}

static double multistep_rate(const void *attr, double lr, double t, double total)
{
  const multistep_attr *a = attr;
  (void)total;
  for (int64_t i = 0; i < a->milestones.count; i++)
    if (t >= a->milestones.at[i]) lr *= a->gamma;
  return lr;
}

static const dlc_schedule_kind multistep = {.name = "multistep",
                                            .help = "times gamma at every milestone",
                                            .attr_size = sizeof(multistep_attr),
                                            .n_attrs = 2,
                                            .attrs = multistep_attrs,
                                            .check = multistep_check,
                                            .rate = multistep_rate};

/* ---- exponential ---- */

typedef struct exponential_attr {
  double gamma;
} exponential_attr;

static const dlc_attr exponential_attrs[] = {
    DLC_ATTR(FLOAT, exponential_attr, gamma, NULL, "what the rate is multiplied by, every epoch (or step)")};

static dlc_status exponential_check(const void *attr)
{
  return check_factor("gamma", ((const exponential_attr *)attr)->gamma, 1);
}

static double exponential_rate(const void *attr, double lr, double t, double total)
{
  (void)total;
  return lr * pow(((const exponential_attr *)attr)->gamma, t);
}

static const dlc_schedule_kind exponential = {.name = "exponential",
                                              .help = "times gamma every time",
                                              .attr_size = sizeof(exponential_attr),
                                              .n_attrs = 1,
                                              .attrs = exponential_attrs,
                                              .check = exponential_check,
                                              .rate = exponential_rate};

/* ---- cosine ---- */

typedef struct cosine_attr {
  double min_lr;
} cosine_attr;

static const dlc_attr cosine_attrs[] = {DLC_ATTR(FLOAT, cosine_attr, min_lr, "0", "where it ends")};

static double cosine_rate(const void *attr, double lr, double t, double total)
{
  const double low = ((const cosine_attr *)attr)->min_lr;
  return low + (lr - low) * (1 + cos(pi * clamp_share(t, total))) / 2;
}

static const dlc_schedule_kind cosine = {.name = "cosine",
                                         .help = "half a cosine down to min_lr",
                                         .attr_size = sizeof(cosine_attr),
                                         .n_attrs = 1,
                                         .attrs = cosine_attrs,
                                         .rate = cosine_rate};

/* ---- one_cycle: --lr is the highest rate ---- */

typedef struct one_cycle_attr {
  double pct_start, div_factor, final_div_factor;
  int64_t anneal;
} one_cycle_attr;

static const dlc_attr one_cycle_attrs[] = {
    DLC_ATTR(FLOAT, one_cycle_attr, pct_start, "0.3", "share of the run in which the rate rises"),
    DLC_ATTR(FLOAT, one_cycle_attr, div_factor, "25", "it begins at lr / div_factor"),
    DLC_ATTR(FLOAT, one_cycle_attr, final_div_factor, "1e4", "and ends at that / final_div_factor"),
    DLC_ATTR_WORD(one_cycle_attr, anneal, "cos|linear", "cos", "how it gets from one to the other")};

static dlc_status one_cycle_check(const void *attr)
{
  const one_cycle_attr *a = attr;
  DLC_TRY(check_factor("pct_start", a->pct_start, 1));
  DLC_TRY(check_factor("div_factor", a->div_factor, 1e12));
  return check_factor("final_div_factor", a->final_div_factor, 1e12);
}

static double one_cycle_rate(const void *attr, double lr, double t, double total)
{
  const one_cycle_attr *a = attr;
  const double first = lr / a->div_factor, last = first / a->final_div_factor;
  const double top = a->pct_start * total - 1, end = total - 1;
  const bool rising = t <= top;
  const double from = rising ? first : lr, to = rising ? lr : last;
  const double length = rising ? top : end - top;
  const double share = clamp_share(rising ? t : t - top, length);
  return a->anneal ? from + (to - from) * share : to + (from - to) * (1 + cos(pi * share)) / 2;
}

static const dlc_schedule_kind one_cycle = {.name = "one_cycle",
                                            .help = "up to --lr and down again, step by step",
                                            .attr_size = sizeof(one_cycle_attr),
                                            .n_attrs = 4,
                                            .attrs = one_cycle_attrs,
                                            .by_step = true,
                                            .check = one_cycle_check,
                                            .rate = one_cycle_rate};

/* ---- polynomial ---- */

typedef struct polynomial_attr {
  double power, min_lr;
} polynomial_attr;

static const dlc_attr polynomial_attrs[] = {DLC_ATTR(FLOAT, polynomial_attr, power, "1", "1: a straight line"),
                                            DLC_ATTR(FLOAT, polynomial_attr, min_lr, "0", "where it ends")};

static double polynomial_rate(const void *attr, double lr, double t, double total)
{
  const polynomial_attr *a = attr;
  return a->min_lr + (lr - a->min_lr) * pow(1 - clamp_share(t, total), a->power);
}

static dlc_status polynomial_check(const void *attr)
{
  return check_factor("power", ((const polynomial_attr *)attr)->power, 100);
}

static const dlc_schedule_kind polynomial = {.name = "polynomial",
                                             .help = "(1 - share of the run done)^power, down to min_lr",
                                             .attr_size = sizeof(polynomial_attr),
                                             .n_attrs = 2,
                                             .attrs = polynomial_attrs,
                                             .check = polynomial_check,
                                             .rate = polynomial_rate};

/* ---- plateau: the rate is scaled by what the run has measured ---- */

typedef struct plateau_attr {
  double factor;
  int64_t patience;
  double threshold;
  int64_t cooldown;
  double min_lr;
} plateau_attr;

static const dlc_attr plateau_attrs[] = {
    DLC_ATTR(FLOAT, plateau_attr, factor, "0.1", "what the rate is multiplied by"),
    DLC_ATTR(INT, plateau_attr, patience, "10", "epochs without improvement that are let pass"),
    DLC_ATTR(FLOAT, plateau_attr, threshold, "1e-4", "smallest relative improvement that counts"),
    DLC_ATTR(INT, plateau_attr, cooldown, "0", "epochs after a change that do not count"),
    DLC_ATTR(FLOAT, plateau_attr, min_lr, "0", "the lowest rate")};

static dlc_status plateau_check(const void *attr)
{
  const plateau_attr *a = attr;
  if (a->patience < 0) return dlc_fail(DLC_INVALID, "`patience` is %lld, expected 0 or more", (long long)a->patience);
  return check_factor("factor", a->factor, 1);
}

static const dlc_schedule_kind plateau = {.name = "plateau",
                                          .help = "times factor when --watch has not become better for patience epochs",
                                          .attr_size = sizeof(plateau_attr),
                                          .n_attrs = 5,
                                          .attrs = plateau_attrs,
                                          .check = plateau_check,
                                          .rate = constant_rate};

void dlc_schedule_measured(const dlc_schedule *s, dlc_schedule_state *state, double value, bool better_low)
{
  if (s->kind != &plateau) return;
  const plateau_attr *a = (const void *)s->attr.bytes;
  const double goal = better_low ? state->best * (1 - a->threshold) : state->best * (1 + a->threshold);
  if (!state->measured || (better_low ? value < goal : value > goal)) {
    state->best = value;
    state->measured = true;
    state->bad_epochs = 0;
  } else {
    state->bad_epochs++;
  }
  if (state->cooldown > 0) {
    state->cooldown--;
    state->bad_epochs = 0;
  }
  if (state->bad_epochs <= a->patience) return;
  state->scale = (state->scale > 0 ? state->scale : 1) * a->factor;
  state->cooldown = a->cooldown;
  state->bad_epochs = 0;
}

/* ---- all of them ---- */

const dlc_schedule_kind *const dlc_schedule_kinds[] = {&constant,  &step,       &multistep, &exponential, &cosine,
                                                       &one_cycle, &polynomial, &plateau,   NULL};

static dlc_status find_kind(const char *name, size_t length, const dlc_schedule_kind **kind)
{
  const char *names[MAX_KINDS];
  char given[64];
  size_t n = 0;
  snprintf(given, sizeof given, "%.*s", (int)length, name);
  for (; dlc_schedule_kinds[n]; n++) {
    names[n] = dlc_schedule_kinds[n]->name;
    if (dlc_name_equal(names[n], given)) {
      *kind = dlc_schedule_kinds[n];
      return DLC_OK;
    }
  }
  const int near = dlc_nearest(given, names, n);
  return near >= 0 ? dlc_fail(DLC_INVALID, "no schedule '%s'; did you mean '%s'?", given, names[near])
                   : dlc_fail(DLC_INVALID,
                              "no schedule '%s'; there are constant, step, multistep, exponential, cosine, "
                              "one_cycle, polynomial, plateau",
                              given);
}

dlc_status dlc_schedule_read(const char *text, dlc_schedule *s)
{
  const size_t length = strcspn(text, ":");
  DLC_TRY(find_kind(text, length, &s->kind));
  const dlc_attr_table table = {s->kind->name, s->kind->attrs, s->kind->n_attrs};
  memset(&s->attr, 0, sizeof s->attr);
  DLC_TRY(dlc_attrs_read(&table, s->attr.bytes, text[length] ? text + length + 1 : ""));
  dlc_status status = s->kind->check ? s->kind->check(s->attr.bytes) : DLC_OK;
  return status < 0 ? dlc_fail_in(status, "%s", s->kind->name) : DLC_OK;
}

double dlc_schedule_rate(const dlc_schedule *s, const dlc_schedule_state *state, double lr, int64_t step_number,
                         int64_t steps_per_epoch, int64_t epochs)
{
  const dlc_schedule_kind *kind = s->kind ? s->kind : &constant;
  const bool by_step = s->by_step || kind->by_step;
  const double warmup = ceil(s->warmup_epochs * (double)steps_per_epoch);
  const double total_steps = (double)(steps_per_epoch * epochs) - warmup, t = (double)step_number - warmup;
  const double per = by_step ? 1 : (double)steps_per_epoch;
  if (t < 0) {
    const double goal = kind->rate(s->attr.bytes, lr, 0, total_steps / per);
    return s->warmup_lr + (goal - s->warmup_lr) * ((double)step_number + 1) / warmup;
  }
  const double rate = kind->rate(s->attr.bytes, lr, by_step ? t : floor(t / per), total_steps / per);
  if (kind != &plateau || !(state->scale > 0)) return rate;
  const double low = ((const plateau_attr *)(const void *)s->attr.bytes)->min_lr;
  return fmax(rate * state->scale, fmin(low, rate));
}
