/* The idx plugin on right files: spellings, folders, gzip, variants, and what it says about them. */
#include "archive_fixture.h"
#include "idx_fixture.h"
#include <math.h>

/* ---- the files ---- */

START_TEST(four_plain_files_are_read)
{
  write_good_set();
  test_dataset t = must_open("mnist", NULL, folder);
  check_good_set(t.info);
  ck_assert_uint_eq(t.info->n_splits, 2);
  ck_assert_str_eq(t.info->splits[0].name, "train");
  ck_assert_str_eq(t.info->splits[1].name, "test");
  ck_assert_str_eq(t.info->origin, folder);
  close_dataset(&t);
}
END_TEST

START_TEST(gzip_files_are_read)
{
  write_good_set();
  pack("train-images-idx3-ubyte");
  pack("train-labels-idx1-ubyte");
  pack("t10k-images-idx3-ubyte");
  pack("t10k-labels-idx1-ubyte");
  test_dataset t = must_open("mnist", NULL, folder);
  check_good_set(t.info);
  close_dataset(&t);
}
END_TEST

START_TEST(gzip_is_known_by_its_content_whatever_the_name_says)
{
  write_good_set();
  pack("train-images-idx3-ubyte");
  rename(in_folder("train-images-idx3-ubyte.gz"), in_folder("train-images-idx3-ubyte"));
  rename(in_folder("t10k-labels-idx1-ubyte"), in_folder("t10k-labels-idx1-ubyte.gz"));
  test_dataset t = must_open("mnist", NULL, folder);
  check_good_set(t.info);
  close_dataset(&t);
}
END_TEST

START_TEST(a_gzip_file_may_have_several_members)
{
  write_good_set();
  char command[3 * PATH_MAX];
  snprintf(command, sizeof command,
           "cd %s && (head -c 60 train-images-idx3-ubyte | gzip; tail -c +61 train-images-idx3-ubyte | gzip) > "
           "train-images-idx3-ubyte.gz && rm train-images-idx3-ubyte",
           folder);
  run_program((char *[]){"sh", "-c", command, NULL});
  test_dataset t = must_open("mnist", NULL, folder);
  check_good_set(t.info);
  close_dataset(&t);
}
END_TEST

START_TEST(names_with_a_dot_are_found)
{
  write_good_set();
  rename(in_folder("train-images-idx3-ubyte"), in_folder("train-images.idx3-ubyte"));
  rename(in_folder("t10k-labels-idx1-ubyte"), in_folder("t10k-labels.idx1-ubyte"));
  pack("t10k-labels.idx1-ubyte");
  test_dataset t = must_open("mnist", NULL, folder);
  check_good_set(t.info);
  close_dataset(&t);
}
END_TEST

START_TEST(a_folder_with_a_files_name_is_passed_over_for_the_other_spelling)
{
  write_good_set();
  rename(in_folder("train-images-idx3-ubyte"), in_folder("train-images.idx3-ubyte"));
  run_program((char *[]){"mkdir", (char *)in_folder("train-images-idx3-ubyte"), NULL});
  test_dataset t = must_open("mnist", NULL, folder);
  check_good_set(t.info);
  close_dataset(&t);
}
END_TEST

/* ---- the folders ---- */

static const struct {
  const char *dataset, *folder;
} layouts[] = {{"mnist", "raw"},
               {"mnist", "MNIST/raw"},
               {"mnist", "mnist"},
               {"fashion-mnist", "FashionMNIST/raw"},
               {"fashion-mnist", "fashion-mnist"},
               {"kmnist", "KMNIST/raw"},
               {"idx", "raw"},
               {"idx", "MNIST/raw"},
               {"idx", "FashionMNIST/raw"}};

START_TEST(usual_layouts_are_found_below_the_data_folder)
{
  write_set(layouts[_i].folder, "", "t10k");
  test_dataset t = must_open(layouts[_i].dataset, NULL, folder);
  check_good_set(t.info);
  ck_assert_str_eq(t.info->origin, in_folder(layouts[_i].folder));
  close_dataset(&t);
}
END_TEST

START_TEST(each_data_set_takes_its_own_folder_of_one_root)
{
  write_set("MNIST/raw", "", "t10k");
  write_set("FashionMNIST/raw", "", "t10k");
  test_dataset t = must_open("fashion-mnist", NULL, folder);
  ck_assert_str_eq(t.info->origin, in_folder("FashionMNIST/raw"));
  close_dataset(&t);
}
END_TEST

START_TEST(a_complete_folder_is_preferred_to_a_partial_one)
{
  write_set("raw", "", "t10k");
  write_set("MNIST/raw", "", "t10k");
  ck_assert_int_eq(unlink(in_folder("raw/t10k-labels-idx1-ubyte")), 0);
  test_dataset t = must_open("mnist", NULL, folder);
  ck_assert_str_eq(t.info->origin, in_folder("MNIST/raw"));
  close_dataset(&t);
}
END_TEST

START_TEST(without_a_data_folder_the_working_folder_is_searched_by_name)
{
  write_set("data/KMNIST/raw", "", "t10k");
  ck_assert_int_eq(chdir(folder), 0);
  test_dataset t = must_open("kmnist", NULL, NULL);
  check_good_set(t.info);
  ck_assert_str_eq(t.info->origin, "data/KMNIST/raw");
  close_dataset(&t);
}
END_TEST

START_TEST(fashion_mnist_of_keras_is_found_in_the_home_folder)
{
  write_set(".keras/datasets/fashion-mnist", "", "t10k");
  run_program((char *[]){"mkdir", (char *)in_folder("empty"), NULL});
  ck_assert_int_eq(chdir(in_folder("empty")), 0);
  test_dataset t = must_open("fashion-mnist", NULL, NULL);
  check_good_set(t.info);
  close_dataset(&t);
}
END_TEST

/* ---- archives ---- */

/* The command packs ./set into an archive in the test's folder. */
static const struct {
  const char *archive, *below, *command;
} archives[] = {{"x.tar", "set", "tar -cf x.tar -C set ."},
                {"x.tar.gz", "set", "tar -czf x.tar.gz set"},
                {"x.tar.gz", "set/MNIST/raw", "tar -czf x.tar.gz set"},
                {"x.tar", "set/some/wrapping/folder", "tar -cf x.tar -C set ."},
                {"x.tar", "set/some/wrapping/folder/mnist", "tar -cf x.tar -C set ."}};

START_TEST(archives_are_read_in_whatever_folders_they_are_wrapped)
{
  write_set(archives[_i].below, "", "t10k");
  shell("cd %s && %s && rm -r set", folder, archives[_i].command);
  test_dataset t = must_open("mnist", NULL, in_folder(archives[_i].archive));
  check_good_set(t.info);
  close_dataset(&t);
}
END_TEST

START_TEST(zip_archives_are_read)
{
  static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                      "t10k-labels-idx1-ubyte"};
  zip_writer z = {0};
  write_good_set();
  for (int i = 0; i < 4; i++) {
    char wrapped[64];
    blob b = read_blob(in_folder(names[i]));
    snprintf(wrapped, sizeof wrapped, "mnist-master/files/%s", names[i]);
    zip_add(&z, (zip_entry){.name = wrapped, .data = b.data, .n = b.n});
    blob_free(&b);
  }
  const char *path = zip_write(&z, "x.zip");
  test_dataset t = must_open("mnist", NULL, path);
  check_good_set(t.info);
  close_dataset(&t);
}
END_TEST

START_TEST(gzip_files_in_an_archive_are_read)
{
  write_good_set();
  shell("cd %s && gzip *-ubyte && tar -cf x.tar *.gz && rm *.gz", folder);
  test_dataset t = must_open("mnist", NULL, in_folder("x.tar"));
  check_good_set(t.info);
  ck_assert_str_eq(t.info->origin, in_folder("x.tar"));
  close_dataset(&t);
}
END_TEST

START_TEST(a_wrapping_folder_is_looked_into)
{
  write_set("wrapped/twice", "", "t10k");
  test_dataset t = must_open("mnist", NULL, folder);
  check_good_set(t.info);
  ck_assert_str_eq(t.info->origin, in_folder("wrapped/twice"));
  close_dataset(&t);
}
END_TEST

START_TEST(of_several_wrapped_sets_the_one_with_the_name_is_taken)
{
  write_set("x/FashionMNIST/raw", "", "t10k");
  write_set("x/KMNIST/raw", "", "t10k");
  write_set("x/MNIST/raw", "", "t10k");
  test_dataset t = must_open("mnist", NULL, folder);
  ck_assert_str_eq(t.info->origin, in_folder("x/MNIST/raw"));
  close_dataset(&t);
}
END_TEST

START_TEST(a_folder_with_the_name_of_another_set_is_not_taken_for_it)
{
  test_dataset t;
  write_set("x/FashionMNIST/raw", "", "t10k");
  ck_assert_int_eq(open_dataset("mnist", NULL, folder, &t), DLC_NOT_FOUND);
}
END_TEST

/* ---- what is said about them ---- */

START_TEST(fashion_mnist_names_its_classes_and_knows_its_mean)
{
  write_good_set();
  test_dataset t = must_open("fashion-mnist", NULL, folder);
  ck_assert_uint_eq(t.info->n_classes, 10);
  ck_assert_str_eq(t.info->class_names[0], "T-shirt/top");
  ck_assert_str_eq(t.info->class_names[9], "Ankle boot");
  ck_assert_float_eq(t.info->mean[0], 0.2860f);
  ck_assert_float_eq(t.info->std[0], 0.3530f);
  close_dataset(&t);
}
END_TEST

START_TEST(idx_has_as_many_classes_as_its_largest_label_says)
{
  write_good_set();
  test_dataset t = must_open("idx", NULL, folder);
  ck_assert_uint_eq(t.info->n_classes, 10);
  ck_assert_str_eq(t.info->class_names[9], "9");
  close_dataset(&t);
  write_idx("t10k-labels-idx1-ubyte", (uint8_t[]){255, 0}, 2, DIMS(2));
  t = must_open("idx", NULL, folder);
  ck_assert_uint_eq(t.info->n_classes, 256);
  ck_assert_str_eq(t.info->class_names[255], "255");
  close_dataset(&t);
}
END_TEST

START_TEST(idx_takes_the_number_of_classes_as_an_option)
{
  write_good_set();
  test_dataset t = must_open("idx", "classes=12", folder);
  ck_assert_uint_eq(t.info->n_classes, 12);
  close_dataset(&t);
}
END_TEST

/* Against the textbook's two passes. */
START_TEST(idx_measures_mean_and_deviation_of_each_channel)
{
  uint8_t x[2 * 3 * 4];
  for (size_t i = 0; i < sizeof x; i++) x[i] = (uint8_t)(i * 37 + i * i);
  write_good_set();
  unlink(in_folder("train-images-idx3-ubyte"));
  unlink(in_folder("t10k-images-idx3-ubyte"));
  write_idx("train-images-idx4-ubyte", x, sizeof x, DIMS(2, 3, 2, 2));
  write_idx("train-labels-idx1-ubyte", train_labels, 2, DIMS(2));
  write_idx("t10k-images-idx4-ubyte", x, sizeof x, DIMS(2, 3, 2, 2));
  test_dataset t = must_open("idx", NULL, folder);
  ck_assert_int_eq(t.info->channels, 3);
  ck_assert_int_eq(t.info->height, 2);
  for (int c = 0; c < 3; c++) {
    double mean = 0, variance = 0;
    for (int i = 0; i < 8; i++) mean += x[i / 4 * 12 + c * 4 + i % 4] / 255.0 / 8;
    for (int i = 0; i < 8; i++) variance += pow(x[i / 4 * 12 + c * 4 + i % 4] / 255.0 - mean, 2) / 8;
    ck_assert_float_eq_tol(t.info->mean[c], (float)mean, 1e-6f);
    ck_assert_float_eq_tol(t.info->std[c], (float)sqrt(variance), 1e-6f);
  }
  close_dataset(&t);
}
END_TEST

START_TEST(pictures_that_never_change_are_divided_by_one)
{
  uint8_t x[120] = {0};
  write_good_set();
  write_idx("train-images-idx3-ubyte", x, sizeof x, DIMS(6, 4, 5));
  test_dataset t = must_open("idx", NULL, folder);
  ck_assert_float_eq(t.info->mean[0], 0);
  ck_assert_float_eq(t.info->std[0], 1);
  close_dataset(&t);
}
END_TEST

/* ---- EMNIST ---- */

START_TEST(emnist_pictures_are_turned_upright)
{
  write_set(".", "emnist-balanced-", "test");
  test_dataset t = must_open("emnist", NULL, folder);
  ck_assert_int_eq(t.info->height, 5);
  ck_assert_int_eq(t.info->width, 4);
  for (size_t i = 0; i < 6; i++)
    for (size_t row = 0; row < 4; row++)
      for (size_t column = 0; column < 5; column++)
        ck_assert_uint_eq(t.info->splits[0].samples[i * 20 + column * 4 + row], pixel(i * 20 + row * 5 + column));
  close_dataset(&t);
}
END_TEST

START_TEST(emnist_letters_are_counted_from_one)
{
  write_set(".", "emnist-letters-", "test");
  write_idx("emnist-letters-train-labels-idx1-ubyte", (uint8_t[]){1, 26, 2, 3, 4, 5}, 6, DIMS(6));
  test_dataset t = must_open("emnist", "variant=letters", folder);
  ck_assert_uint_eq(t.info->n_classes, 26);
  ck_assert_int_eq(t.info->splits[0].labels[0], 0);
  ck_assert_str_eq(t.info->class_names[0], "A");
  ck_assert_int_eq(t.info->splits[0].labels[1], 25);
  close_dataset(&t);
}
END_TEST

static const struct {
  const char *name;
  uint32_t n_classes;
  const char *last; /* class */
} variants[] = {
    {"balanced", 47, "t"}, {"bymerge", 47, "t"}, {"byclass", 62, "z"}, {"digits", 10, "9"}, {"mnist", 10, "9"}};

START_TEST(emnist_variants_have_their_own_files_and_classes)
{
  char prefix[64], option[64];
  snprintf(prefix, sizeof prefix, "emnist-%s-", variants[_i].name);
  snprintf(option, sizeof option, "variant=%s", variants[_i].name);
  write_set("EMNIST/raw", prefix, "test");
  test_dataset t = must_open("emnist", option, folder);
  ck_assert_uint_eq(t.info->n_classes, variants[_i].n_classes);
  ck_assert_str_eq(t.info->class_names[t.info->n_classes - 1], variants[_i].last);
  close_dataset(&t);
}
END_TEST

/* ---- the real thing ---- */

/* Debian's package dataset-fashion-mnist, where it is installed. */
START_TEST(debians_fashion_mnist_is_found_and_read)
{
  if (access("/usr/share/datasets/fashion-mnist", R_OK) != 0) return;
  static const int first[10] = {9, 0, 0, 3, 0, 2, 7, 2, 5, 5};
  ck_assert_int_eq(chdir(folder), 0);
  test_dataset t = must_open("fashion-mnist", NULL, NULL);
  ck_assert_str_eq(t.info->origin, "/usr/share/datasets/fashion-mnist");
  ck_assert_int_eq(t.info->splits[0].count, 60000);
  ck_assert_int_eq(t.info->splits[1].count, 10000);
  for (int i = 0; i < 10; i++) ck_assert_int_eq(t.info->splits[0].labels[i], first[i]);
  close_dataset(&t);
  t = must_open("idx", NULL, "/usr/share/datasets/fashion-mnist");
  ck_assert_float_eq_tol(t.info->mean[0], 0.2860f, 5e-5f);
  ck_assert_float_eq_tol(t.info->std[0], 0.3530f, 5e-5f);
  close_dataset(&t);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("idx");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, four_plain_files_are_read);
  tcase_add_test(tests, gzip_files_are_read);
  tcase_add_test(tests, gzip_is_known_by_its_content_whatever_the_name_says);
  tcase_add_test(tests, a_gzip_file_may_have_several_members);
  tcase_add_test(tests, names_with_a_dot_are_found);
  tcase_add_test(tests, a_folder_with_a_files_name_is_passed_over_for_the_other_spelling);
  tcase_add_loop_test(tests, usual_layouts_are_found_below_the_data_folder, 0, sizeof layouts / sizeof layouts[0]);
  tcase_add_test(tests, each_data_set_takes_its_own_folder_of_one_root);
  tcase_add_test(tests, a_complete_folder_is_preferred_to_a_partial_one);
  tcase_add_test(tests, without_a_data_folder_the_working_folder_is_searched_by_name);
  tcase_add_test(tests, fashion_mnist_of_keras_is_found_in_the_home_folder);
  tcase_add_loop_test(tests, archives_are_read_in_whatever_folders_they_are_wrapped, 0,
                      sizeof archives / sizeof archives[0]);
  tcase_add_test(tests, zip_archives_are_read);
  tcase_add_test(tests, gzip_files_in_an_archive_are_read);
  tcase_add_test(tests, a_wrapping_folder_is_looked_into);
  tcase_add_test(tests, of_several_wrapped_sets_the_one_with_the_name_is_taken);
  tcase_add_test(tests, a_folder_with_the_name_of_another_set_is_not_taken_for_it);
  tcase_add_test(tests, fashion_mnist_names_its_classes_and_knows_its_mean);
  tcase_add_test(tests, idx_has_as_many_classes_as_its_largest_label_says);
  tcase_add_test(tests, idx_takes_the_number_of_classes_as_an_option);
  tcase_add_test(tests, idx_measures_mean_and_deviation_of_each_channel);
  tcase_add_test(tests, pictures_that_never_change_are_divided_by_one);
  tcase_add_test(tests, emnist_pictures_are_turned_upright);
  tcase_add_test(tests, emnist_letters_are_counted_from_one);
  tcase_add_loop_test(tests, emnist_variants_have_their_own_files_and_classes, 0, sizeof variants / sizeof variants[0]);
  tcase_add_test(tests, debians_fashion_mnist_is_found_and_read);
  return run_suite("idx", tests);
}
