/* Which epoch is the best, by the metric that --watch names. */
#include "base/status.h"
#include "train/run_state.h"
#include <string.h>

/* accuracy and loss are of whatever is evaluated after every epoch; summary.csv says acc for short. */
static const struct {
  const char *name, *also;
  dlc_watched what;
} metrics[] = {{"accuracy", NULL, {DLC_N_PHASES, false}},
               {"loss", NULL, {DLC_N_PHASES, true}},
               {"train_accuracy", "train_acc", {DLC_PHASE_TRAIN, false}},
               {"train_loss", NULL, {DLC_PHASE_TRAIN, true}},
               {"val_accuracy", "val_acc", {DLC_PHASE_VAL, false}},
               {"val_loss", NULL, {DLC_PHASE_VAL, true}},
               {"test_accuracy", "test_acc", {DLC_PHASE_TEST, false}},
               {"test_loss", NULL, {DLC_PHASE_TEST, true}}};
enum { N_METRICS = sizeof metrics / sizeof *metrics };

static dlc_status find(const char *name, dlc_watched *what)
{
  for (int i = 0; i < N_METRICS; i++)
    if (strcmp(metrics[i].name, name) == 0 || (metrics[i].also && strcmp(metrics[i].also, name) == 0)) {
      *what = metrics[i].what;
      return DLC_OK;
    }
  return dlc_fail(DLC_INVALID,
                  "no metric '%s'; there are accuracy and loss (of validation, else of test), train_accuracy, "
                  "train_loss, val_accuracy, val_loss, test_accuracy, test_loss",
                  name);
}

dlc_status dlc_watch_check(const char *metric)
{
  dlc_watched what;
  return find(metric, &what);
}

dlc_status dlc_watch_open(dlc_run *r)
{
  const char *name = r->config.watch ? r->config.watch : "accuracy";
  dlc_watched *w = &r->watch.what;
  DLC_TRY(find(name, w));
  const dlc_phase *evaluated = dlc_run_evaluated(r);
  if (w->phase == DLC_N_PHASES) { /* without anything to evaluate on, training has to do */
    w->phase = evaluated->subset.count ? (int)(evaluated - r->phases) : DLC_PHASE_TRAIN;
    return DLC_OK;
  }
  if (r->phases[w->phase].subset.count == 0)
    return dlc_fail(DLC_INVALID, "%s cannot be watched: there is no %s part%s", name, r->phases[w->phase].name,
                    w->phase == DLC_PHASE_VAL ? "; --val-split cuts one off" : "");
  if (w->phase == DLC_PHASE_TEST && evaluated != &r->phases[DLC_PHASE_TEST])
    return dlc_fail(DLC_INVALID, "%s cannot be watched: with a val part the test comes once, at the end", name);
  return DLC_OK;
}

static double value_of(const dlc_run *r)
{
  const dlc_metrics *m = &r->phases[r->watch.what.phase].metrics;
  return r->watch.what.loss ? m->loss : m->accuracy;
}

double dlc_watch_score(const dlc_run *r)
{
  return r->watch.what.loss ? -value_of(r) : value_of(r);
}

bool dlc_watch_epoch(dlc_run *r)
{
  dlc_watch *w = &r->watch;
  const double value = value_of(r);
  dlc_schedule_measured(&r->config.method.schedule, &r->schedule, value, w->what.loss);
  if (w->best_epoch && !(w->what.loss ? value < w->best : value > w->best)) {
    w->bad_epochs++;
    return false;
  }
  w->best = value;
  w->best_epoch = r->epoch;
  w->bad_epochs = 0;
  return true;
}
