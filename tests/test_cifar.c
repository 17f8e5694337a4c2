/* The cifar plugin: both versions of both data sets, where they are found, and what is said about wrong ones. */
#include "cifar_fixture.h"

#define PY10   "cifar-10-batches-py"
#define BIN10  "cifar-10-batches-bin"
#define PY100  "cifar-100-python"
#define BIN100 "cifar-100-binary"

/* ---- right files ---- */

static const struct {
  const char *folder;
  void (*write)(const char *below);
  const char *dataset;
  int kind;
} versions[] = {{PY10, write_python_10, "cifar10", 10},
                {BIN10, write_binary_10, "cifar10", 10},
                {PY100, write_python_100, "cifar100", 100},
                {BIN100, write_binary_100, "cifar100", 100}};
enum { N_VERSIONS = sizeof versions / sizeof versions[0] };

static void check_version(const test_dataset *t, int kind)
{
  if (kind == 10) check_set(t->info, label_10, 10);
  else check_set(t->info, fine_label, 100);
}

START_TEST(each_version_is_read)
{
  versions[_i].write(versions[_i].folder);
  test_dataset t = must_open(versions[_i].dataset, NULL, folder);
  check_version(&t, versions[_i].kind);
  ck_assert_str_eq(t.info->origin, in_folder(versions[_i].folder));
  close_dataset(&t);
}
END_TEST

START_TEST(the_files_may_lie_in_the_data_folder_itself)
{
  versions[_i].write(".");
  test_dataset t = must_open(versions[_i].dataset, NULL, folder);
  check_version(&t, versions[_i].kind);
  ck_assert_str_eq(t.info->origin, folder);
  close_dataset(&t);
}
END_TEST

START_TEST(the_files_may_lie_deep_below_in_folders_of_any_name)
{
  versions[_i].write("a/b.d/c");
  test_dataset t = must_open(versions[_i].dataset, NULL, folder);
  check_version(&t, versions[_i].kind);
  ck_assert_str_eq(t.info->origin, in_folder("a/b.d/c"));
  close_dataset(&t);
}
END_TEST

START_TEST(cifar_finds_out_which_it_is)
{
  versions[_i].write(versions[_i].folder);
  test_dataset t = must_open("cifar", NULL, folder);
  check_version(&t, versions[_i].kind);
  close_dataset(&t);
}
END_TEST

START_TEST(each_data_set_is_taken_from_a_folder_with_both)
{
  write_python_10(PY10);
  write_binary_100(BIN100);
  test_dataset t = must_open("cifar10", NULL, folder);
  check_set(t.info, label_10, 10);
  close_dataset(&t);
  t = must_open("cifar100", NULL, folder);
  check_set(t.info, fine_label, 100);
  close_dataset(&t);
}
END_TEST

START_TEST(coarse_labels_are_an_option)
{
  write_python_100("python/" PY100);
  write_binary_100("binary/" BIN100);
  test_dataset t = must_open("cifar100", "labels=coarse", in_folder("python"));
  check_set(t.info, coarse_label, 20);
  close_dataset(&t);
  t = must_open("cifar", "labels=coarse", in_folder("binary"));
  check_set(t.info, coarse_label, 20);
  close_dataset(&t);
}
END_TEST

START_TEST(mean_and_deviation_are_the_usual_ones)
{
  static const float mean_10[] = {0.4914f, 0.4822f, 0.4465f}, std_10[] = {0.2470f, 0.2435f, 0.2616f};
  static const float mean_100[] = {0.5071f, 0.4865f, 0.4409f}, std_100[] = {0.2673f, 0.2564f, 0.2762f};
  versions[_i].write(versions[_i].folder);
  test_dataset t = must_open(versions[_i].dataset, NULL, folder);
  for (int c = 0; c < 3; c++) {
    ck_assert_float_eq(t.info->mean[c], versions[_i].kind == 10 ? mean_10[c] : mean_100[c]);
    ck_assert_float_eq(t.info->std[c], versions[_i].kind == 10 ? std_10[c] : std_100[c]);
  }
  close_dataset(&t);
}
END_TEST

START_TEST(names_with_line_ends_of_windows_are_read)
{
  write_binary_10(".");
  write_lines("batches.meta.txt", "thing", 10, "\r\n");
  test_dataset t = must_open("cifar10", NULL, folder);
  check_set(t.info, label_10, 10);
  close_dataset(&t);
}
END_TEST

START_TEST(another_number_of_pictures_than_the_originals_is_said)
{
  write_python_10(".");
  test_dataset t = must_open("cifar10", NULL, folder);
  ck_assert_msg(strstr(said, "cifar: 10 train and 3 test pictures; the original CIFAR-10 has 50000 and 10000") != NULL,
                "%s", said);
  close_dataset(&t);
}
END_TEST

/* ---- archives and usual places ---- */

static void pack(const char *archive, const char *what)
{
  run_program((char *[]){"tar", "czf", (char *)in_folder(archive), "-C", folder, (char *)what, NULL});
  run_program((char *[]){"rm", "-r", (char *)in_folder(what), NULL});
}

START_TEST(an_archive_is_as_good_as_a_folder)
{
  versions[_i].write(versions[_i].folder);
  pack("any.tgz", versions[_i].folder);
  test_dataset t = must_open(versions[_i].dataset, NULL, in_folder("any.tgz"));
  check_version(&t, versions[_i].kind);
  close_dataset(&t);
}
END_TEST

START_TEST(an_archive_in_the_data_folder_is_found)
{
  write_python_10(PY10);
  pack("cifar-10-python.tar.gz", PY10);
  test_dataset t = must_open("cifar10", NULL, folder);
  check_set(t.info, label_10, 10);
  close_dataset(&t);
}
END_TEST

START_TEST(an_archive_is_preferred_to_files_that_are_not_complete)
{
  write_python_10(PY10);
  pack("cifar-10-python.tar.gz", PY10);
  write_python_10(PY10);
  unlink(in_folder(PY10 "/test_batch"));
  test_dataset t = must_open("cifar10", NULL, folder);
  check_set(t.info, label_10, 10);
  close_dataset(&t);
}
END_TEST

START_TEST(without_a_data_folder_the_usual_places_are_searched)
{
  static const char *const places[] = {"data", ".", ".keras/datasets"};
  char below[256];
  snprintf(below, sizeof below, "%s/%s", places[_i % 3], versions[_i / 3].folder);
  versions[_i / 3].write(below);
  ck_assert_int_eq(chdir(folder), 0);
  test_dataset t = must_open(versions[_i / 3].dataset, NULL, NULL);
  check_version(&t, versions[_i / 3].kind);
  close_dataset(&t);
}
END_TEST

START_TEST(without_a_data_folder_archives_are_found_too)
{
  write_python_100(PY100);
  make_below("data");
  pack("data/cifar-100-python.tar.gz", PY100);
  ck_assert_int_eq(chdir(folder), 0);
  test_dataset t = must_open("cifar", NULL, NULL);
  check_set(t.info, fine_label, 100);
  close_dataset(&t);
}
END_TEST

/* ---- files that are not there ---- */

START_TEST(nothing_anywhere)
{
  ck_assert_int_eq(chdir(folder), 0);
  check_fails("cifar10", NULL, NULL, DLC_NOT_FOUND,
              "no CIFAR-10 files: neither folder cifar-10-batches-py nor cifar-10-python.tar.gz in data, ., "
              "~/.keras/datasets; give --data-dir FOLDER or ARCHIVE (cifar-10-python.tar.gz, md5 "
              "c58f30108f718f92721af3b95e74349a, can be had from www.cs.toronto.edu/~kriz/cifar.html)");
  check_fails("cifar100", NULL, NULL, DLC_NOT_FOUND,
              "no CIFAR-100 files: neither folder cifar-100-python nor cifar-100-python.tar.gz in data, ., "
              "~/.keras/datasets; give --data-dir FOLDER or ARCHIVE (cifar-100-python.tar.gz, md5 "
              "eb9058c3a382ffc7106e4002c42a8d85, can be had from www.cs.toronto.edu/~kriz/cifar.html)");
}
END_TEST

START_TEST(an_empty_folder)
{
  check_fails("cifar10", NULL, folder, DLC_NOT_FOUND,
              "no CIFAR-10 files in %s: expected a folder like cifar-10-batches-py with data_batch_1 ... batches.meta, "
              "or the binary version, or cifar-10-python.tar.gz (md5 c58f30108f718f92721af3b95e74349a, from "
              "www.cs.toronto.edu/~kriz/cifar.html)",
              folder);
}
END_TEST

START_TEST(files_of_another_kind)
{
  write_text(in_folder("train"), "this is no batch");
  write_text(in_folder("notes"), "nor this");
  test_dataset t;
  ck_assert_int_eq(open_dataset("cifar", NULL, folder, &t), DLC_NOT_FOUND);
  ck_assert_msg(strncmp(dlc_reason(), "no CIFAR files in ", 18) == 0, "%s", dlc_reason());
}
END_TEST

START_TEST(the_other_data_set)
{
  write_python_10(PY10);
  check_fails("cifar100", NULL, folder, DLC_NOT_FOUND,
              "no CIFAR-100 files in %s, but those of CIFAR-10: say --dataset cifar10", folder);
}
END_TEST

START_TEST(both_data_sets)
{
  write_python_10(PY10);
  write_python_100(PY100);
  check_fails("cifar", NULL, folder, DLC_INVALID,
              "%s holds both CIFAR-10 and CIFAR-100: say --dataset cifar10 or cifar100", folder);
}
END_TEST

START_TEST(a_missing_batch)
{
  write_python_10(PY10);
  unlink(in_folder(PY10 "/data_batch_3"));
  check_fails("cifar10", NULL, folder, DLC_NOT_FOUND, "%s: data_batch_3 is missing beside data_batch_1",
              in_folder(PY10));
}
END_TEST

START_TEST(all_but_one_file_missing)
{
  make_below(BIN10);
  write_records(BIN10 "/test_batch.bin", 10, 0, 1);
  check_fails("cifar10", NULL, folder, DLC_NOT_FOUND, "%s: data_batch_1.bin is missing beside test_batch.bin",
              in_folder(BIN10));
}
END_TEST

START_TEST(missing_class_names)
{
  write_binary_100(".");
  unlink(in_folder("fine_label_names.txt"));
  check_fails("cifar100", NULL, folder, DLC_NOT_FOUND, "%s: fine_label_names.txt is missing beside train.bin", folder);
  test_dataset t = must_open("cifar100", "labels=coarse", folder);
  close_dataset(&t);
}
END_TEST

START_TEST(coarse_labels_of_cifar_10)
{
  write_python_10(".");
  check_fails("cifar", "labels=coarse", folder, DLC_INVALID, "%s: CIFAR-10 has no coarse labels", folder);
}
END_TEST

START_TEST(a_folder_in_the_place_of_a_file)
{
  test_dataset t;
  write_python_10(".");
  unlink(in_folder("data_batch_2"));
  make_below("data_batch_2");
  ck_assert_int_eq(open_dataset("cifar10", NULL, folder, &t), DLC_IO);
  ck_assert_msg(strstr(dlc_reason(), "data_batch_2") != NULL, "%s", dlc_reason());
}
END_TEST

START_TEST(an_unreadable_file)
{
  if (geteuid() == 0) return; /* root reads everything */
  write_python_10(".");
  ck_assert_int_eq(chmod(in_folder("data_batch_5"), 0), 0);
  check_fails("cifar10", NULL, folder, DLC_IO, "%s: Permission denied", in_folder("data_batch_5"));
}
END_TEST

START_TEST(an_archive_that_is_damaged_is_not_passed_over)
{
  test_dataset t;
  write_python_10(PY10);
  make_below("data");
  pack("data/cifar-10-python.tar.gz", PY10);
  write_python_10(PY10);
  ck_assert_int_eq(truncate(in_folder("data/cifar-10-python.tar.gz"), 100), 0);
  ck_assert_int_eq(chdir(folder), 0);
  ck_assert_int_lt(open_dataset("cifar10", NULL, NULL, &t), 0);
  ck_assert_msg(strstr(dlc_reason(), "data/cifar-10-python.tar.gz") != NULL, "%s", dlc_reason());
}
END_TEST

/* A folder whose file test_batch vanishes between listing and reading. */
typedef struct vanishing {
  dlc_source base;
  dlc_source *folder;
} vanishing;

static dlc_status vanishing_find(dlc_source *s, const char *path, dlc_entry *entry)
{
  dlc_source *inner = ((vanishing *)s)->folder;
  return inner->find(inner, path, entry);
}

static dlc_status vanishing_list(dlc_source *s, const dlc_entry **entries, uint32_t *n)
{
  dlc_source *inner = ((vanishing *)s)->folder;
  return inner->list(inner, entries, n);
}

static dlc_status vanishing_read(dlc_source *s, const dlc_entry *entry, void *buffer)
{
  dlc_source *inner = ((vanishing *)s)->folder;
  if (strcmp(entry->path, "test_batch") == 0) return dlc_fail(DLC_IO, "%s/%s: it is gone", s->origin, entry->path);
  return inner->read(inner, entry, buffer);
}

START_TEST(what_the_source_says_about_a_failed_read_is_handed_on)
{
  const dlc_host *host;
  const void *object = NULL;
  dlc_data *data = NULL;
  vanishing v = {.base = {.size = sizeof(dlc_source),
                          .origin = "somewhere",
                          .find = vanishing_find,
                          .list = vanishing_list,
                          .read = vanishing_read}};
  write_python_10(".");
  ck_assert_int_eq(dlc_source_open(registry, folder, &v.folder), DLC_OK);
  ck_assert_int_eq(dlc_registry_find(registry, DLC_IFACE_DATASET, "cifar10", &object, &host), DLC_OK);
  const dlc_dataset *dataset = object;
  ck_assert_int_eq(dataset->open(dataset, host, &v.base, NULL, &data), DLC_IO);
  ck_assert_str_eq(dlc_reason(), "somewhere/test_batch: it is gone");
  v.folder->close(v.folder);
}
END_TEST

/* ---- batches that are not what they should be ---- */

static const struct {
  batch batch;
  const char *why;
} wrong[] = {{{.count = 2, .labels_key = "fine_labels"}, "the key 'labels' is missing"},
             {{.count = 2, .data_key = "pixels"}, "the key 'data' is missing"},
             {{.count = 2, .data_key = "labels"}, "the key 'data' is missing"},
             {{.count = 2, .labels_key = "data"}, "the key 'labels' is missing"},
             {{.count = 2, .dtype = "f4"}, "'data' has another type of numbers than bytes (u1)"},
             {{.count = 2, .dtype = "u2"}, "'data' has another type of numbers than bytes (u1)"},
             {{.count = 2, .fortran = 1}, "'data' lies column by column, expected row by row"},
             {{.count = 2, .flat = 1}, "'data' has 1 dimensions, expected 2"},
             {{.count = 2, .columns = 784}, "'data' has rows of 784 bytes, expected 3072"},
             {{.count = 2, .bytes = -1}, "'data' holds 6143 bytes, which is not 2 pictures of 3072"},
             {{.count = 2, .bytes = 3072}, "'data' holds 9216 bytes, which is not 2 pictures of 3072"},
             {{.count = 0}, "'data' holds 0 bytes, which is not 0 pictures of 3072"},
             {{.count = 2, .labels = -1}, "1 labels for 2 pictures"},
             {{.count = 2, .labels = 1}, "3 labels for 2 pictures"},
             {{.count = 2, .labels = -2}, "0 labels for 2 pictures"},
             {{.count = 2, .last_label = 10}, "label 10 at index 1, expected 0..9"},
             {{.count = 2, .last_label = -1}, "label -1 at index 1, expected 0..9"},
             {{.count = 2, .text_label = 1}, "label 1 is a string, expected an integer"}};

START_TEST(wrong_batches_are_refused)
{
  batch b = wrong[_i].batch;
  b.kind = 10;
  write_python_10(".");
  write_batch("data_batch_4", b);
  check_fails("cifar10", NULL, folder, DLC_INVALID, "%s: %s", in_folder("data_batch_4"), wrong[_i].why);
}
END_TEST

START_TEST(a_label_beyond_the_classes_of_cifar_100)
{
  write_python_100(".");
  write_batch("train", (batch){.kind = 100, .count = 2, .last_label = 100});
  check_fails("cifar100", NULL, folder, DLC_INVALID, "%s: label 100 at index 1, expected 0..99", in_folder("train"));
  check_fails("cifar100", "labels=coarse", folder, DLC_INVALID, "%s: label 100 at index 1, expected 0..19",
              in_folder("train"));
}
END_TEST

START_TEST(a_batch_of_cifar_100_without_the_labels_asked_for)
{
  write_python_100(".");
  write_batch("test", (batch){.kind = 10, .count = 2});
  check_fails("cifar100", "labels=coarse", folder, DLC_INVALID, "%s: the key 'coarse_labels' is missing",
              in_folder("test"));
}
END_TEST

static const struct {
  const char *bytes;
  size_t n;
  const char *why;
} files[] = {
#define FILE_OF(literal, reason)                                                                                       \
  {                                                                                                                    \
    literal, sizeof(literal) - 1, reason                                                                               \
  }
    FILE_OF("", "the file ends at offset 0 without STOP"),
    FILE_OF("\x80\2K\1.", "the pickle holds an integer, expected a dictionary"),
    FILE_OF("\x80\3}.", "PROTO at offset 0: protocol 3, expected 2 or less: re-saved with Python 3? Get the original "
                        "archive or convert it"),
    FILE_OF("\x80\2}U\4dataU\1xs.", "'data' is a string, expected an array"),
    FILE_OF("\x80\2}U\4datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87RsU\6labels]s.",
            "'data' is an array without a state"),
    FILE_OF("cos\nsystem\n(U\2lstR.", "GLOBAL at offset 0: 'os.system' is not accepted"),
    FILE_OF("(ios\nsystem\n.", "INST at offset 1: this opcode is not accepted")
#undef FILE_OF
};

START_TEST(other_pickles_are_refused)
{
  write_python_10(".");
  text t = {0};
  add(&t, files[_i].bytes, files[_i].n);
  save(&t, "test_batch");
  check_fails("cifar10", NULL, folder, DLC_INVALID, "%s: %s", in_folder("test_batch"), files[_i].why);
}
END_TEST

START_TEST(a_batch_cut_short)
{
  write_python_10(".");
  ck_assert_int_eq(truncate(in_folder("data_batch_1"), 1000), 0);
  check_fails("cifar10", NULL, folder, DLC_INVALID,
              "%s: BINSTRING at offset 199: 6144 bytes needed, but the file ends after 796", in_folder("data_batch_1"));
}
END_TEST

START_TEST(a_file_far_too_large)
{
  write_python_10(".");
  ck_assert_int_eq(truncate(in_folder("data_batch_1"), (off_t)1 << 33), 0);
  check_fails("cifar10", NULL, folder, DLC_INVALID, "%s: 8589934592 bytes, more than any CIFAR file has",
              in_folder("data_batch_1"));
}
END_TEST

/* ---- wrong class names ---- */

START_TEST(too_few_class_names)
{
  write_python_10(".");
  write_meta("batches.meta", "label_names", "thing", 9, 0);
  check_fails("cifar10", NULL, folder, DLC_INVALID, "%s: 9 class names, expected 10", in_folder("batches.meta"));
  write_binary_100(".");
  write_lines("fine_label_names.txt", "thing", 99, "\n");
  check_fails("cifar100", NULL, folder, DLC_INVALID, "%s: 99 class names, expected 100",
              in_folder("fine_label_names.txt"));
}
END_TEST

START_TEST(too_many_class_names)
{
  write_python_10(".");
  write_meta("batches.meta", "label_names", "thing", 11, 0);
  check_fails("cifar10", NULL, folder, DLC_INVALID, "%s: 11 class names, expected 10", in_folder("batches.meta"));
  write_binary_100(".");
  write_lines("fine_label_names.txt", "thing", 101, "\n");
  check_fails("cifar100", NULL, folder, DLC_INVALID, "%s: more than 100 class names",
              in_folder("fine_label_names.txt"));
}
END_TEST

START_TEST(class_names_under_another_key)
{
  write_python_100(".");
  write_meta("meta", "label_names", "thing", 100, 0);
  check_fails("cifar100", NULL, folder, DLC_INVALID, "%s: the key 'fine_label_names' is missing", in_folder("meta"));
}
END_TEST

START_TEST(class_names_that_would_play_with_a_terminal)
{
  write_binary_10(".");
  write_text(in_folder("batches.meta.txt"), "plane\n\x1b[2J\n");
  check_fails("cifar10", NULL, folder, DLC_INVALID, "%s: the name of class 1 holds the byte 0x1b, expected plain text",
              in_folder("batches.meta.txt"));
}
END_TEST

START_TEST(class_names_without_end)
{
  write_binary_10(".");
  write_text(in_folder("batches.meta.txt"),
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  check_fails("cifar10", NULL, folder, DLC_INVALID, "%s: the name of class 0 has 80 characters, expected 1 to 63",
              in_folder("batches.meta.txt"));
}
END_TEST

/* ---- wrong binary files ---- */

START_TEST(records_that_are_not_whole)
{
  write_binary_10(".");
  ck_assert_int_eq(truncate(in_folder("data_batch_1.bin"), 6145), 0);
  check_fails("cifar10", NULL, folder, DLC_INVALID, "%s: 6145 bytes, which is not a number of records of 3073",
              in_folder("data_batch_1.bin"));
  ck_assert_int_eq(truncate(in_folder("data_batch_1.bin"), 0), 0);
  check_fails("cifar10", NULL, folder, DLC_INVALID, "%s: 0 bytes, which is not a number of records of 3073",
              in_folder("data_batch_1.bin"));
}
END_TEST

START_TEST(records_of_the_other_data_set)
{
  write_binary_100(".");
  write_records("train.bin", 10, 0, 3);
  check_fails("cifar100", NULL, folder, DLC_INVALID, "%s: 9219 bytes, which is not a number of records of 3074",
              in_folder("train.bin"));
}
END_TEST

START_TEST(records_with_wrong_labels)
{
  write_binary_10(".");
  FILE *f = fopen(in_folder("data_batch_2.bin"), "r+b");
  ck_assert_ptr_nonnull(f);
  ck_assert_int_eq(fseek(f, 3073, SEEK_SET), 0);
  ck_assert_int_eq(fputc(10, f), 10);
  ck_assert_int_eq(fclose(f), 0);
  check_fails("cifar10", NULL, folder, DLC_INVALID, "%s: label 10 at offset 3073, expected 0..9",
              in_folder("data_batch_2.bin"));
}
END_TEST

/* ---- the real thing ---- */

/* $DLCORE_TEST_CIFAR10: the original cifar-10-python.tar.gz or its folder. */
START_TEST(the_real_cifar_10_is_read)
{
  static const int labels[10] = {6, 9, 9, 4, 1, 1, 2, 7, 8, 3};
  static const uint8_t red[3] = {59, 43, 50}, red_end[3] = {158, 152, 148}, green[3] = {62, 46, 48},
                       blue[3] = {63, 45, 43};
  const char *path = getenv("DLCORE_TEST_CIFAR10");
  if (!path || !*path) return;
  test_dataset t = must_open("cifar10", NULL, path);
  const dlc_split *train = &t.info->splits[0], *test = &t.info->splits[1];
  ck_assert_str_eq(said, "");
  ck_assert_int_eq(train->count, 50000);
  ck_assert_int_eq(test->count, 10000);
  ck_assert_str_eq(t.info->class_names[0], "airplane");
  ck_assert_str_eq(t.info->class_names[6], "frog");
  ck_assert_str_eq(t.info->class_names[9], "truck");
  for (int i = 0; i < 10; i++) ck_assert_int_eq(train->labels[i], labels[i]);
  ck_assert_mem_eq(train->samples, red, 3);
  ck_assert_mem_eq(train->samples + 29, red_end, 3);
  ck_assert_mem_eq(train->samples + 1024, green, 3);
  ck_assert_mem_eq(train->samples + 2048, blue, 3);
  /* As many of each class as the data set's page says. */
  int counts[10] = {0};
  for (int64_t i = 0; i < train->count; i++) counts[train->labels[i]]++;
  for (int c = 0; c < 10; c++) ck_assert_int_eq(counts[c], 5000);
  close_dataset(&t);
}
END_TEST

static void add_right(TCase *tests)
{
  tcase_add_loop_test(tests, each_version_is_read, 0, N_VERSIONS);
  tcase_add_loop_test(tests, the_files_may_lie_in_the_data_folder_itself, 0, N_VERSIONS);
  tcase_add_loop_test(tests, the_files_may_lie_deep_below_in_folders_of_any_name, 0, N_VERSIONS);
  tcase_add_loop_test(tests, cifar_finds_out_which_it_is, 0, N_VERSIONS);
  tcase_add_test(tests, each_data_set_is_taken_from_a_folder_with_both);
  tcase_add_test(tests, coarse_labels_are_an_option);
  tcase_add_loop_test(tests, mean_and_deviation_are_the_usual_ones, 0, N_VERSIONS);
  tcase_add_test(tests, names_with_line_ends_of_windows_are_read);
  tcase_add_test(tests, another_number_of_pictures_than_the_originals_is_said);
  tcase_add_loop_test(tests, an_archive_is_as_good_as_a_folder, 0, N_VERSIONS);
  tcase_add_test(tests, an_archive_in_the_data_folder_is_found);
  tcase_add_test(tests, an_archive_is_preferred_to_files_that_are_not_complete);
  tcase_add_loop_test(tests, without_a_data_folder_the_usual_places_are_searched, 0, 3 * N_VERSIONS);
  tcase_add_test(tests, without_a_data_folder_archives_are_found_too);
  tcase_add_test(tests, the_real_cifar_10_is_read);
}

static void add_wrong(TCase *tests)
{
  tcase_add_test(tests, nothing_anywhere);
  tcase_add_test(tests, an_empty_folder);
  tcase_add_test(tests, files_of_another_kind);
  tcase_add_test(tests, the_other_data_set);
  tcase_add_test(tests, both_data_sets);
  tcase_add_test(tests, a_missing_batch);
  tcase_add_test(tests, all_but_one_file_missing);
  tcase_add_test(tests, missing_class_names);
  tcase_add_test(tests, coarse_labels_of_cifar_10);
  tcase_add_test(tests, a_folder_in_the_place_of_a_file);
  tcase_add_test(tests, an_unreadable_file);
  tcase_add_test(tests, an_archive_that_is_damaged_is_not_passed_over);
  tcase_add_test(tests, what_the_source_says_about_a_failed_read_is_handed_on);
  tcase_add_loop_test(tests, wrong_batches_are_refused, 0, sizeof wrong / sizeof wrong[0]);
  tcase_add_test(tests, a_label_beyond_the_classes_of_cifar_100);
  tcase_add_test(tests, a_batch_of_cifar_100_without_the_labels_asked_for);
  tcase_add_loop_test(tests, other_pickles_are_refused, 0, sizeof files / sizeof files[0]);
  tcase_add_test(tests, a_batch_cut_short);
  tcase_add_test(tests, a_file_far_too_large);
  tcase_add_test(tests, too_few_class_names);
  tcase_add_test(tests, too_many_class_names);
  tcase_add_test(tests, class_names_under_another_key);
  tcase_add_test(tests, class_names_that_would_play_with_a_terminal);
  tcase_add_test(tests, class_names_without_end);
  tcase_add_test(tests, records_that_are_not_whole);
  tcase_add_test(tests, records_of_the_other_data_set);
  tcase_add_test(tests, records_with_wrong_labels);
}

int main(void)
{
  TCase *tests = tcase_create("cifar");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  add_right(tests);
  add_wrong(tests);
  return run_suite("cifar", tests);
}
