/* Interface "dlcore.logger/1": someone who writes down how a run goes. A logger that fails is reported once and left
 * alone; the training goes on. */
#ifndef DLCORE_LOGGER_H
#define DLCORE_LOGGER_H
#include "base.h"
#ifdef __cplusplus
extern "C" {
#endif

#define DLC_IFACE_LOGGER "dlcore.logger/1"

typedef struct dlc_log dlc_log; /* the plugin's own: an open log */

enum { DLC_ROW_STEP = 1, DLC_ROW_EPOCH = 2 };

/* One row of numbers; NaN where a number is missing. Rows of one kind have the same columns for the whole run. */
typedef struct dlc_row {
  uint32_t size, kind;
  int64_t epoch; /* counted from 1 */
  int64_t step;  /* training steps done so far in the run */
  uint32_t n;
  const char *const *names; /* train_loss, train_acc, val_loss, val_acc, test_loss, test_acc, lr, seconds, img_s */
  const double *values;     /* losses in nats, accuracies in [0, 1], seconds since the run began */
} dlc_row;

typedef struct dlc_run_info {
  uint32_t size;
  const char *dir;  /* the run folder; exists */
  const char *name; /* its last part */
  /* A run that goes on after a checkpoint: what a former log says of epochs after `epochs` and of steps after `steps`
   * is dropped, for it comes again. Both 0 with `resumed` 0: a new run. */
  uint32_t resumed;
  int64_t epochs, steps;
} dlc_run_info;

typedef struct dlc_logger dlc_logger;
struct dlc_logger {
  uint32_t size;
  const char *name; /* what --logger takes */
  const char *help; /* one line */
  const dlc_option *options;
  uint32_t n_options;
  /* [main] `run` is valid during the call. `values` follow `options`. */
  dlc_status (*open)(const dlc_logger *l, const dlc_host *h, const dlc_run_info *run, const dlc_option_value *values,
                     dlc_log **log);
  dlc_status (*write)(dlc_log *log, const dlc_row *row); /* [main] every step and every epoch */
  dlc_status (*close)(dlc_log *log);                     /* [main] flushes; frees even when it fails */
};

#ifdef __cplusplus
}
#endif
#endif
