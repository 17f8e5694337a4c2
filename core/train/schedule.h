/* Learning rate schedules: the rate, and for one_cycle the momentum too, as a function of how far the run is. All but
 * plateau are pure functions; what plateau has seen is in dlc_schedule_state. Formulas are torch.optim.lr_scheduler's.
 * [main] */
#ifndef DLC_TRAIN_SCHEDULE_H
#define DLC_TRAIN_SCHEDULE_H
#include "dlcore/attr.h"
#include "dlcore/base.h"
#include <stdbool.h>

/* t: epochs or steps done since the warm-up; total: of the run, without it. Both in the schedule's unit. */
typedef struct dlc_schedule_kind {
  const char *name, *help;
  uint32_t attr_size, n_attrs;
  const dlc_attr *attrs;
  bool by_step; /* t counts steps even where the user asks for epochs */
  dlc_status (*check)(const void *attr);
  double (*rate)(const void *attr, double lr, double t, double total);
  double (*momentum)(const void *attr, double t, double total); /* NaN: left alone. Optional */
} dlc_schedule_kind;

/* constant, step, multistep, exponential, cosine, one_cycle, polynomial, plateau; ends with NULL. */
extern const dlc_schedule_kind *const dlc_schedule_kinds[];

enum { DLC_SCHEDULE_ATTR_MAX = 640 };

typedef struct dlc_schedule {
  const dlc_schedule_kind *kind; /* NULL: constant */
  bool by_step;                  /* t counts steps, not whole epochs */
  double warmup_epochs;          /* the rate rises linearly, step by step, from warmup_lr to the schedule's first */
  double warmup_lr;
  union {
    char bytes[DLC_SCHEDULE_ATTR_MAX];
    double align;
  } attr;
} dlc_schedule;

/* What a run has seen so far, for plateau. Zeroed at the start; kept in checkpoints. */
typedef struct dlc_schedule_state {
  double scale; /* 0 stands for 1 */
  double best;
  int64_t bad_epochs, cooldown;
  bool measured;
} dlc_schedule_state;

/* "cosine:min_lr=1e-5". DLC_INVALID with the nearest name or what was expected. */
dlc_status dlc_schedule_read(const char *text, dlc_schedule *s);

/* The rate of the step that is about to be done: `step` and `epoch` counted from 0, `steps_per_epoch` > 0. */
double dlc_schedule_rate(const dlc_schedule *s, const dlc_schedule_state *state, double lr, int64_t step,
                         int64_t steps_per_epoch, int64_t epochs);
/* The momentum of that step (DLC_OP_MOMENTUM), which is at its first value during the warm-up; NaN: the optimizer's
 * own. */
double dlc_schedule_momentum(const dlc_schedule *s, int64_t step, int64_t steps_per_epoch, int64_t epochs);
bool dlc_schedule_moves_momentum(const dlc_schedule *s);
/* After every epoch, with what the run watches: does something for plateau alone. `better_low`: a loss. */
void dlc_schedule_measured(const dlc_schedule *s, dlc_schedule_state *state, double value, bool better_low);

#endif
