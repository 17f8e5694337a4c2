/* "steps=10,name=x" against a table of options. */
#include "base/status.h"
#include "host/host.h"
#include "suite.h"

#define OPTION(type, ...)                                                                                              \
  {                                                                                                                    \
    sizeof(dlc_option), DLC_OPTION_##type, __VA_ARGS__                                                                 \
  }
enum { STEPS, RATE, ECHO, MODE, FILE_NAME, OFFSET, N_OPTIONS };
static const dlc_option table[N_OPTIONS] = {
    OPTION(INT, "steps", "10", "1..64", "rows"),         OPTION(FLOAT, "rate", "0.5", "0..1", "share"),
    OPTION(BOOL, "echo", "off", NULL, "say it"),         OPTION(STRING, "mode", "fast", "fast|exact", "how"),
    OPTION(STRING, "file-name", NULL, NULL, "where to"), OPTION(INT, "offset", "0", "..9", "where from"),
};

static dlc_option_value *values;

static void setup(void)
{
  values = NULL;
}

static void teardown(void)
{
  free(values);
}

static void read_options(const char *text)
{
  ck_assert_msg(dlc_options_read("csv", table, N_OPTIONS, text, &values) == DLC_OK, "%s", dlc_reason());
}

START_TEST(without_text_every_option_has_its_default)
{
  read_options(_i ? "" : NULL);
  ck_assert_int_eq(values[STEPS].i, 10);
  ck_assert_double_eq(values[RATE].f, 0.5);
  ck_assert_int_eq(values[ECHO].i, 0);
  ck_assert_str_eq(values[MODE].s, "fast");
  ck_assert_ptr_null(values[FILE_NAME].s);
}
END_TEST

START_TEST(given_options_replace_defaults)
{
  char text[] = "steps=64,rate=1e-2,echo=on,mode=exact,file-name=/a/b=c,offset=-5";
  read_options(text);
  memset(text, 'x', sizeof text - 1); /* the values must not point into it */
  ck_assert_int_eq(values[STEPS].i, 64);
  ck_assert_double_eq(values[RATE].f, 0.01);
  ck_assert_int_eq(values[ECHO].i, 1);
  ck_assert_str_eq(values[MODE].s, "exact");
  ck_assert_str_eq(values[FILE_NAME].s, "/a/b=c");
  ck_assert_int_eq(values[OFFSET].i, -5);
}
END_TEST

START_TEST(an_empty_string_is_a_value)
{
  read_options("file_name=");
  ck_assert_str_eq(values[FILE_NAME].s, "");
}
END_TEST

static const struct word {
  const char *text;
  int64_t value;
} words[] = {{"echo=true", 1},  {"echo=on", 1},  {"echo=yes", 1}, {"echo=1", 1}, {"echo=True", 1},
             {"echo=false", 0}, {"echo=off", 0}, {"echo=no", 0},  {"echo=0", 0}};

START_TEST(a_switch_has_many_words)
{
  read_options(words[_i].text);
  ck_assert_msg(values[ECHO].i == words[_i].value, "%s", words[_i].text);
}
END_TEST

static const struct wrong {
  const char *text, *reason;
} wrong[] = {
    {"stpes=3", "csv has no option 'stpes'; did you mean 'steps'?"},
    {"colour=red", "csv has no option 'colour'; it has steps, rate, echo, mode, file-name, offset"},
    {"steps=ten", "csv: option steps is 'ten', expected a whole number"},
    {"steps=", "csv: option steps is '', expected a whole number"},
    {"steps=3.5", "csv: option steps is '3.5', expected a whole number"},
    {"steps=99999999999999999999", "csv: option steps is '99999999999999999999', expected a whole number"},
    {"steps=0", "csv: option steps is '0', expected 1..64"},
    {"steps=65", "csv: option steps is '65', expected 1..64"},
    {"offset=10", "csv: option offset is '10', expected ..9"},
    {"rate=much", "csv: option rate is 'much', expected a number"},
    {"rate=nan", "csv: option rate is 'nan', expected a number"},
    {"rate=inf", "csv: option rate is 'inf', expected a number"},
    {"rate=1.01", "csv: option rate is '1.01', expected 0..1"},
    {"echo=maybe", "csv: option echo is 'maybe', expected true or false"},
    {"mode=slow", "csv: option mode is 'slow', expected fast|exact"},
    {"mode=fas", "csv: option mode is 'fas', expected fast|exact"},
    {"mode=", "csv: option mode is '', expected fast|exact"},
    {"steps", "csv: cannot read the option 'steps', expected NAME=VALUE"},
    {"=3", "csv: cannot read the option '=3', expected NAME=VALUE"},
    {"steps=3,", "csv: cannot read the option '', expected NAME=VALUE"},
    {"steps=3,steps=4", "csv: option steps is given twice"},
};

START_TEST(what_is_wrong_is_named)
{
  ck_assert_int_eq(dlc_options_read("csv", table, N_OPTIONS, wrong[_i].text, &values), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), wrong[_i].reason);
  ck_assert_ptr_null(values);
}
END_TEST

START_TEST(a_table_may_be_empty)
{
  ck_assert_int_eq(dlc_options_read("idx", NULL, 0, NULL, &values), DLC_OK);
  free(values);
  values = NULL;
  ck_assert_int_eq(dlc_options_read("idx", NULL, 0, "a=1", &values), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "idx has no option 'a'; it has none at all");
}
END_TEST

/* As built with a later SDK, whose struct is longer. */
START_TEST(a_table_is_walked_by_the_size_of_its_first_entry)
{
  static const struct longer {
    dlc_option option;
    const char *future;
  } longer[2] = {{{sizeof longer[0], DLC_OPTION_INT, "a", "1", NULL, "first"}, "x"},
                 {{sizeof longer[0], DLC_OPTION_INT, "b", "2", NULL, "second"}, "y"}};
  ck_assert_int_eq(dlc_options_read("new", &longer[0].option, 2, "b=7", &values), DLC_OK);
  ck_assert_int_eq(values[0].i, 1);
  ck_assert_int_eq(values[1].i, 7);
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("options");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_loop_test(t, without_text_every_option_has_its_default, 0, 2);
  tcase_add_test(t, given_options_replace_defaults);
  tcase_add_test(t, an_empty_string_is_a_value);
  tcase_add_loop_test(t, a_switch_has_many_words, 0, (int)(sizeof words / sizeof words[0]));
  tcase_add_loop_test(t, what_is_wrong_is_named, 0, (int)(sizeof wrong / sizeof wrong[0]));
  tcase_add_test(t, a_table_may_be_empty);
  tcase_add_test(t, a_table_is_walked_by_the_size_of_its_first_entry);
  return run_suite("options", t);
}
