/* The small parts of the base: reasons, strings, arenas, names, log lines. */
#include "base/arena.h"
#include "base/log.h"
#include "base/names.h"
#include "base/status.h"
#include "base/str.h"
#include "suite.h"
#include <pthread.h>
#include <stdint.h>

/* ---- reasons ---- */

START_TEST(a_failure_keeps_its_code_and_reason)
{
  ck_assert_int_eq(dlc_fail(DLC_IO, "%s: line %d", "a.yaml", 3), DLC_IO);
  ck_assert_str_eq(dlc_reason(), "a.yaml: line 3");
}
END_TEST

START_TEST(a_reason_may_quote_the_one_before_it)
{
  dlc_fail(DLC_IO, "no such file");
  dlc_fail(DLC_INVALID, "b: %s", dlc_reason());
  ck_assert_str_eq(dlc_reason(), "b: no such file");
}
END_TEST

START_TEST(context_is_put_before_the_reason)
{
  dlc_fail(DLC_IO, "no such file");
  ck_assert_int_eq(dlc_fail_in(DLC_IO, "layer %d", 2), DLC_IO);
  ck_assert_str_eq(dlc_reason(), "layer 2: no such file");
}
END_TEST

START_TEST(a_reason_is_one_line_without_control_characters)
{
  dlc_fail(DLC_IO, "one\ntwo\r");
  ck_assert_str_eq(dlc_reason(), "one two ");
  dlc_fail(DLC_IO, "no \x1b[31m%s\x7f", "file");
  ck_assert_str_eq(dlc_reason(), "no  [31mfile ");
}
END_TEST

START_TEST(a_long_reason_is_cut_and_says_so)
{
  char text[5000];
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  dlc_fail(DLC_IO, "%s", text);
  ck_assert_uint_eq(strlen(dlc_reason()), 2047);
  ck_assert_str_eq(dlc_reason() + 2043, "x...");
  dlc_fail_in(DLC_IO, "%s", text);
  ck_assert_str_eq(dlc_reason() + 2043, "x...");
}
END_TEST

static void *fail_elsewhere(void *arg)
{
  (void)arg;
  dlc_fail(DLC_IO, "of another thread");
  return NULL;
}

START_TEST(each_thread_has_its_own_reason)
{
  pthread_t thread;
  dlc_fail(DLC_IO, "mine");
  ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
  pthread_join(thread, NULL);
  ck_assert_str_eq(dlc_reason(), "mine");
}
END_TEST

/* ---- strings ---- */

START_TEST(an_empty_string_reads_as_empty_text)
{
  dlc_str s = {0};
  ck_assert_str_eq(dlc_str_get(&s), "");
  ck_assert(dlc_str_ok(&s));
}
END_TEST

START_TEST(a_string_grows_by_text_bytes_and_format)
{
  dlc_str s = {0};
  for (int i = 0; i < 1000; i++) {
    dlc_str_add(&s, "ab");
    dlc_str_addn(&s, "cdef", 1);
    dlc_str_addf(&s, "%03d", i);
  }
  ck_assert_uint_eq(s.length, 6000);
  ck_assert_str_eq(dlc_str_get(&s) + 5994, "abc999");
  dlc_str_clear(&s);
  ck_assert_str_eq(dlc_str_get(&s), "");
  dlc_str_free(&s);
}
END_TEST

START_TEST(an_allocation_that_fails_is_remembered)
{
  dlc_str s = {0};
  dlc_str_addn(&s, "", SIZE_MAX / 2 + 1);
  dlc_str_add(&s, "lost");
  ck_assert(!dlc_str_ok(&s));
  ck_assert_str_eq(dlc_str_get(&s), "");
}
END_TEST

/* ---- arenas ---- */

START_TEST(an_arena_gives_zeroed_aligned_memory_of_any_size)
{
  dlc_arena a = {0};
  for (size_t n = 0; n < 60000; n = n * 2 + 1) {
    unsigned char *p = dlc_arena_alloc(&a, n);
    ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
    for (size_t i = 0; i < n; i++) ck_assert_uint_eq(p[i], 0);
    if (n) memset(p, 0xff, n);
  }
  dlc_arena_free(&a);
}
END_TEST

START_TEST(an_arena_copies_text)
{
  dlc_arena a = {0};
  char text[] = "conv1";
  char *copy = dlc_arena_strdup(&a, text);
  text[0] = 'C';
  ck_assert_str_eq(copy, "conv1");
  ck_assert_str_eq(dlc_arena_printf(&a, "%s.%s", copy, "weight"), "conv1.weight");
  dlc_arena_free(&a);
}
END_TEST

START_TEST(memory_that_cannot_exist_is_null)
{
  dlc_arena a = {0};
  ck_assert_ptr_null(dlc_arena_alloc(&a, SIZE_MAX - 3));
  ck_assert_ptr_null(dlc_alloc_tensor(SIZE_MAX - 3));
  dlc_arena_free(&a);
}
END_TEST

START_TEST(tensor_memory_is_zeroed_and_on_cache_lines)
{
  for (size_t n = 0; n < 1000; n += 37) {
    unsigned char *p = dlc_alloc_tensor(n);
    ck_assert_uint_eq((uintptr_t)p % 64, 0);
    for (size_t i = 0; i < n; i++) ck_assert_uint_eq(p[i], 0);
    free(p);
  }
}
END_TEST

/* ---- names ---- */

static const char *const names[] = {"mnist", "fashion-mnist", "idx", "shapes", "max_pool2d"};
static const struct near_case {
  const char *given;
  int nearest;
} near_cases[] = {{"mnist", 0},         {"mnsit", 0},        {"minst", 0}, {"MNIST", 0},
                  {"fashion_mnist", 1}, {"fasion-mnist", 1}, {"shape", 3}, {"maxpool2d", 4},
                  {"ids", 2},           {"imagenet", -1},    {"", -1},     {"x", -1},
                  {"cifar10", -1}};

START_TEST(the_nearest_name_is_what_was_probably_meant)
{
  const struct near_case *c = &near_cases[_i];
  int nearest = dlc_nearest(c->given, names, sizeof names / sizeof names[0]);
  ck_assert_msg(nearest == c->nearest, "'%s': %d, expected %d", c->given, nearest, c->nearest);
}
END_TEST

START_TEST(a_name_of_any_length_can_be_asked_for)
{
  char given[5000];
  memset(given, 'x', sizeof given);
  given[sizeof given - 1] = '\0';
  const char *const long_names[] = {given, "mnist"};
  ck_assert_int_eq(dlc_nearest(given, long_names, 2), -1);
  ck_assert_int_eq(dlc_nearest("mnist", long_names, 2), 1);
}
END_TEST

START_TEST(dash_and_underscore_are_one_in_names)
{
  ck_assert(dlc_name_equal("batch_size", "batch-size"));
  ck_assert(!dlc_name_equal("batch", "batch-size"));
  ck_assert(!dlc_name_equal("batch-size", "batch"));
  ck_assert(!dlc_name_equal("Batch", "batch"));
}
END_TEST

/* ---- log lines ---- */

static void keep_line(void *ctx, int level, const char *text)
{
  snprintf(ctx, 100, "%d %s", level, text);
}

START_TEST(lines_below_the_level_are_dropped)
{
  char line[100] = "";
  dlc_sink sink = {.level = DLC_LOG_WARN, .line = keep_line, .ctx = line};
  dlc_say(&sink, DLC_LOG_INFO, "quiet");
  ck_assert_str_eq(line, "");
  dlc_say(&sink, DLC_LOG_WARN, "%d of %d", 1, 2);
  ck_assert_str_eq(line, "2 1 of 2");
  dlc_say(NULL, DLC_LOG_ERROR, "to nobody");
  ck_assert_str_eq(line, "2 1 of 2");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("base");
  tcase_add_test(t, a_failure_keeps_its_code_and_reason);
  tcase_add_test(t, a_reason_may_quote_the_one_before_it);
  tcase_add_test(t, context_is_put_before_the_reason);
  tcase_add_test(t, a_reason_is_one_line_without_control_characters);
  tcase_add_test(t, a_long_reason_is_cut_and_says_so);
  tcase_add_test(t, each_thread_has_its_own_reason);
  tcase_add_test(t, an_empty_string_reads_as_empty_text);
  tcase_add_test(t, a_string_grows_by_text_bytes_and_format);
  tcase_add_test(t, an_allocation_that_fails_is_remembered);
  tcase_add_test(t, an_arena_gives_zeroed_aligned_memory_of_any_size);
  tcase_add_test(t, an_arena_copies_text);
  tcase_add_test(t, memory_that_cannot_exist_is_null);
  tcase_add_test(t, tensor_memory_is_zeroed_and_on_cache_lines);
  tcase_add_loop_test(t, the_nearest_name_is_what_was_probably_meant, 0,
                      (int)(sizeof near_cases / sizeof near_cases[0]));
  tcase_add_test(t, a_name_of_any_length_can_be_asked_for);
  tcase_add_test(t, dash_and_underscore_are_one_in_names);
  tcase_add_test(t, lines_below_the_level_are_dropped);
  return run_suite("base", t);
}
