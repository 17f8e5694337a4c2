/* The idx plugin on wrong files: each mistake has its one clear line, and no bytes whatever can crash it. */
#include "base/random.h"
#include "idx_fixture.h"
#include <errno.h>

#define TRAIN_IMAGES "train-images-idx3-ubyte"
#define TRAIN_LABELS "train-labels-idx1-ubyte"

/* ---- files that are not there ---- */

START_TEST(a_missing_folder)
{
  check_fails("mnist", NULL, "/nowhere/data", DLC_IO, "/nowhere/data: No such file or directory");
}
END_TEST

START_TEST(a_file_instead_of_a_folder)
{
  write_good_set();
  const char *file = in_folder(TRAIN_IMAGES);
  check_fails("mnist", NULL, file, DLC_UNSUPPORTED, "%s: a file of unknown kind; expected a folder, tar, zip", file);
}
END_TEST

START_TEST(an_empty_folder)
{
  check_fails("mnist", NULL, folder, DLC_NOT_FOUND,
              "no MNIST files in %s nor its folders raw, MNIST/raw, mnist, mnist/raw, MNIST; expected "
              "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, "
              "plain or .gz (they can be had from ossci-datasets.s3.amazonaws.com/mnist)",
              folder);
}
END_TEST

START_TEST(no_folder_at_all)
{
  ck_assert_int_eq(chdir(folder), 0);
  unsetenv("HOME");
  check_fails("kmnist", NULL, NULL, DLC_NOT_FOUND,
              "no KMNIST files: none of the folders KMNIST/raw, kmnist, kmnist/raw, KMNIST with them in data, ., "
              "~/.keras/datasets, /usr/share/datasets; give --data-dir DIR with train-images-idx3-ubyte, "
              "train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz (they can be "
              "had from codh.rois.ac.jp/kmnist)");
}
END_TEST

START_TEST(fashion_mnist_names_debians_package)
{
  test_dataset t;
  ck_assert_int_eq(open_dataset("fashion-mnist", NULL, folder, &t), DLC_NOT_FOUND);
  ck_assert_msg(strstr(dlc_reason(), "dataset-fashion-mnist") != NULL, "%s", dlc_reason());
}
END_TEST

START_TEST(idx_must_be_told_its_folder)
{
  check_fails("idx", NULL, NULL, DLC_INVALID, "data set idx has no usual place: say where it is with --data-dir");
}
END_TEST

START_TEST(one_missing_file)
{
  write_good_set();
  unlink(in_folder(TRAIN_LABELS));
  check_fails("mnist", NULL, folder, DLC_NOT_FOUND,
              "%s: train-labels-idx1-ubyte, plain or .gz, is missing beside train-images-idx3-ubyte", folder);
}
END_TEST

START_TEST(a_folder_in_the_place_of_a_file)
{
  write_good_set();
  unlink(in_folder(TRAIN_LABELS));
  run_program((char *[]){"mkdir", (char *)in_folder(TRAIN_LABELS), NULL});
  check_fails("mnist", NULL, folder, DLC_IO, "%s: Is a directory", in_folder(TRAIN_LABELS));
}
END_TEST

START_TEST(a_pipe_in_the_place_of_a_file)
{
  write_good_set();
  unlink(in_folder(TRAIN_LABELS));
  ck_assert_int_eq(mkfifo(in_folder(TRAIN_LABELS), 0600), 0);
  check_fails("mnist", NULL, folder, DLC_IO, "%s: not a regular file", in_folder(TRAIN_LABELS));
}
END_TEST

START_TEST(an_unreadable_file)
{
  if (geteuid() == 0) return; /* root reads everything */
  write_good_set();
  ck_assert_int_eq(chmod(in_folder(TRAIN_LABELS), 0), 0);
  check_fails("mnist", NULL, folder, DLC_IO, "%s: Permission denied", in_folder(TRAIN_LABELS));
}
END_TEST

START_TEST(a_link_to_itself)
{
  write_good_set();
  unlink(in_folder(TRAIN_LABELS));
  ck_assert_int_eq(symlink(TRAIN_LABELS, in_folder(TRAIN_LABELS)), 0);
  check_fails("mnist", NULL, folder, DLC_IO, "%s: Too many levels of symbolic links", in_folder(TRAIN_LABELS));
}
END_TEST

/* ---- files that are not what they should be ---- */

START_TEST(an_empty_file)
{
  write_good_set();
  write_bytes(in_folder(TRAIN_IMAGES), "", 0);
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s: 0 bytes, too short for an idx file", in_folder(TRAIN_IMAGES));
}
END_TEST

START_TEST(a_header_cut_short)
{
  write_good_set();
  ck_assert_int_eq(truncate(in_folder(TRAIN_IMAGES), 15), 0);
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s: 15 bytes, too short for an idx header of 16",
              in_folder(TRAIN_IMAGES));
}
END_TEST

START_TEST(another_kind_of_file)
{
  write_good_set();
  write_bytes(in_folder(TRAIN_IMAGES), "<!DOCTYPE html>", 15);
  check_fails("mnist", NULL, folder, DLC_INVALID,
              "%s: begins with 3c 21 44 4f, expected 00 00 08 03 or 00 00 08 04 (images: bytes, 3 or 4 dimensions)",
              in_folder(TRAIN_IMAGES));
}
END_TEST

START_TEST(values_that_are_not_bytes)
{
  write_good_set();
  write_bytes(in_folder(TRAIN_LABELS), "\0\0\x0d\x01\0\0\0\x06xxxxxx", 14);
  check_fails("mnist", NULL, folder, DLC_INVALID,
              "%s: begins with 00 00 0d 01, expected 00 00 08 01 (labels: bytes, 1 dimension)",
              in_folder(TRAIN_LABELS));
}
END_TEST

START_TEST(images_and_labels_exchanged)
{
  write_good_set();
  rename(in_folder(TRAIN_LABELS), in_folder(TRAIN_IMAGES));
  write_idx(TRAIN_LABELS, train_labels, 6, DIMS(6));
  check_fails("mnist", NULL, folder, DLC_INVALID,
              "%s: begins with 00 00 08 01, expected 00 00 08 03 or 00 00 08 04 (images: bytes, 3 or 4 dimensions)",
              in_folder(TRAIN_IMAGES));
}
END_TEST

START_TEST(no_images_at_all)
{
  write_good_set();
  write_idx(TRAIN_IMAGES, "", 0, DIMS(0, 4, 5));
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s: dimension 0 is 0, expected 1..2147483647",
              in_folder(TRAIN_IMAGES));
}
END_TEST

START_TEST(dimensions_whose_product_overflows)
{
  write_good_set();
  write_idx(TRAIN_IMAGES, "x", 1, DIMS(1u << 30, 1u << 30, 1u << 30));
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s: the dimensions in the header make more than 68719476736 bytes",
              in_folder(TRAIN_IMAGES));
}
END_TEST

START_TEST(a_truncated_file)
{
  write_good_set();
  ck_assert_int_eq(truncate(in_folder(TRAIN_IMAGES), 100), 0);
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s: 100 bytes, expected 136 for 6 entries: 36 bytes missing",
              in_folder(TRAIN_IMAGES));
}
END_TEST

START_TEST(an_oversized_file)
{
  write_good_set();
  ck_assert_int_eq(truncate(in_folder(TRAIN_LABELS), 17), 0);
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s: 17 bytes, expected 14 for 6 entries: 3 bytes too many",
              in_folder(TRAIN_LABELS));
}
END_TEST

START_TEST(a_truncated_file_inside_whole_gzip)
{
  write_good_set();
  ck_assert_int_eq(truncate(in_folder(TRAIN_IMAGES), 100), 0);
  pack(TRAIN_IMAGES);
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s.gz: 100 bytes, expected 136 for 6 entries: 36 bytes missing",
              in_folder(TRAIN_IMAGES));
}
END_TEST

/* ---- gzip ---- */

static off_t pack_images(void)
{
  struct stat st;
  write_good_set();
  pack(TRAIN_IMAGES);
  ck_assert_int_eq(stat(in_folder(TRAIN_IMAGES ".gz"), &st), 0);
  return st.st_size;
}

/* Writes one byte at `offset` of the packed images. */
static void patch(off_t offset, int byte)
{
  FILE *f = fopen(in_folder(TRAIN_IMAGES ".gz"), "r+b");
  ck_assert_ptr_nonnull(f);
  ck_assert_int_eq(fseek(f, offset, SEEK_SET), 0);
  ck_assert_int_eq(fputc(byte, f), byte);
  ck_assert_int_eq(fclose(f), 0);
}

static void check_damaged(off_t size)
{
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s: the gzip data (%lld bytes) is damaged or cut short",
              in_folder(TRAIN_IMAGES ".gz"), (long long)size);
}

START_TEST(a_truncated_gzip_file)
{
  off_t size = pack_images() / 2;
  ck_assert_int_eq(truncate(in_folder(TRAIN_IMAGES ".gz"), size), 0);
  check_damaged(size);
}
END_TEST

START_TEST(a_gzip_file_without_its_last_byte)
{
  off_t size = pack_images() - 1;
  ck_assert_int_eq(truncate(in_folder(TRAIN_IMAGES ".gz"), size), 0);
  check_damaged(size);
}
END_TEST

START_TEST(a_gzip_file_with_a_wrong_checksum)
{
  off_t size = pack_images();
  patch(size - 8, 0);
  patch(size - 7, 1);
  check_damaged(size);
}
END_TEST

START_TEST(a_gzip_file_that_claims_to_unpack_to_gigabytes)
{
  off_t size = pack_images();
  patch(size - 1, 0xff);
  check_damaged(size);
}
END_TEST

START_TEST(a_gzip_file_of_two_bytes)
{
  write_good_set();
  write_bytes(in_folder(TRAIN_IMAGES), "\x1f\x8b", 2);
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s: 2 bytes, too short for a gzip file", in_folder(TRAIN_IMAGES));
}
END_TEST

START_TEST(something_else_after_the_gzip_data)
{
  off_t size = pack_images();
  patch(size, 'x');
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s: the last 1 bytes are not gzip data as those before",
              in_folder(TRAIN_IMAGES ".gz"));
}
END_TEST

/* ---- files that do not fit together ---- */

START_TEST(more_images_than_labels)
{
  write_good_set();
  write_idx(TRAIN_LABELS, train_labels, 5, DIMS(5));
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s has 6 images, but %s has 5 labels", in_folder(TRAIN_IMAGES),
              in_folder(TRAIN_LABELS));
}
END_TEST

START_TEST(test_images_of_another_size)
{
  uint8_t pixels[40] = {0};
  write_good_set();
  write_idx("t10k-images-idx3-ubyte", pixels, sizeof pixels, DIMS(2, 5, 4));
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s has images of 1x4x5, but %s of 1x5x4 (channels, height, width)",
              in_folder(TRAIN_IMAGES), in_folder("t10k-images-idx3-ubyte"));
}
END_TEST

START_TEST(a_label_beyond_the_classes)
{
  write_good_set();
  write_idx(TRAIN_LABELS, (uint8_t[]){0, 1, 2, 10, 3, 4}, 6, DIMS(6));
  check_fails("mnist", NULL, folder, DLC_INVALID, "%s: label 10 at index 3, expected 0..9", in_folder(TRAIN_LABELS));
}
END_TEST

START_TEST(a_label_beyond_the_classes_that_were_asked_for)
{
  write_good_set();
  check_fails("idx", "classes=9", folder, DLC_INVALID, "%s: label 9 at index 2, expected 0..8",
              in_folder(TRAIN_LABELS));
}
END_TEST

START_TEST(a_label_below_the_first_of_emnist_letters)
{
  write_set(".", "emnist-letters-", "test");
  check_fails("emnist", "variant=letters", folder, DLC_INVALID, "%s: label 0 at index 1, expected 1..26",
              in_folder("emnist-letters-train-labels-idx1-ubyte"));
}
END_TEST

/* ---- anything ---- */

static const char *const names[4] = {TRAIN_IMAGES, TRAIN_LABELS, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

static size_t read_bytes_of(const char *path, uint8_t *to, size_t room)
{
  FILE *f = fopen(path, "rb");
  ck_assert_ptr_nonnull(f);
  size_t n = fread(to, 1, room, f);
  ck_assert_int_eq(fclose(f), 0);
  return n;
}

/* A data set that opened must keep its promises; one that did not must say why in one line. Reads every byte. */
static void check_whatever_opened(int *opened)
{
  test_dataset t;
  if (open_dataset("idx", NULL, folder, &t) != DLC_OK) {
    ck_assert_ptr_nonnull(strstr(dlc_reason(), folder));
    ck_assert_ptr_null(strchr(dlc_reason(), '\n'));
    return;
  }
  ++*opened;
  volatile uint32_t sum = 0;
  for (uint32_t s = 0; s < t.info->n_splits; s++) {
    const dlc_split *split = &t.info->splits[s];
    int64_t bytes = split->count * t.info->channels * t.info->height * t.info->width;
    for (int64_t i = 0; i < split->count; i++) ck_assert_uint_lt((uint32_t)split->labels[i], t.info->n_classes);
    for (int64_t i = 0; i < bytes; i++) sum += split->samples[i];
  }
  close_dataset(&t);
}

/* `_i`: 0 plain, 1 gzip. */
START_TEST(damaged_files_never_crash)
{
  enum { ROUNDS = 3000 };
  uint8_t whole[4][512], bytes[512];
  char path[4][PATH_MAX];
  size_t n[4];
  int opened = 0;
  write_good_set();
  for (int k = 0; k < 4; k++) {
    if (_i) pack(names[k]);
    snprintf(path[k], sizeof path[k], "%.3000s/%s%s", folder, names[k], _i ? ".gz" : "");
    n[k] = read_bytes_of(path[k], whole[k], 500);
  }
  for (uint32_t round = 0; round < ROUNDS; round++) {
    uint32_t word[4];
    dlc_random_words(1, 0x20000 + (uint32_t)_i, 0, round, 0, word);
    int k = (int)(word[0] & 3);
    size_t length = n[k], flips = word[0] >> 2 & 3;
    memcpy(bytes, whole[k], length);
    if (word[0] & 16) length = word[1] % (length + 12);
    for (size_t i = n[k]; i < length; i++) bytes[i] = (uint8_t)(word[1] >> i % 24);
    for (size_t i = 0; i < flips && length > 0; i++) {
      uint32_t flip = word[2 + i % 2] >> 16 * (i / 2);
      /* Half of them hit the header. */
      size_t at = flip & 1 ? (flip >> 1) % length : (flip >> 1) % (length < 20 ? length : 20);
      bytes[at] ^= (uint8_t)(1u << (flip >> 8 & 7));
    }
    write_bytes(path[k], bytes, length);
    check_whatever_opened(&opened);
    write_bytes(path[k], whole[k], n[k]);
  }
  ck_assert_int_gt(opened, ROUNDS / 50);
  ck_assert_int_lt(opened, ROUNDS - ROUNDS / 50);
  test_dataset t = must_open("mnist", NULL, folder);
  check_good_set(t.info);
  close_dataset(&t);
}
END_TEST

static void add_missing(TCase *tests)
{
  tcase_add_test(tests, a_missing_folder);
  tcase_add_test(tests, a_file_instead_of_a_folder);
  tcase_add_test(tests, an_empty_folder);
  tcase_add_test(tests, no_folder_at_all);
  tcase_add_test(tests, fashion_mnist_names_debians_package);
  tcase_add_test(tests, idx_must_be_told_its_folder);
  tcase_add_test(tests, one_missing_file);
  tcase_add_test(tests, a_folder_in_the_place_of_a_file);
  tcase_add_test(tests, a_pipe_in_the_place_of_a_file);
  tcase_add_test(tests, an_unreadable_file);
  tcase_add_test(tests, a_link_to_itself);
}

static void add_wrong(TCase *tests)
{
  tcase_add_test(tests, an_empty_file);
  tcase_add_test(tests, a_header_cut_short);
  tcase_add_test(tests, another_kind_of_file);
  tcase_add_test(tests, values_that_are_not_bytes);
  tcase_add_test(tests, images_and_labels_exchanged);
  tcase_add_test(tests, no_images_at_all);
  tcase_add_test(tests, dimensions_whose_product_overflows);
  tcase_add_test(tests, a_truncated_file);
  tcase_add_test(tests, an_oversized_file);
  tcase_add_test(tests, a_truncated_file_inside_whole_gzip);
  tcase_add_test(tests, a_truncated_gzip_file);
  tcase_add_test(tests, a_gzip_file_without_its_last_byte);
  tcase_add_test(tests, a_gzip_file_with_a_wrong_checksum);
  tcase_add_test(tests, a_gzip_file_that_claims_to_unpack_to_gigabytes);
  tcase_add_test(tests, a_gzip_file_of_two_bytes);
  tcase_add_test(tests, something_else_after_the_gzip_data);
  tcase_add_test(tests, more_images_than_labels);
  tcase_add_test(tests, test_images_of_another_size);
  tcase_add_test(tests, a_label_beyond_the_classes);
  tcase_add_test(tests, a_label_beyond_the_classes_that_were_asked_for);
  tcase_add_test(tests, a_label_below_the_first_of_emnist_letters);
}

int main(void)
{
  TCase *tests = tcase_create("idx");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  add_missing(tests);
  add_wrong(tests);
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, damaged_files_never_crash, 0, 2);
  return run_suite("bad idx files", tests);
}
