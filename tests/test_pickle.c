/* The restricted pickle reader of the cifar plugin: what each accepted opcode does, and that everything else is refused
 * by name and offset. Byte strings below are pickles as Python 2 writes them. */
#include "../plugins/cifar/pickle.h"
#include "suite.h"

static pickle p;

/* A buffer that grows, for pickles that are too long to spell out. */
typedef struct text {
  uint8_t *at;
  size_t n, room;
} text;

static void add(text *t, const char *bytes, size_t n)
{
  if (t->n + n > t->room) {
    t->room = 2 * (t->n + n);
    t->at = realloc(t->at, t->room);
    ck_assert_ptr_nonnull(t->at);
  }
  memcpy(t->at + t->n, bytes, n);
  t->n += n;
}
#define ADD(t, literal) add(t, literal, sizeof(literal) - 1)

static void add_times(text *t, const char *bytes, size_t n, int times)
{
  for (int i = 0; i < times; i++) add(t, bytes, n);
}

static dlc_status read_bytes(const void *bytes, size_t n)
{
  /* A copy of exactly this size, so that a sanitizer sees a byte read past the end. */
  uint8_t *copy = malloc(n ? n : 1);
  ck_assert_ptr_nonnull(copy);
  memcpy(copy, bytes, n);
  dlc_status status = pickle_read(&p, copy, n);
  pickle_free(&p);
  free(copy);
  return status;
}

static void must_read(const void *bytes, size_t n)
{
  dlc_status status = pickle_read(&p, bytes, n);
  ck_assert_msg(status == DLC_OK, "%d: %s", status, p.why);
}
#define READ(literal) must_read(literal, sizeof(literal) - 1)

static void must_refuse(const void *bytes, size_t n, const char *why)
{
  ck_assert_int_eq(read_bytes(bytes, n), DLC_INVALID);
  ck_assert_str_eq(p.why, why);
}
#define REFUSE(literal, why) must_refuse(literal, sizeof(literal) - 1, why)

/* Refuses text and gives it back. */
static void refuse_text(text *t, const char *why)
{
  must_refuse(t->at, t->n, why);
  free(t->at);
}

static const pickle_value *element(const pickle_value *v, uint32_t i)
{
  ck_assert_uint_lt(i, v->as.object->elements.n);
  return &v->as.object->elements.at[i];
}

static uint32_t count(const pickle_value *v)
{
  return v->as.object->elements.n;
}

/* ---- values ---- */

static const struct {
  const char *bytes;
  size_t n;
  int64_t number;
} integers[] = {{"\x80\2K\xff.", 5, 255},
                {"\x80\2M\x10\x27.", 6, 10000},
                {"\x80\2M\xff\xff.", 6, 65535},
                {"\x80\2J\xff\xff\xff\xff.", 8, -1},
                {"\x80\2J\x00\x00\x00\x80.", 8, INT32_MIN},
                {"\x80\2J\xff\xff\xff\x7f.", 8, INT32_MAX},
                {"\x80\2\x8a\x00.", 5, 0},
                {"\x80\2\x8a\x01\xff.", 6, -1},
                {"\x80\2\x8a\x02\xff\x00.", 7, 255},
                {"\x80\2\x8a\x05\x00\x00\x00\x00\x80.", 10, -((int64_t)1 << 39)},
                {"\x80\2\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.", 13, INT64_MAX},
                {"\x80\2\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.", 13, INT64_MIN},
                {"K\x07.", 3, 7}};

START_TEST(integers_of_every_width)
{
  must_read(integers[_i].bytes, integers[_i].n);
  ck_assert_uint_eq(p.root.type, PICKLE_INT);
  ck_assert_int_eq(p.root.as.number, integers[_i].number);
  pickle_free(&p);
}
END_TEST

START_TEST(none_and_truth_values)
{
  READ("\x80\2N.");
  ck_assert_uint_eq(p.root.type, PICKLE_NONE);
  READ("\x80\2\x88.");
  ck_assert_uint_eq(p.root.type, PICKLE_BOOL);
  ck_assert_int_eq(p.root.as.number, 1);
  READ("\x80\2\x89.");
  ck_assert_uint_eq(p.root.type, PICKLE_BOOL);
  ck_assert_int_eq(p.root.as.number, 0);
}
END_TEST

START_TEST(strings_stay_where_they_lie)
{
  static const char short_string[] = "\x80\2U\3abc.", string[] = "\x80\2T\3\0\0\0abc.", unicode[] = "X\3\0\0\0abc.";
  READ(short_string);
  ck_assert_uint_eq(p.root.type, PICKLE_BYTES);
  ck_assert_uint_eq(p.root.n, 3);
  ck_assert_ptr_eq(p.root.as.bytes, short_string + 4);
  READ(string);
  ck_assert_uint_eq(p.root.type, PICKLE_BYTES);
  ck_assert_ptr_eq(p.root.as.bytes, string + 7);
  READ(unicode);
  ck_assert_uint_eq(p.root.type, PICKLE_TEXT);
  ck_assert_ptr_eq(p.root.as.bytes, unicode + 5);
  READ("U\0.");
  ck_assert_uint_eq(p.root.n, 0);
}
END_TEST

START_TEST(tuples_of_every_kind)
{
  READ(").");
  ck_assert_uint_eq(p.root.type, PICKLE_TUPLE);
  ck_assert_uint_eq(count(&p.root), 0);
  pickle_free(&p);
  READ("K\1\x85.");
  ck_assert_uint_eq(count(&p.root), 1);
  pickle_free(&p);
  READ("K\1K\2\x86.");
  ck_assert_uint_eq(count(&p.root), 2);
  ck_assert_int_eq(element(&p.root, 0)->as.number, 1);
  ck_assert_int_eq(element(&p.root, 1)->as.number, 2);
  pickle_free(&p);
  READ("K\1K\2K\3\x87.");
  ck_assert_uint_eq(count(&p.root), 3);
  ck_assert_int_eq(element(&p.root, 2)->as.number, 3);
  pickle_free(&p);
  READ("(K\1K\2K\3K\4t.");
  ck_assert_uint_eq(count(&p.root), 4);
  ck_assert_int_eq(element(&p.root, 0)->as.number, 1);
  ck_assert_int_eq(element(&p.root, 3)->as.number, 4);
  pickle_free(&p);
  READ("(t.");
  ck_assert_uint_eq(count(&p.root), 0);
  pickle_free(&p);
}
END_TEST

START_TEST(lists_grow_by_one_and_by_many)
{
  READ("\x80\2]q\1(K\1K\2eK\3a(K\4e(e.");
  ck_assert_uint_eq(p.root.type, PICKLE_LIST);
  ck_assert_uint_eq(count(&p.root), 4);
  for (uint32_t i = 0; i < 4; i++) ck_assert_int_eq(element(&p.root, i)->as.number, i + 1);
  pickle_free(&p);
}
END_TEST

START_TEST(dictionaries_are_looked_up_by_string)
{
  READ("}U\1aK\1s(U\1bK\2X\1\0\0\0cK\3U\1aK\4u.");
  ck_assert_uint_eq(p.root.type, PICKLE_DICT);
  ck_assert_int_eq(pickle_get(&p.root, "b")->as.number, 2);
  ck_assert_int_eq(pickle_get(&p.root, "c")->as.number, 3);
  ck_assert_ptr_null(pickle_get(&p.root, "d"));
  ck_assert_ptr_null(pickle_get(&p.root, "ab"));
  /* As in Python, the last one counts. */
  ck_assert_int_eq(pickle_get(&p.root, "a")->as.number, 4);
  pickle_free(&p);
}
END_TEST

START_TEST(the_memo_gives_back_the_same_object)
{
  READ("\x80\2(]q\0h\0r\x2c\1\0\0j\x2c\1\0\0K\7at.");
  ck_assert_uint_eq(count(&p.root), 3);
  const pickle_object *list = element(&p.root, 0)->as.object;
  ck_assert_ptr_eq(element(&p.root, 1)->as.object, list);
  ck_assert_ptr_eq(element(&p.root, 2)->as.object, list);
  ck_assert_uint_eq(list->elements.n, 1);
  pickle_free(&p);
}
END_TEST

START_TEST(a_list_may_hold_itself)
{
  READ("]q\0h\0a.");
  ck_assert_ptr_eq(element(&p.root, 0)->as.object, p.root.as.object);
  pickle_free(&p);
}
END_TEST

/* ---- numpy ---- */

#define RECONSTRUCT "cnumpy.core.multiarray\n_reconstruct\n"
#define BLANK       RECONSTRUCT "cnumpy\nndarray\nK\0\x85U\1b\x87R"
#define DTYPE       "cnumpy\ndtype\nU\2u1K\0K\1\x87R"
#define DTYPE_STATE "(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
#define ARRAY       BLANK "(K\1K\2K\3\x86" DTYPE DTYPE_STATE "\x89T\6\0\0\0abcdeftb"

START_TEST(an_array_becomes_a_record)
{
  READ("\x80\2" ARRAY ".");
  ck_assert_uint_eq(p.root.type, PICKLE_ARRAY);
  const pickle_object *array = p.root.as.object;
  ck_assert_uint_eq(count(&array->shape), 2);
  ck_assert_int_eq(element(&array->shape, 0)->as.number, 2);
  ck_assert_int_eq(element(&array->shape, 1)->as.number, 3);
  ck_assert_uint_eq(array->dtype.n, 2);
  ck_assert_mem_eq(array->dtype.as.bytes, "u1", 2);
  ck_assert_int_eq(array->fortran.as.number, 0);
  ck_assert_uint_eq(array->data.n, 6);
  ck_assert_mem_eq(array->data.as.bytes, "abcdef", 6);
  pickle_free(&p);
}
END_TEST

START_TEST(numpy_under_its_newer_name_is_the_same)
{
  READ("\x80\2cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R.");
  ck_assert_uint_eq(p.root.type, PICKLE_ARRAY);
  ck_assert_uint_eq(p.root.as.object->shape.type, PICKLE_UNSET);
  pickle_free(&p);
}
END_TEST

START_TEST(an_array_in_the_memo_gets_its_state_everywhere)
{
  READ("\x80\2(" BLANK "q\1(K\1K\6\x85" DTYPE DTYPE_STATE "\x89U\6abcdeftbh\1t.");
  ck_assert_ptr_eq(element(&p.root, 0)->as.object, element(&p.root, 1)->as.object);
  ck_assert_uint_eq(element(&p.root, 1)->as.object->data.n, 6);
  pickle_free(&p);
}
END_TEST

#define REDUCE_HINT "only _reconstruct(ndarray, (0,), 'b') and dtype(NAME, 0, 1) of numpy are accepted"

START_TEST(other_calls_are_refused)
{
  /* dtype with other arguments, and called upside down */
  REFUSE("cnumpy\ndtype\nU\2u1K\1K\1\x87R.", "REDUCE at offset 22: " REDUCE_HINT);
  REFUSE("cnumpy\ndtype\nU\2u1K\0K\0\x87R.", "REDUCE at offset 22: " REDUCE_HINT);
  REFUSE("cnumpy\ndtype\nK\1K\0K\1\x87R.", "REDUCE at offset 20: " REDUCE_HINT);
  REFUSE("cnumpy\ndtype\nU\2u1K\0\x88\x87R.", "REDUCE at offset 21: " REDUCE_HINT);
  /* ndarray is no function here */
  REFUSE("cnumpy\nndarray\nU\2u1K\0K\1\x87R.", "REDUCE at offset 24: " REDUCE_HINT);
  /* _reconstruct of something else, of another shape, of another type */
  REFUSE(RECONSTRUCT "cnumpy\ndtype\nK\0\x85U\1b\x87R.", "REDUCE at offset 56: " REDUCE_HINT);
  REFUSE(RECONSTRUCT "cnumpy\nndarray\nK\1\x85U\1b\x87R.", "REDUCE at offset 58: " REDUCE_HINT);
  REFUSE(RECONSTRUCT "cnumpy\nndarray\nK\0K\0\x86U\1b\x87R.", "REDUCE at offset 60: " REDUCE_HINT);
  REFUSE(RECONSTRUCT "cnumpy\nndarray\nK\0\x85U\1c\x87R.", "REDUCE at offset 58: " REDUCE_HINT);
  REFUSE(RECONSTRUCT "cnumpy\nndarray\nK\0U\1bK\0\x87R.", "REDUCE at offset 59: " REDUCE_HINT);
  /* calls of what can't be called, with what are no arguments */
  REFUSE("K\1K\2K\3K\4\x87R.", "REDUCE at offset 9: " REDUCE_HINT);
  REFUSE("K\1K\2R.", "REDUCE at offset 4: only numpy's _reconstruct and dtype with three arguments are accepted");
  REFUSE("cnumpy\ndtype\n)R.",
         "REDUCE at offset 14: only numpy's _reconstruct and dtype with three arguments are accepted");
}
END_TEST

static const struct {
  const char *bytes;
  size_t n;
  const char *why;
} states[] = {
#define STATE(literal, reason)                                                                                         \
  {                                                                                                                    \
    literal, sizeof(literal) - 1, reason                                                                               \
  }
    STATE(BLANK "K\1b.", "a state that is an integer"),
    STATE(BLANK ")b.", "not the state of a numpy array of numbers"),
    STATE(BLANK "(K\2K\1\x85" DTYPE "\x89U\1atb.", "not the state of a numpy array of numbers"),
    STATE(BLANK "(K\1K\1" DTYPE "\x89U\1atb.", "not the state of a numpy array of numbers"),
    STATE(BLANK "(K\1K\1\x85U\2u1\x89U\1atb.", "not the state of a numpy array of numbers"),
    STATE(BLANK "(K\1K\1\x85" DTYPE "K\0U\1atb.", "not the state of a numpy array of numbers"),
    STATE(BLANK "(K\1K\1\x85" DTYPE "\x89]tb.", "not the state of a numpy array of numbers"),
    STATE(BLANK "(K\1K\1\x85" DTYPE "\x89X\1\0\0\0atb.", "not the state of a numpy array of numbers"),
    STATE(BLANK "(K\1N\x85" DTYPE "\x89U\1atb.", "None in the shape of an array"),
    STATE(ARRAY "(K\1K\1\x85" DTYPE "\x89U\1atb.", "the array already has its state"),
    STATE("])b.", "the state of a list, expected a numpy array or dtype"),
    STATE("}})b.", "the state of a dictionary, expected a numpy array or dtype"),
    STATE("}}b.", "a state that is a dictionary"),
    STATE("cnumpy\ndtype\n)b.", "the state of a function or class, expected a numpy array or dtype"),
    STATE(DTYPE ")b.", "not the state of a numpy dtype of plain numbers"),
    STATE(DTYPE "(K\4U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb.",
          "not the state of a numpy dtype of plain numbers"),
    STATE(DTYPE "(K\3U\1|NK\0NJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb.",
          "not the state of a numpy dtype of plain numbers")
#undef STATE
};

START_TEST(other_states_are_refused)
{
  char why[128];
  snprintf(why, sizeof why, "BUILD at offset %zu: %s", states[_i].n - 2, states[_i].why);
  must_refuse(states[_i].bytes, states[_i].n, why);
}
END_TEST

/* ---- what is not accepted ---- */

/* Opcodes of all protocols that the reader must not know, each after one harmless value. */
static const struct {
  uint8_t opcode;
  const char *name;
} foreign[] = {{'0', "POP"},
               {'1', "POP_MARK"},
               {'2', "DUP"},
               {'F', "FLOAT"},
               {'I', "INT"},
               {'L', "LONG"},
               {'P', "PERSID"},
               {'Q', "BINPERSID"},
               {'S', "STRING"},
               {'V', "UNICODE"},
               {'d', "DICT"},
               {'g', "GET"},
               {'i', "INST"},
               {'l', "LIST"},
               {'o', "OBJ"},
               {'p', "PUT"},
               {'G', "BINFLOAT"},
               {0x81, "NEWOBJ"},
               {0x82, "EXT1"},
               {0x83, "EXT2"},
               {0x84, "EXT4"},
               {0x8b, "LONG4"},
               {'B', "BINBYTES"},
               {'C', "SHORT_BINBYTES"},
               {0x8c, "SHORT_BINUNICODE"},
               {0x8d, "BINUNICODE8"},
               {0x8e, "BINBYTES8"},
               {0x8f, "EMPTY_SET"},
               {0x90, "ADDITEMS"},
               {0x91, "FROZENSET"},
               {0x92, "NEWOBJ_EX"},
               {0x93, "STACK_GLOBAL"},
               {0x94, "MEMOIZE"},
               {0x95, "FRAME"},
               {0x96, "BYTEARRAY8"},
               {0x97, "NEXT_BUFFER"},
               {0x98, "READONLY_BUFFER"}};
enum { N_FOREIGN = sizeof foreign / sizeof foreign[0], N_ACCEPTED = 31 };

START_TEST(every_foreign_opcode_is_refused_by_name_and_offset)
{
  char bytes[] = "\x80\2K\1?\0\0\0\0\0\0\0\0.", why[128];
  bytes[4] = (char)foreign[_i].opcode;
  snprintf(why, sizeof why, "%s at offset 4: this opcode is not accepted", foreign[_i].name);
  must_refuse(bytes, sizeof bytes - 1, why);
}
END_TEST

/* So that none is forgotten here: bytes that are neither accepted nor foreign opcodes are none at all. */
START_TEST(all_other_bytes_are_no_opcodes)
{
  int n = 0;
  for (int byte = 0; byte < 256; byte++) {
    char bytes[] = "\x80\2K\1?", why[128];
    bytes[4] = (char)byte;
    snprintf(why, sizeof why, "byte 0x%02x at offset 4 is not an opcode", byte);
    n += read_bytes(bytes, 5) == DLC_INVALID && strcmp(p.why, why) == 0;
  }
  ck_assert_int_eq(n, 256 - N_FOREIGN - N_ACCEPTED);
}
END_TEST

START_TEST(every_foreign_global_is_refused_by_name_and_offset)
{
  REFUSE("\x80\2cos\nsystem\n(U\2lst R.", "GLOBAL at offset 2: 'os.system' is not accepted");
  REFUSE("cposix\nsystem\n.", "GLOBAL at offset 0: 'posix.system' is not accepted");
  REFUSE("c__builtin__\neval\n.", "GLOBAL at offset 0: '__builtin__.eval' is not accepted");
  REFUSE("c_codecs\nencode\n.",
         "GLOBAL at offset 0: '_codecs.encode' is not accepted: re-saved with Python 3? Get the original "
         "archive or convert it");
  REFUSE("cnumpy\nload\n.", "GLOBAL at offset 0: 'numpy.load' is not accepted");
  REFUSE("cnumpy\nndarray2\n.", "GLOBAL at offset 0: 'numpy.ndarray2' is not accepted");
  REFUSE("cnumpy\nndarra\n.", "GLOBAL at offset 0: 'numpy.ndarra' is not accepted");
  REFUSE("cnumpy.core.multiarray\nndarray\n.", "GLOBAL at offset 0: 'numpy.core.multiarray.ndarray' is not accepted");
  REFUSE("c\n\n.", "GLOBAL at offset 0: '.' is not accepted");
}
END_TEST

START_TEST(a_strange_name_is_printed_safely_and_shortly)
{
  text t = {0};
  ADD(&t, "cnum\x1b[2J\rpy\nx");
  add_times(&t, "y", 1, 100000);
  ADD(&t, "\n.");
  refuse_text(&t, "GLOBAL at offset 0: 'num?[2J?py.x"
                  "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...' is not accepted");
}
END_TEST

START_TEST(newer_protocols_are_refused_with_a_hint)
{
  for (int protocol = 3; protocol < 256; protocol++) {
    char bytes[] = "\x80?K\1.", why[128];
    bytes[1] = (char)protocol;
    snprintf(why, sizeof why,
             "PROTO at offset 0: protocol %d, expected 2 or less: re-saved with Python 3? Get the original archive or "
             "convert it",
             protocol);
    must_refuse(bytes, 5, why);
  }
}
END_TEST

START_TEST(older_protocols_are_read)
{
  READ("\x80\0K\1.");
  READ("\x80\1K\1.");
  READ("K\1.");
}
END_TEST

/* ---- pickles that are not whole ---- */

#define SMALL                                                                                                          \
  "\x80\2}q\1(U\6labelsq\2]q\3(K\1K\2eU\4dataq\4" ARRAY                                                                \
  "q\5r\6\0\0\0X\1\0\0\0xj\6\0\0\0U\1y\x8a\1\1U\1zJ\1\0\0\0U\1wM"                                                      \
  "\1\1u."

START_TEST(every_truncation_of_a_small_pickle_is_refused)
{
  READ(SMALL);
  ck_assert_int_eq(pickle_get(&p.root, "w")->as.number, 257);
  pickle_free(&p);
  for (size_t n = 0; n < sizeof SMALL - 1; n++) {
    ck_assert_msg(read_bytes(SMALL, n) == DLC_INVALID, "cut to %zu bytes it was read", n);
    ck_assert_msg(p.why[0] != 0, "cut to %zu bytes", n);
  }
}
END_TEST

START_TEST(every_changed_byte_of_a_small_pickle_is_survived)
{
  uint8_t bytes[] = SMALL;
  for (size_t i = 0; i < sizeof SMALL - 1; i++) {
    for (int value = 0; value < 256; value++) {
      bytes[i] = (uint8_t)value;
      dlc_status status = read_bytes(bytes, sizeof SMALL - 1);
      ck_assert_msg(status == DLC_OK || (status == DLC_INVALID && p.why[0]), "byte %zu = %d", i, value);
    }
    bytes[i] = (uint8_t)SMALL[i];
  }
}
END_TEST

START_TEST(an_empty_file_is_refused)
{
  REFUSE("", "the file ends at offset 0 without STOP");
}
END_TEST

START_TEST(a_pickle_without_its_end_is_refused)
{
  REFUSE("\x80\2K\1", "the file ends at offset 4 without STOP");
}
END_TEST

START_TEST(bytes_after_the_end_are_refused)
{
  REFUSE("\x80\2K\1.K\2.", "STOP at offset 4: 3 more bytes follow the end of the pickle");
}
END_TEST

START_TEST(an_argument_cut_short_is_refused)
{
  REFUSE("K", "BININT1 at offset 0: 1 bytes needed, but the file ends after 0");
  REFUSE("J\1\2\3", "BININT at offset 0: 4 bytes needed, but the file ends after 3");
  REFUSE("cnumpy\nndarray", "GLOBAL at offset 0: the file ends before its two lines do");
  REFUSE("cnumpy", "GLOBAL at offset 0: the file ends before its two lines do");
  REFUSE("\x80", "PROTO at offset 0: 1 bytes needed, but the file ends after 0");
}
END_TEST

/* ---- numbers too large ---- */

START_TEST(a_string_beyond_the_end_of_the_file_is_refused)
{
  REFUSE("U\5abc.", "SHORT_BINSTRING at offset 0: 5 bytes needed, but the file ends after 4");
  REFUSE("T\0\0\0\x10"
         "abc.",
         "BINSTRING at offset 0: 268435456 bytes needed, but the file ends after 4");
  REFUSE("T\xff\xff\xff\x7f.", "BINSTRING at offset 0: 2147483647 bytes needed, but the file ends after 1");
  REFUSE("X\xff\xff\xff\xff.", "BINUNICODE at offset 0: 4294967295 bytes needed, but the file ends after 1");
}
END_TEST

START_TEST(a_negative_length_is_refused)
{
  REFUSE("T\xff\xff\xff\xff.", "BINSTRING at offset 0: a length of -1");
  REFUSE("T\0\0\0\x80.", "BINSTRING at offset 0: a length of -2147483648");
}
END_TEST

START_TEST(an_integer_of_more_than_eight_bytes_is_refused)
{
  REFUSE("\x8a\x09\0\0\0\0\0\0\0\0\0.", "LONG1 at offset 0: an integer of 9 bytes, at most 8 are accepted");
  REFUSE("\x8a\xff.", "LONG1 at offset 0: an integer of 255 bytes, at most 8 are accepted");
}
END_TEST

START_TEST(a_memo_beyond_the_limit_is_refused)
{
  REFUSE("K\1r\1\0\x10\0.", "LONG_BINPUT at offset 2: memo 1048577, at most 1048576 is accepted");
  REFUSE("K\1r\xff\xff\xff\xff.", "LONG_BINPUT at offset 2: memo 4294967295, at most 1048576 is accepted");
  READ("K\1r\0\0\x10\0.");
}
END_TEST

START_TEST(a_memo_that_was_never_set_is_refused)
{
  REFUSE("h\7.", "BINGET at offset 0: memo 7 was never set");
  REFUSE("j\xff\xff\xff\xff.", "LONG_BINGET at offset 0: memo 4294967295 was never set");
  REFUSE("K\1q\5h\4.", "BINGET at offset 4: memo 4 was never set");
  REFUSE("K\1q\5h\6.", "BINGET at offset 4: memo 6 was never set");
}
END_TEST

START_TEST(a_stack_beyond_the_limit_is_refused)
{
  text t = {0};
  add_times(&t, "N", 1, PICKLE_MAX_STACK);
  ADD(&t, "N");
  refuse_text(&t, "NONE at offset 65536: more than 65536 values on the stack");
}
END_TEST

START_TEST(marks_beyond_the_limit_are_refused)
{
  text t = {0};
  add_times(&t, "(", 1, PICKLE_MAX_MARKS);
  ADD(&t, "(");
  refuse_text(&t, "MARK at offset 64: more than 64 marks are open");
}
END_TEST

START_TEST(objects_beyond_the_limit_are_refused)
{
  text t = {0};
  add_times(&t, "]", 1, PICKLE_MAX_OBJECTS);
  ADD(&t, "]");
  refuse_text(&t, "EMPTY_LIST at offset 4096: more than 4096 objects");
}
END_TEST

START_TEST(elements_beyond_the_limit_are_refused)
{
  text t = {0};
  ADD(&t, "]");
  add_times(&t, "Na", 2, PICKLE_MAX_ELEMENTS);
  ADD(&t, "Na");
  refuse_text(&t, "APPEND at offset 8388610: more than 4194304 elements");
}
END_TEST

/* ---- a stack that does not hold what is needed ---- */

START_TEST(missing_values_are_refused)
{
  REFUSE(".", "STOP at offset 0: the stack holds 0 values, 1 needed");
  REFUSE("(.", "STOP at offset 1: the stack holds 0 values, 1 needed");
  REFUSE("K\1K\2.", "STOP at offset 4: 2 values on the stack, expected 1");
  REFUSE("(K\1.", "STOP at offset 3: 2 values on the stack, expected 1");
  REFUSE("\x85", "TUPLE1 at offset 0: the stack holds 0 values, 1 needed");
  REFUSE("K\1(K\2\x86", "TUPLE2 at offset 5: the stack holds 1 values, 2 needed");
  REFUSE("NN\x87", "TUPLE3 at offset 2: the stack holds 2 values, 3 needed");
  REFUSE("q\1", "BINPUT at offset 0: the stack holds 0 values, 1 needed");
  REFUSE("(q\1", "BINPUT at offset 1: the stack holds 0 values, 1 needed");
  REFUSE("]a", "APPEND at offset 1: the stack holds 1 values, 2 needed");
  REFUSE("}Ns", "SETITEM at offset 2: the stack holds 2 values, 3 needed");
  REFUSE("NR", "REDUCE at offset 1: the stack holds 1 values, 2 needed");
  REFUSE("Nb", "BUILD at offset 1: the stack holds 1 values, 2 needed");
  REFUSE("(N(Ne", "APPENDS at offset 4: on None, expected a list");
  REFUSE("((Ne", "APPENDS at offset 3: the stack holds 0 values, 1 needed");
}
END_TEST

START_TEST(missing_marks_are_refused)
{
  REFUSE("Nt", "TUPLE at offset 1: no mark on the stack");
  REFUSE("]Ne", "APPENDS at offset 2: no mark on the stack");
  REFUSE("}NNu", "SETITEMS at offset 3: no mark on the stack");
}
END_TEST

START_TEST(wrong_containers_are_refused)
{
  REFUSE("}Na.", "APPEND at offset 2: on a dictionary, expected a list");
  REFUSE(")(Ne.", "APPENDS at offset 3: on a tuple, expected a list");
  REFUSE("]U\1aNs.", "SETITEM at offset 5: on a list, expected a dictionary");
  REFUSE("U\1x(U\1aNu.", "SETITEMS at offset 8: on a string, expected a dictionary");
}
END_TEST

START_TEST(wrong_keys_are_refused)
{
  REFUSE("}K\1Ns.", "SETITEM at offset 4: a key is an integer, expected a string");
  REFUSE("}(U\1aN]Nu.", "SETITEMS at offset 8: a key is a list, expected a string");
  REFUSE("}(U\1aNU\1bu.", "SETITEMS at offset 9: a key without a value");
}
END_TEST

static void add_tests(TCase *tests)
{
  tcase_add_loop_test(tests, integers_of_every_width, 0, sizeof integers / sizeof integers[0]);
  tcase_add_test(tests, none_and_truth_values);
  tcase_add_test(tests, strings_stay_where_they_lie);
  tcase_add_test(tests, tuples_of_every_kind);
  tcase_add_test(tests, lists_grow_by_one_and_by_many);
  tcase_add_test(tests, dictionaries_are_looked_up_by_string);
  tcase_add_test(tests, the_memo_gives_back_the_same_object);
  tcase_add_test(tests, a_list_may_hold_itself);
  tcase_add_test(tests, an_array_becomes_a_record);
  tcase_add_test(tests, numpy_under_its_newer_name_is_the_same);
  tcase_add_test(tests, an_array_in_the_memo_gets_its_state_everywhere);
  tcase_add_test(tests, other_calls_are_refused);
  tcase_add_loop_test(tests, other_states_are_refused, 0, sizeof states / sizeof states[0]);
  tcase_add_loop_test(tests, every_foreign_opcode_is_refused_by_name_and_offset, 0, N_FOREIGN);
  tcase_add_test(tests, all_other_bytes_are_no_opcodes);
  tcase_add_test(tests, every_foreign_global_is_refused_by_name_and_offset);
  tcase_add_test(tests, a_strange_name_is_printed_safely_and_shortly);
  tcase_add_test(tests, newer_protocols_are_refused_with_a_hint);
  tcase_add_test(tests, older_protocols_are_read);
  tcase_add_test(tests, every_truncation_of_a_small_pickle_is_refused);
  tcase_add_test(tests, every_changed_byte_of_a_small_pickle_is_survived);
  tcase_add_test(tests, an_empty_file_is_refused);
  tcase_add_test(tests, a_pickle_without_its_end_is_refused);
  tcase_add_test(tests, bytes_after_the_end_are_refused);
  tcase_add_test(tests, an_argument_cut_short_is_refused);
  tcase_add_test(tests, a_string_beyond_the_end_of_the_file_is_refused);
  tcase_add_test(tests, a_negative_length_is_refused);
  tcase_add_test(tests, an_integer_of_more_than_eight_bytes_is_refused);
  tcase_add_test(tests, a_memo_beyond_the_limit_is_refused);
  tcase_add_test(tests, a_memo_that_was_never_set_is_refused);
  tcase_add_test(tests, a_stack_beyond_the_limit_is_refused);
  tcase_add_test(tests, marks_beyond_the_limit_are_refused);
  tcase_add_test(tests, objects_beyond_the_limit_are_refused);
  tcase_add_test(tests, elements_beyond_the_limit_are_refused);
  tcase_add_test(tests, missing_values_are_refused);
  tcase_add_test(tests, missing_marks_are_refused);
  tcase_add_test(tests, wrong_containers_are_refused);
  tcase_add_test(tests, wrong_keys_are_refused);
}

int main(void)
{
  TCase *tests = tcase_create("pickle");
  add_tests(tests);
  return run_suite("pickle", tests);
}
