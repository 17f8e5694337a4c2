/* Which epoch is the best: what an evaluation that gave no number is worth. */
#include "suite.h"
#include "train/run_state.h"
#include <math.h>

/* The best of epochs with these losses. */
static uint32_t best_of(const double *losses, uint32_t n)
{
  dlc_run r = {.watch.metric = {DLC_PHASE_TEST, DLC_WATCH_LOSS}};
  for (uint32_t i = 0; i < n; i++) {
    r.epoch = i + 1;
    r.phases[DLC_PHASE_TEST].metrics.loss = losses[i];
    dlc_watch_epoch(&r);
  }
  return r.watch.best_epoch;
}

START_TEST(any_number_is_better_than_none)
{
  ck_assert_uint_eq(best_of((const double[]){NAN, 4, 5}, 3), 2);
  ck_assert_uint_eq(best_of((const double[]){4, NAN, 5}, 3), 1);
  ck_assert_uint_eq(best_of((const double[]){NAN, NAN}, 2), 1);
}
END_TEST

START_TEST(of_equal_epochs_the_first_is_best)
{
  ck_assert_uint_eq(best_of((const double[]){3, 2, 2}, 3), 2);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("watch");
  tcase_add_test(tests, any_number_is_better_than_none);
  tcase_add_test(tests, of_equal_epochs_the_first_is_best);
  return run_suite("watch", tests);
}
