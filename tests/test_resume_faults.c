/* The program is killed in every call to the system that it makes to write its checkpoints. Each time it goes on from
 * what is there, and ends with the weights of a run that nobody disturbed. */
#include "program.h"

/* Two epochs, each of which ends with a generation. */
#define RUN                                                                                                            \
  "--dataset shapes:count=32,test-count=16 --backend reference --model mlp --batch-size 16 --epochs 2 --logger none "  \
  "--threads 1 --workers 0 "

enum { MOST_CALLS = 2000 };

/* The program is killed in the n-th call that has to do with its checkpoints. */
static int run_until(int call, const char *run)
{
  char faults[64];
  snprintf(faults, sizeof faults, "kill:%d:runs/x/checkpoints", call);
  setenv("LD_PRELOAD", TEST_FAULTS, 1);
  setenv("DLCORE_FAULTS", faults, 1);
  setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
  const int code = dlcore(run);
  unsetenv("LD_PRELOAD");
  unsetenv("DLCORE_FAULTS");
  return code;
}

START_TEST(killed_in_every_call_of_the_writer)
{
  int call = 1;
  ck_runs(RUN "--name whole", 0);
  for (int code; (code = run_until(call, RUN "--name x")) != 0; call++) {
    ck_assert_int_lt(call, MOST_CALLS);
    ck_assert_msg(code == 1000 + SIGKILL, "call %d: exit %d: %s", call, code, err_text);
    ck_runs(RUN "--name x --resume auto", 0);
    ck_assert_msg(same_files("runs/whole/weights/last.safetensors", "runs/x/weights/last.safetensors"),
                  "killed in call %d, the run ended with other weights: %s", call, out_text);
    nftw("runs/x", remove_entry, 16, FTW_DEPTH | FTW_PHYS);
  }
  ck_assert_msg(call > 50, "only %d calls", call - 1);
}
END_TEST

START_TEST(best_epoch_is_there_after_any_kill)
{
  int call = 1;
  for (int code; (code = run_until(call, RUN "--epochs 1 --checkpoint-keep 1 --name x")) != 0; call++) {
    ck_assert_int_lt(call, MOST_CALLS);
    ck_assert_msg(code == 1000 + SIGKILL, "call %d: exit %d: %s", call, code, err_text);
    ck_runs(RUN "--epochs 1 --checkpoint-keep 1 --name x --resume auto", 0);
    ck_assert_msg(exists("runs/x/checkpoints/epoch-1.safetensors"), "killed in call %d, epoch 1 kept none: %s", call,
                  out_text);
    nftw("runs/x", remove_entry, 16, FTW_DEPTH | FTW_PHYS);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("resume_faults");
  TCase *t = tcase_create("resume_faults");
  tcase_add_checked_fixture(t, enter_folder, leave_folder);
  tcase_add_test(t, killed_in_every_call_of_the_writer);
  tcase_add_test(t, best_epoch_is_there_after_any_kill);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
