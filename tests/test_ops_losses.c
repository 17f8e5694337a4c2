/* The rules of the losses, and what PyTorch's vectors cannot hold: numbers that are none. */
#include "infer.h"

START_TEST(a_loss_is_one_number)
{
  static const char *const losses[] = {"cross_entropy", "nll_loss", "mse_loss", "bce_with_logits"};
  dlc_cross_entropy attr = {0};
  for (int i = 0; i < 4; i++) {
    const inferred r = INFER(losses[i], &attr, F32(64, 10), VALUE(DLC_I32, 64));
    check_shape(&r, 0, DLC_F32, DIMS(1));
    ck_assert_uint_eq(r.n_out, i == 0 ? 2 : 1);
  }
}
END_TEST

START_TEST(log_prob_of_cross_entropy_is_like_the_logits)
{
  dlc_cross_entropy attr = {0};
  const inferred r = INFER("cross_entropy", &attr, F32(64, 10), VALUE(DLC_I32, 64));
  check_shape(&r, 1, DLC_F32, DIMS(64, 10));
}
END_TEST

START_TEST(the_gradient_of_a_loss_is_like_its_first_input)
{
  static const char *const grads[] = {"cross_entropy_grad", "mse_loss_grad", "bce_with_logits_grad"};
  dlc_cross_entropy attr = {0};
  dlc_nll_loss_grad classes = {10};
  for (int i = 0; i < 3; i++) {
    const inferred r = INFER(grads[i], &attr, F32(1), F32(64, 10), VALUE(DLC_I32, 64));
    check_shape(&r, 0, DLC_F32, DIMS(64, 10));
    check_refused(INFER(grads[i], &attr, F32(2), F32(64, 10), VALUE(DLC_I32, 64)), "dloss is [2], expected [1]");
  }
  const inferred r = INFER("nll_loss_grad", &classes, F32(1), VALUE(DLC_I32, 64));
  check_shape(&r, 0, DLC_F32, DIMS(64, 10));
}
END_TEST

START_TEST(labels_are_whole_numbers_one_a_row)
{
  static const struct {
    const char *op, *first;
  } ops[] = {{"cross_entropy", "logits"},
             {"nll_loss", "log_prob"},
             {"mse_loss", "output"},
             {"bce_with_logits", "logits"},
             {"correct", "logits"}};
  dlc_cross_entropy attr = {0};
  char reason[100];
  for (int i = 0; i < 5; i++) {
    check_refused(INFER(ops[i].op, &attr, F32(64, 10), VALUE(DLC_I64, 64)), "labels is i64, expected i32");
    check_refused(INFER(ops[i].op, &attr, F32(64, 10), VALUE(DLC_I32, 63)), "labels is [63], expected [64]");
    snprintf(reason, sizeof reason, "%s is [64, 10, 1], expected [batch, classes]", ops[i].first);
    check_refused(INFER(ops[i].op, &attr, F32(64, 10, 1), VALUE(DLC_I32, 64)), reason);
  }
}
END_TEST

START_TEST(losses_refuse_a_label_beyond_the_classes)
{
  static const char *const losses[] = {"cross_entropy", "nll_loss", "mse_loss", "bce_with_logits"};
  const dlc_value v[2] = {F32(2, 3), VALUE(DLC_I32, 2)};
  const double x[6] = {0}, beyond[2] = {2, 3}, negative[2] = {-1, 0};
  dlc_cross_entropy attr = {0};
  double loss, log_prob[6], *out[2] = {&loss, log_prob};
  for (int i = 0; i < 4; i++) {
    const inferred r = infer(losses[i], &attr, v, 2);
    ck_assert_int_eq(call(losses[i], &attr, &r, v, (const double *[]){x, beyond}, 2, out), DLC_INVALID);
    ck_assert_str_eq(dlc_reason(), "label 3 of row 1 is not in [0, 3)");
    ck_assert_int_eq(call(losses[i], &attr, &r, v, (const double *[]){x, negative}, 2, out), DLC_INVALID);
    ck_assert_str_eq(dlc_reason(), "label -1 of row 0 is not in [0, 3)");
  }
}
END_TEST

START_TEST(label_smoothing_is_a_share)
{
  dlc_cross_entropy negative = {-0.1}, all = {1}, beyond = {1.5}, none = {NAN};
  const dlc_value logits = F32(4, 3), labels = VALUE(DLC_I32, 4);
  check_refused(INFER("cross_entropy", &negative, logits, labels), "label_smoothing is -0.1, expected 0 to 1");
  check_refused(INFER("cross_entropy", &beyond, logits, labels), "label_smoothing is 1.5, expected 0 to 1");
  ck_assert_int_eq(INFER("cross_entropy", &all, logits, labels).status, DLC_OK);
  check_refused(INFER("cross_entropy", &none, logits, labels), "label_smoothing is nan, expected 0 to 1");
}
END_TEST

START_TEST(class_weights_are_one_a_class_and_not_for_every_loss)
{
  dlc_cross_entropy attr = {0};
  const dlc_value x = F32(4, 3), labels = VALUE(DLC_I32, 4);
  ck_assert_int_eq(INFER("cross_entropy", &attr, x, labels, F32(3)).status, DLC_OK);
  ck_assert_int_eq(INFER("nll_loss", NULL, x, labels, F32(3)).status, DLC_OK);
  check_refused(INFER("cross_entropy", &attr, x, labels, F32(4)), "class weights is [4], expected [3]");
  check_refused(INFER("nll_loss", NULL, x, labels, VALUE(DLC_I32, 3)), "class weights is i32, expected f32");
  check_refused(INFER("mse_loss", NULL, x, labels, F32(3)), "3 inputs came, expected 2");
  check_refused(INFER("bce_with_logits", NULL, x, labels, F32(3)), "3 inputs came, expected 2");
}
END_TEST

START_TEST(class_weights_of_zero_give_no_number_as_pytorch)
{
  static const char *const losses[] = {"cross_entropy", "nll_loss"};
  const dlc_value v[3] = {F32(2, 3), VALUE(DLC_I32, 2), F32(3)};
  const double x[6] = {0}, labels[2] = {0, 2}, weights[3] = {0, 1, 0}, *in[3] = {x, labels, weights};
  dlc_cross_entropy attr = {0};
  for (int i = 0; i < 2; i++) {
    double loss = 1, log_prob[6];
    const inferred r = infer(losses[i], &attr, v, 3);
    ck_assert_int_eq(call(losses[i], &attr, &r, v, in, 3, (double *[]){&loss, log_prob}), DLC_OK);
    ck_assert_double_nan(loss);
  }
}
END_TEST

/* Where the labels' classes have no weight at all, neither has a logarithm that is infinite. */
START_TEST(cross_entropy_without_smoothing_looks_at_the_labels_alone)
{
  const dlc_value v[3] = {F32(1, 2), VALUE(DLC_I32, 1), F32(2)};
  const double x[2] = {0, -INFINITY}, labels[1] = {0}, weights[2] = {1, 0}, *in[3] = {x, labels, weights};
  dlc_cross_entropy attr = {0};
  double loss = 1, log_prob[2];
  const inferred r = infer("cross_entropy", &attr, v, 3);
  ck_assert_int_eq(call("cross_entropy", &attr, &r, v, in, 3, (double *[]){&loss, log_prob}), DLC_OK);
  ck_assert_double_eq(loss, 0);
}
END_TEST

START_TEST(losses_of_no_number_are_no_number)
{
  static const char *const losses[] = {"cross_entropy", "nll_loss", "mse_loss", "bce_with_logits"};
  const dlc_value v[2] = {F32(1, 2), VALUE(DLC_I32, 1)};
  const double x[2] = {NAN, NAN}, labels[1] = {0}, *in[2] = {x, labels};
  dlc_cross_entropy attr = {0};
  for (int i = 0; i < 4; i++) {
    double loss = 1, log_prob[2];
    const inferred r = infer(losses[i], &attr, v, 2);
    ck_assert_int_eq(call(losses[i], &attr, &r, v, in, 2, (double *[]){&loss, log_prob}), DLC_OK);
    ck_assert_double_nan(loss);
  }
}
END_TEST

START_TEST(log_prob_is_not_to_be_differentiated)
{
  const dlc_op_finder finder = core_op_finder();
  const dlc_reshape one_row = {2, {1, 6}};
  const dlc_linear one_feature = {1, 0};
  dlc_graph_build *g;
  uint32_t in[2], weights, out[DLC_MAX_OUT], grad;
  ck_assert_int_eq(dlc_graph_new(&finder, &g), DLC_OK);
  ck_assert_int_eq(dlc_graph_value(g, "logits", DLC_ROLE_INPUT, DLC_F32, DIMS(2, 3), &in[0]), DLC_OK);
  ck_assert_int_eq(dlc_graph_value(g, "labels", DLC_ROLE_INPUT, DLC_I32, DIMS(2), &in[1]), DLC_OK);
  ck_assert_int_eq(dlc_graph_value(g, "weights", DLC_ROLE_INPUT, DLC_F32, DIMS(1, 6), &weights), DLC_OK);
  ck_assert_int_eq(dlc_graph_emit(g, "loss", "cross_entropy", &(dlc_cross_entropy){0}, in, 2, out), DLC_OK);
  ck_assert_int_eq(dlc_graph_emit(g, "row", "reshape", &one_row, &out[1], 1, out), DLC_OK);
  ck_assert_int_eq(dlc_graph_emit(g, "sum", "linear", &one_feature, (uint32_t[]){out[0], weights}, 2, out), DLC_OK);
  ck_assert_int_eq(dlc_graph_emit(g, "sum", "reshape", &(dlc_reshape){1, {1}}, (uint32_t[]){out[0]}, 1, out), DLC_OK);
  ck_assert_int_eq(dlc_graph_differentiate(g, out[0], in, 1, &grad), DLC_UNSUPPORTED);
  ck_assert_msg(strstr(dlc_reason(), "log_prob of cross_entropy has no gradient: take log_softmax") != NULL, "%s",
                dlc_reason());
  dlc_graph_free(g);
}
END_TEST

START_TEST(lerp_mixes_two_numbers)
{
  check_refused(INFER("lerp", NULL, F32(2), F32(2), F32(1)), "a is [2], expected [1]");
  check_refused(INFER("lerp", NULL, F32(1), VALUE(DLC_F64, 1), F32(1)), "b is f64, expected f32");
  check_refused(INFER("lerp", NULL, F32(1), F32(1), F32(2)), "weight is [2], expected [1]");
}
END_TEST

START_TEST(mix_needs_pictures_a_share_and_a_box)
{
  const dlc_value x = F32(4, 3, 8, 8), box = VALUE(DLC_I64, 4);
  const inferred r = INFER("mix", NULL, x, F32(1), box);
  check_shape(&r, 0, DLC_F32, DIMS(4, 3, 8, 8));
  check_refused(INFER("mix", NULL, F32(4, 3), F32(1), box),
                "input is [4, 3], expected [batch, channels, height, width]");
  check_refused(INFER("mix", NULL, x, F32(2), box), "share is [2], expected [1]");
  check_refused(INFER("mix", NULL, x, F32(1), F32(4)), "box is f32, expected i64");
  check_refused(INFER("roll", NULL, F32(4)), "labels is f32, expected i32");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("rules");
  tcase_add_test(t, a_loss_is_one_number);
  tcase_add_test(t, log_prob_of_cross_entropy_is_like_the_logits);
  tcase_add_test(t, the_gradient_of_a_loss_is_like_its_first_input);
  tcase_add_test(t, labels_are_whole_numbers_one_a_row);
  tcase_add_test(t, losses_refuse_a_label_beyond_the_classes);
  tcase_add_test(t, label_smoothing_is_a_share);
  tcase_add_test(t, class_weights_are_one_a_class_and_not_for_every_loss);
  tcase_add_test(t, class_weights_of_zero_give_no_number_as_pytorch);
  tcase_add_test(t, cross_entropy_without_smoothing_looks_at_the_labels_alone);
  tcase_add_test(t, losses_of_no_number_are_no_number);
  tcase_add_test(t, log_prob_is_not_to_be_differentiated);
  tcase_add_test(t, lerp_mixes_two_numbers);
  tcase_add_test(t, mix_needs_pictures_a_share_and_a_box);
  return run_suite("losses", t);
}
