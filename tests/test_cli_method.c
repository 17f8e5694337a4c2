/* How a run learns, by the command line: every optimizer and loss by its name, and what is refused. */
#include "program.h"

START_TEST(every_optimizer_trains)
{
  static const char *const optimizers[] = {"sgd:momentum=0.9,nesterov=true", "adam",
                                           "adamw:weight_decay=0.1",         "rmsprop:alpha=0.9",
                                           "rmsprop:centered=true",          "adagrad:lr_decay=0.1",
                                           "lars:trust_coefficient=0.01"};
  char arguments[400];
  for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
    snprintf(arguments, sizeof arguments, QUICK "--name o%zu --opt %s", i, optimizers[i]);
    ck_runs(arguments, 0);
  }
}
END_TEST

START_TEST(every_loss_trains)
{
  static const char *const losses[] = {"cross_entropy:label_smoothing=0.1", "nll_loss", "mse_loss", "bce_with_logits"};
  char arguments[400];
  for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
    snprintf(arguments, sizeof arguments, QUICK "--name l%zu --mixup 0.4 --loss %s", i, losses[i]);
    ck_runs(arguments, 0);
  }
}
END_TEST

START_TEST(what_a_loss_or_an_optimizer_has_not_is_refused)
{
  ck_refuses(QUICK "--opt mse_loss", 2, "--opt: mse_loss is an op, but no optimizer such as sgd or adam");
  ck_refuses(QUICK "--opt rmsprop:alpa=0.9", 2, "--opt: rmsprop has no `alpa`; did you mean `alpha`?");
  ck_refuses(QUICK "--loss adam", 2, "--loss: adam is an op, but no loss such as cross_entropy");
  ck_refuses(QUICK "--loss mse_loss --label-smoothing 0.1", 2, "mse_loss has no `label_smoothing`");
}
END_TEST

START_TEST(one_cycle_gives_an_optimizer_a_momentum)
{
  ck_runs(QUICK "--opt sgd --sched one_cycle --name x", 0);
  ck_runs("--resume runs/x --epochs 2", 0); /* its state is in the checkpoint */
  ck_runs(QUICK "--opt adagrad --sched one_cycle:cycle_momentum=false --name y", 0);
  ck_refuses(QUICK "--opt adagrad --sched one_cycle", 2,
             "--sched: one_cycle moves the momentum, and adagrad has none; one_cycle:cycle_momentum=false leaves it "
             "alone");
}
END_TEST

START_TEST(class_weights_need_a_model_without_further_classes)
{
  write_text("wide.yaml", "classes: 12\nlayers: [flatten, linear: classes]\n");
  ck_refuses(QUICK "--model wide.yaml --class-weights 1,1,1,1,1,1,1,1,1,2", 2,
             "--class-weights: wide.yaml has `classes: 12`, dataset shapes has 10;");
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("method");
  tcase_add_checked_fixture(tests, enter_folder, leave_folder);
  tcase_add_test(tests, every_optimizer_trains);
  tcase_add_test(tests, every_loss_trains);
  tcase_add_test(tests, what_a_loss_or_an_optimizer_has_not_is_refused);
  tcase_add_test(tests, one_cycle_gives_an_optimizer_a_momentum);
  tcase_add_test(tests, class_weights_need_a_model_without_further_classes);
  return run_suite("method", tests);
}
