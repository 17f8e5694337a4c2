/* Which epoch is the best, by the metric that --watch names. */
#include "base/status.h"
#include "train/confusion.h"
#include "train/run_state.h"
#include <math.h>
#include <string.h>

/* accuracy, top5 and loss are of whatever is evaluated after every epoch; summary.csv says acc for short. */
static const struct {
  const char *name, *also;
  dlc_watched metric;
} metrics[] = {{"accuracy", NULL, {DLC_N_PHASES, DLC_WATCH_ACCURACY}},
               {"top5", NULL, {DLC_N_PHASES, DLC_WATCH_TOP5}},
               {"loss", NULL, {DLC_N_PHASES, DLC_WATCH_LOSS}},
               {"train_accuracy", "train_acc", {DLC_PHASE_TRAIN, DLC_WATCH_ACCURACY}},
               {"train_loss", NULL, {DLC_PHASE_TRAIN, DLC_WATCH_LOSS}},
               {"val_accuracy", "val_acc", {DLC_PHASE_VAL, DLC_WATCH_ACCURACY}},
               {"val_top5", NULL, {DLC_PHASE_VAL, DLC_WATCH_TOP5}},
               {"val_loss", NULL, {DLC_PHASE_VAL, DLC_WATCH_LOSS}},
               {"test_accuracy", "test_acc", {DLC_PHASE_TEST, DLC_WATCH_ACCURACY}},
               {"test_top5", NULL, {DLC_PHASE_TEST, DLC_WATCH_TOP5}},
               {"test_loss", NULL, {DLC_PHASE_TEST, DLC_WATCH_LOSS}}};
enum { N_METRICS = sizeof metrics / sizeof *metrics };

static dlc_status find(const char *name, dlc_watched *metric)
{
  for (int i = 0; i < N_METRICS; i++)
    if (strcmp(metrics[i].name, name) == 0 || (metrics[i].also && strcmp(metrics[i].also, name) == 0)) {
      *metric = metrics[i].metric;
      return DLC_OK;
    }
  return dlc_fail(DLC_INVALID,
                  "no metric '%s'; there are accuracy, top5 and loss (of validation, else of test), train_accuracy, "
                  "train_loss, val_accuracy, val_top5, val_loss, test_accuracy, test_top5, test_loss",
                  name);
}

dlc_status dlc_watch_check(const char *metric)
{
  dlc_watched found;
  return find(metric, &found);
}

dlc_status dlc_watch_open(dlc_run *r)
{
  const char *name = r->config.watch ? r->config.watch : "accuracy";
  dlc_watched *w = &r->watch.metric;
  DLC_TRY(find(name, w));
  if (w->what == DLC_WATCH_TOP5 && r->info->n_classes <= DLC_TOP_K)
    return dlc_fail(DLC_INVALID, "%s cannot be watched: of %u classes all are among the first five", name,
                    r->info->n_classes);
  const dlc_phase *evaluated = dlc_run_evaluated(r);
  if (w->what == DLC_WATCH_TOP5 && evaluated->subset.count == 0)
    return dlc_fail(DLC_INVALID, "%s cannot be watched: there is nothing to evaluate on", name);
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
  const dlc_metrics *m = &r->phases[r->watch.metric.phase].metrics;
  const int what = r->watch.metric.what;
  return what == DLC_WATCH_LOSS ? m->loss : what == DLC_WATCH_TOP5 ? m->top5 : m->accuracy;
}

double dlc_watch_score(const dlc_run *r)
{
  return r->watch.metric.what == DLC_WATCH_LOSS ? -value_of(r) : value_of(r);
}

bool dlc_watch_epoch(dlc_run *r)
{
  dlc_watch *w = &r->watch;
  const double value = value_of(r);
  const bool low = w->metric.what == DLC_WATCH_LOSS;
  dlc_schedule_measured(&r->config.method.schedule, &r->schedule, value, low);
  const bool better = isnan(w->best) ? !isnan(value) : low ? value < w->best : value > w->best;
  if (w->best_epoch && !better) {
    w->bad_epochs++;
    return false;
  }
  w->best = value;
  w->best_epoch = r->epoch;
  w->bad_epochs = 0;
  return true;
}
