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
  dlc_list milestones;
  double gamma;
} multistep_attr;

static const dlc_attr multistep_attrs[] = {
    DLC_ATTR(LIST, multistep_attr, milestones, NULL, "epochs (or steps) after which the rate changes: [30,60]"),
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

/* ---- one_cycle: --lr is the highest rate; the momentum goes the other way ---- */

typedef struct one_cycle_attr {
  double pct_start, div_factor, final_div_factor;
  int64_t anneal_strategy, three_phase, cycle_momentum;
  double base_momentum, max_momentum;
} one_cycle_attr;

static const dlc_attr one_cycle_attrs[] = {
    DLC_ATTR(FLOAT, one_cycle_attr, pct_start, "0.3", "share of the run in which the rate rises"),
    DLC_ATTR(FLOAT, one_cycle_attr, div_factor, "25", "it begins at lr / div_factor"),
    DLC_ATTR(FLOAT, one_cycle_attr, final_div_factor, "1e4", "and ends at that / final_div_factor"),
    DLC_ATTR_WORD(one_cycle_attr, anneal_strategy, "cos|linear", "cos", "how it gets from one to the other"),
    DLC_ATTR(BOOL, one_cycle_attr, three_phase, "false", "fall as long as it rose, then go on to the end"),
    DLC_ATTR(BOOL, one_cycle_attr, cycle_momentum, "true", "the momentum, or beta1, falls as the rate rises"),
    DLC_ATTR(FLOAT, one_cycle_attr, base_momentum, "0.85", "momentum at the highest rate"),
    DLC_ATTR(FLOAT, one_cycle_attr, max_momentum, "0.95", "momentum at the lowest rates")};

static dlc_status one_cycle_check(const void *attr)
{
  const one_cycle_attr *a = attr;
  if (!(a->pct_start >= 0 && a->pct_start <= 1))
    return dlc_fail(DLC_INVALID, "`pct_start` is %g, expected 0 to 1", a->pct_start);
  if (a->cycle_momentum && !(a->base_momentum >= 0 && a->base_momentum <= a->max_momentum && a->max_momentum < 1))
    return dlc_fail(DLC_INVALID, "`base_momentum` is %g and `max_momentum` %g, expected 0 <= base <= max < 1",
                    a->base_momentum, a->max_momentum);
  DLC_TRY(check_factor("div_factor", a->div_factor, 1e12));
  return check_factor("final_div_factor", a->final_div_factor, 1e12);
}

static double anneal(const one_cycle_attr *a, double from, double to, double t, double length)
{
  const double share = clamp_share(t, length);
  return a->anneal_strategy ? from + (to - from) * share : to + (from - to) * (1 + cos(pi * share)) / 2;
}

/* From `low` at the first step over `top` to `last` at the last one; with three phases by way of `low`. */
static double one_cycle_level(const one_cycle_attr *a, double t, double total, double low, double top, double last)
{
  const double rise = a->pct_start * total - 1, end = total - 1;
  if (t <= rise) return anneal(a, low, top, t, rise);
  if (!a->three_phase) return anneal(a, top, last, t - rise, end - rise);
  if (t <= 2 * rise) return anneal(a, top, low, t - rise, rise);
  return anneal(a, low, last, t - 2 * rise, end - 2 * rise);
}

static double one_cycle_rate(const void *attr, double lr, double t, double total)
{
  const one_cycle_attr *a = attr;
  const double first = lr / a->div_factor;
  return one_cycle_level(a, t, total, first, lr, first / a->final_div_factor);
}

static double one_cycle_momentum(const void *attr, double t, double total)
{
  const one_cycle_attr *a = attr;
  return a->cycle_momentum ? one_cycle_level(a, t, total, a->max_momentum, a->base_momentum, a->max_momentum) : NAN;
}

static const dlc_schedule_kind one_cycle = {.name = "one_cycle",
                                            .help = "up to --lr and down again, step by step",
                                            .attr_size = sizeof(one_cycle_attr),
                                            .n_attrs = sizeof one_cycle_attrs / sizeof *one_cycle_attrs,
                                            .attrs = one_cycle_attrs,
                                            .by_step = true,
                                            .check = one_cycle_check,
                                            .rate = one_cycle_rate,
                                            .momentum = one_cycle_momentum};

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
  if (state->measured ? (better_low ? value < goal : value > goal) : !isnan(value)) {
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

/* How far a step is, in the schedule's unit. */
typedef struct position {
  double warmup, t, total; /* steps of the warm-up; t < 0: in it */
} position;

static position position_of(const dlc_schedule *s, int64_t step_number, int64_t steps_per_epoch, int64_t epochs)
{
  const double per = s->by_step || (s->kind && s->kind->by_step) ? 1 : (double)steps_per_epoch;
  const double warmup = ceil(s->warmup_epochs * (double)steps_per_epoch);
  return (position){.warmup = warmup,
                    .t = floor(((double)step_number - warmup) / per),
                    .total = ((double)(steps_per_epoch * epochs) - warmup) / per};
}

double dlc_schedule_rate(const dlc_schedule *s, const dlc_schedule_state *state, double lr, int64_t step_number,
                         int64_t steps_per_epoch, int64_t epochs)
{
  const dlc_schedule_kind *kind = s->kind ? s->kind : &constant;
  const position at = position_of(s, step_number, steps_per_epoch, epochs);
  if (at.t < 0) {
    /* A run that ends before the warm-up has no end of the schedule to hurry to. */
    const double goal = kind->rate(s->attr.bytes, lr, 0, at.total > 0 ? at.total : (double)INT64_MAX);
    return s->warmup_lr + (goal - s->warmup_lr) * ((double)step_number + 1) / at.warmup;
  }
  const double rate = kind->rate(s->attr.bytes, lr, at.t, at.total);
  if (kind != &plateau || !(state->scale > 0)) return rate;
  const double low = ((const plateau_attr *)(const void *)s->attr.bytes)->min_lr;
  return fmax(rate * state->scale, fmin(low, rate));
}

double dlc_schedule_momentum(const dlc_schedule *s, int64_t step_number, int64_t steps_per_epoch, int64_t epochs)
{
  const position at = position_of(s, step_number, steps_per_epoch, epochs);
  return s->kind && s->kind->momentum ? s->kind->momentum(s->attr.bytes, fmax(at.t, 0), at.total) : NAN;
}

bool dlc_schedule_moves_momentum(const dlc_schedule *s)
{
  return !isnan(dlc_schedule_momentum(s, 0, 1, 1));
}
