/* How a run learns, by the command line: every optimizer and loss by its name, and what is refused. */
#include "base/status.h"
#include "program.h"
#include "train/safetensors.h"
#include <math.h>

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

/* Pictures as bytes and as floats, an average, mixtures, tokens. */
START_TEST(everything_trains_in_float64)
{
  static const char *const ways[] = {"--model lenet --mixup 0.4 --model-ema 0.9 --clip-grad 1 --accumulate 2",
                                     "--model lenet --train-transforms to_float --eval-transforms to_float",
                                     "--model vit.yaml"};
  char arguments[400], path[64];
  write_text("vit.yaml",
             "layers:\n- conv2d: {out_channels: 4, kernel_size: 7, stride: 7}\n- tokens\n- class_token\n"
             "- position_embedding\n- multi_head_attention: 2\n- layer_norm\n- flatten\n- linear: classes\n");
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    dlc_tensor_file weights;
    snprintf(arguments, sizeof arguments, QUICK "--dtype float64 --name d%zu %s", i, ways[i]);
    ck_runs(arguments, 0);
    ck_contains(out_text, "backend   reference: ");
    ck_contains(out_text, ", seed 0, float64\n");
    snprintf(path, sizeof path, "runs/d%zu/weights/last.safetensors", i);
    ck_assert_msg(dlc_safetensors_read(path, &weights) == DLC_OK, "%s", dlc_reason());
    for (uint32_t k = 0; k < weights.n; k++) ck_assert_uint_eq(weights.tensors[k].dtype, DLC_F64);
    dlc_safetensors_free(&weights);
  }
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

START_TEST(schedules_show_what_they_take)
{
  ck_runs("plugins one_cycle", 0);
  ck_contains(out_text, "schedule one_cycle: ");
  ck_contains(out_text, "max_momentum (float)     momentum at the lowest rates (default: 0.95)\n");
  ck_lacks(out_text, "multistep");
  ck_refuses("plugins one_cycl", 2, "did you mean 'one_cycle'?");
}
END_TEST

START_TEST(initialisations_show_what_they_take)
{
  ck_runs("plugins kaiming_normal", 0);
  ck_contains(out_text, "initialisation kaiming_normal: ");
  ck_contains(out_text, "mode (word)              what keeps its deviation: forward or backward (default: fan_in)");
  ck_lacks(out_text, "xavier");
  ck_refuses("plugins xavier_norml", 2, "did you mean 'xavier_normal'?");
}
END_TEST

START_TEST(class_weights_need_a_model_without_further_classes)
{
  write_text("wide.yaml", "classes: 12\nlayers: [flatten, linear: classes]\n");
  ck_refuses(QUICK "--model wide.yaml --class-weights 1,1,1,1,1,1,1,1,1,2", 2,
             "--class-weights: wide.yaml has `classes: 12`, dataset shapes has 10;");
}
END_TEST

START_TEST(weights_begin_as_the_command_line_says)
{
  dlc_tensor_file file;
  ck_runs(QUICK "--init constant:val=0.25 --opt sgd --lr 0 --name a", 0);
  ck_assert_int_eq(dlc_safetensors_read("runs/a/weights/last.safetensors", &file), DLC_OK);
  for (uint32_t i = 0; i < file.n; i++) {
    const dlc_tensor *t = &file.tensors[i];
    const float *x = t->data;
    const bool weight = strstr(t->name, "weight") != NULL;
    for (int64_t k = 0; weight && k < (int64_t)(dlc_tensor_bytes(t) / 4); k++)
      ck_assert_msg(x[k] == 0.25f, "%s[%lld] is %g", t->name, (long long)k, (double)x[k]);
    if (!weight) ck_assert_msg(x[0] != 0.25f && fabsf(x[0]) < 0.1f, "%s[0] is %g", t->name, (double)x[0]);
  }
  ck_assert_uint_ge(file.n, 4);
  dlc_safetensors_free(&file);
  ck_refuses(QUICK "--init zero", 2, "--init: no initialisation `zero`; did you mean `zeros`?");
}
END_TEST

/* As after bn.eval() in PyTorch: what the layer computes with stays, its weights are trained. */
START_TEST(batch_norm_in_evaluation_mode_keeps_its_statistics)
{
  dlc_tensor_file file;
  write_text("bn.yaml", "layers: [batch_norm2d: {name: a}, relu, batch_norm2d: {name: b}, flatten, linear: classes]\n");
  ck_runs(QUICK "--model bn.yaml --eval-mode a --name x", 0);
  ck_assert_int_eq(dlc_safetensors_read("runs/x/weights/last.safetensors", &file), DLC_OK);
  const float *kept = dlc_tensor_find(&file, "a.running_mean")->data,
              *moved = dlc_tensor_find(&file, "b.running_mean")->data;
  const int64_t *none = dlc_tensor_find(&file, "a.num_batches_tracked")->data;
  const int64_t *two = dlc_tensor_find(&file, "b.num_batches_tracked")->data;
  const float *weight = dlc_tensor_find(&file, "a.weight")->data;
  ck_assert_float_eq(kept[0], 0);
  ck_assert_float_ne(moved[0], 0);
  ck_assert_int_eq(*none, 0);
  ck_assert_int_eq(*two, 2);
  ck_assert_float_ne(weight[0], 1);
  dlc_safetensors_free(&file);
  ck_refuses(QUICK "--eval-mode batch_norm --name y", 2,
             "--eval-mode: no layer is called 'batch_norm' or of that kind; `dlcore summary` shows them");
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("method");
  tcase_add_checked_fixture(tests, enter_folder, leave_folder);
  tcase_add_test(tests, every_optimizer_trains);
  tcase_add_test(tests, every_loss_trains);
  tcase_add_test(tests, everything_trains_in_float64);
  tcase_add_test(tests, what_a_loss_or_an_optimizer_has_not_is_refused);
  tcase_add_test(tests, one_cycle_gives_an_optimizer_a_momentum);
  tcase_add_test(tests, schedules_show_what_they_take);
  tcase_add_test(tests, initialisations_show_what_they_take);
  tcase_add_test(tests, class_weights_need_a_model_without_further_classes);
  tcase_add_test(tests, weights_begin_as_the_command_line_says);
  tcase_add_test(tests, batch_norm_in_evaluation_mode_keeps_its_statistics);
  return run_suite("method", tests);
}
