/* Generations and epochs of checkpoints: what is kept, what is found, what is damaged. */
#include "base/file.h"
#include "checkpoint_fixture.h"
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void ck_writes(int number)
{
  const dlc_status status = write_generation(folder, number);
  ck_assert_msg(status == DLC_OK, "generation %d: %s", number, dlc_reason());
}

static void ck_has(const char *part)
{
  ck_assert_msg(strstr(found_lines, part) != NULL, "expected '%s' in: %s", part, found_lines);
}

/* ---- generations ---- */

START_TEST(the_last_two_generations_are_kept)
{
  ck_writes(1);
  ck_assert_int_eq(generation_at(in_folder("last.safetensors")), 1);
  ck_assert(!dlc_path_exists(in_folder("previous.safetensors")));
  ck_writes(2);
  ck_writes(3);
  ck_assert_int_eq(generation_at(in_folder("last.safetensors")), 3);
  ck_assert_int_eq(generation_at(in_folder("previous.safetensors")), 2);
  ck_assert_int_eq(count_entries(), 2);
  ck_assert_int_eq(find_generation(folder), 3);
  ck_assert_str_eq(found_lines, "");
}
END_TEST

START_TEST(the_folder_is_made)
{
  const char *deep = in_folder("runs/a/checkpoints");
  ck_assert_int_eq(write_generation(deep, 1), DLC_OK);
  ck_assert_int_eq(find_generation(deep), 1);
}
END_TEST

START_TEST(without_a_checkpoint_there_is_none)
{
  ck_assert_int_eq(find_generation(in_folder("none")), DLC_NOT_FOUND);
  ck_assert_msg(strstr(dlc_reason(), "no checkpoint in "), "%s", dlc_reason());
  ck_assert_int_eq(find_generation(folder), DLC_NOT_FOUND);
  write_text(in_folder("epoch-1.safetensors.bak"), "x");
  ck_assert_int_eq(find_generation(folder), DLC_NOT_FOUND);
}
END_TEST

START_TEST(a_damaged_generation_is_passed_over_with_one_line)
{
  ck_writes(1);
  ck_writes(2);
  write_text(in_folder("last.safetensors"), "not a checkpoint");
  ck_assert_int_eq(find_generation(folder), 1);
  ck_has("last.safetensors: not safetensors, or cut");
  ck_has("; going on from ");
  ck_has("previous.safetensors\n");
  ck_assert_ptr_eq(strchr(found_lines, '\n'), found_lines + strlen(found_lines) - 1);
}
END_TEST

START_TEST(a_missing_generation_is_passed_over_with_one_line)
{
  ck_writes(1);
  ck_writes(2);
  unlink(in_folder("last.safetensors"));
  ck_assert_int_eq(find_generation(folder), 1);
  ck_has("last.safetensors: No such file or directory; going on from ");
}
END_TEST

START_TEST(where_all_are_damaged_each_is_named)
{
  ck_writes(1);
  ck_writes(2);
  write_text(in_folder("last.safetensors"), "");
  write_text(in_folder("previous.safetensors"), "12345678901234567890");
  ck_assert_int_eq(find_generation(folder), DLC_INVALID);
  ck_assert_msg(strstr(dlc_reason(), "last.safetensors: 0 bytes are too few") &&
                    strstr(dlc_reason(), "previous.safetensors: not safetensors, or cut"),
                "%s", dlc_reason());
}
END_TEST

/* The good one is not lost to the damaged one. */
START_TEST(a_damaged_generation_does_not_become_the_previous_one)
{
  ck_writes(1);
  ck_writes(2);
  write_text(in_folder("last.safetensors"), "damaged");
  ck_writes(3);
  ck_assert_int_eq(generation_at(in_folder("last.safetensors")), 3);
  ck_assert_int_eq(generation_at(in_folder("previous.safetensors")), 1);
  ck_assert_int_eq(count_entries(), 2);
}
END_TEST

START_TEST(what_cannot_be_written_leaves_the_generations_alone)
{
  generation g;
  dlc_checkpoint c = make_generation(&g, 3);
  ck_writes(1);
  ck_writes(2);
  g.tensors[1].name = g.tensors[0].name;
  ck_assert_int_eq(dlc_checkpoint_write(folder, &c), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "more than one thing to be written is called bn1.num_batches_tracked");
  g.tensors[1].name = "caf\xe9";
  ck_assert_int_eq(dlc_checkpoint_write(folder, &c), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "'caf\xe9' cannot be written: it is not UTF-8");
  ck_assert_int_eq(find_generation(folder), 2);
  ck_assert_int_eq(count_entries(), 2);
}
END_TEST

START_TEST(leftovers_of_killed_writers_are_removed_and_nothing_else)
{
  dlc_atomic_file busy;
  write_text(in_folder(".last.safetensors.4711-0.tmp"), "half");
  write_text(in_folder(".epoch-3.safetensors.1-2.tmp"), "half");
  write_text(in_folder(".notes.tmp"), "mine");
  write_text(in_folder("x.1-2.tmp"), "mine");
  write_text(in_folder("..1-2.tmp"), "mine");
  ck_assert_int_eq(dlc_atomic_open(&busy, in_folder("other")), DLC_OK);
  ck_writes(1);
  ck_assert(!dlc_path_exists(in_folder(".last.safetensors.4711-0.tmp")));
  ck_assert(!dlc_path_exists(in_folder(".epoch-3.safetensors.1-2.tmp")));
  ck_assert(dlc_path_exists(in_folder(".notes.tmp")));
  ck_assert(dlc_path_exists(in_folder("x.1-2.tmp")));
  ck_assert(dlc_path_exists(in_folder("..1-2.tmp")));
  ck_assert_int_eq(dlc_atomic_commit(&busy), DLC_OK);
}
END_TEST

/* ---- damage ---- */

typedef struct bytes {
  char data[2048];
  size_t n;
} bytes;

static bytes read_bytes(const char *path)
{
  bytes b;
  FILE *f = fopen(path, "rb");
  ck_assert_ptr_nonnull(f);
  b.n = fread(b.data, 1, sizeof b.data, f);
  fclose(f);
  ck_assert_uint_lt(b.n, sizeof b.data);
  return b;
}

static void write_bytes(const char *path, const char *data, size_t n)
{
  FILE *f = fopen(path, "wb");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(data, 1, n, f), n);
  fclose(f);
}

START_TEST(every_flipped_byte_is_found_and_the_generation_before_is_used)
{
  ck_writes(1);
  ck_writes(2);
  const char *last = in_folder("last.safetensors");
  bytes b = read_bytes(last);
  for (size_t i = 0; i < b.n; i++) {
    b.data[i] ^= (char)(1 << i % 8);
    write_bytes(last, b.data, b.n);
    b.data[i] ^= (char)(1 << i % 8);
    ck_assert_msg(find_generation(folder) == 1, "bit %zu of byte %zu was not noticed", i % 8, i);
  }
}
END_TEST

/* Whole or not is also found in little memory: in steps, because it asks the disk each time. */
START_TEST(damage_is_found_without_reading_the_file_into_memory)
{
  ck_writes(1);
  const char *last = in_folder("last.safetensors");
  bytes b = read_bytes(last);
  ck_assert_int_eq(dlc_safetensors_check(last), DLC_OK);
  for (size_t i = 0; i < b.n; i += 37) {
    b.data[i] ^= 1;
    write_bytes(last, b.data, b.n);
    b.data[i] ^= 1;
    ck_assert_msg(dlc_safetensors_check(last) == DLC_INVALID, "byte %zu was not noticed", i);
    write_bytes(last, b.data, i);
    ck_assert_msg(dlc_safetensors_check(last) == DLC_INVALID, "a cut after %zu bytes was not noticed", i);
  }
}
END_TEST

START_TEST(every_cut_is_found_and_the_generation_before_is_used)
{
  ck_writes(1);
  ck_writes(2);
  const char *last = in_folder("last.safetensors");
  bytes b = read_bytes(last);
  for (size_t n = 0; n < b.n; n++) {
    write_bytes(last, b.data, n);
    ck_assert_msg(find_generation(folder) == 1, "a cut after %zu of %zu bytes was not noticed", n, b.n);
  }
  b.data[b.n] = 0;
  write_bytes(last, b.data, b.n + 1);
  ck_assert_int_eq(find_generation(folder), 1);
}
END_TEST

/* ---- epochs ---- */

static void write_epoch(int epoch, double score, uint32_t keep)
{
  generation g;
  const dlc_checkpoint c = make_generation(&g, epoch);
  ck_assert_msg(dlc_checkpoint_write_epoch(folder, &c, epoch, score, keep) == DLC_OK, "%s", dlc_reason());
}

/* The epochs of the folder in ascending order, as text. */
static const char *epochs(void)
{
  static char list[128];
  size_t n = 0;
  list[0] = 0;
  for (int epoch = 0; epoch < 20; epoch++) {
    char name[64];
    snprintf(name, sizeof name, "epoch-%d.safetensors", epoch);
    if (!dlc_path_exists(in_folder(name))) continue;
    ck_assert_int_eq(generation_at(in_folder(name)), epoch);
    n += (size_t)snprintf(list + n, sizeof list - n, "%s%d", n ? " " : "", epoch);
  }
  return list;
}

START_TEST(the_best_epochs_are_kept)
{
  static const double scores[] = {0.5, 0.7, 0.6, 0.4, 0.7, 0.9};
  static const char *const kept[] = {"0", "0 1", "1 2", "1 2", "1 4", "1 5"};
  for (int i = 0; i < 6; i++) {
    write_epoch(i, scores[i], 2);
    ck_assert_str_eq(epochs(), kept[i]);
  }
  ck_assert_int_eq(count_entries(), 2);
}
END_TEST

START_TEST(a_score_that_is_no_number_is_the_worst)
{
  write_epoch(1, NAN, 2);
  write_epoch(2, -INFINITY, 2);
  ck_assert_str_eq(epochs(), "1 2");
  write_epoch(3, NAN, 2);
  ck_assert_str_eq(epochs(), "1 2");
  write_epoch(4, -1, 2);
  ck_assert_str_eq(epochs(), "2 4");
}
END_TEST

START_TEST(an_epoch_that_is_repeated_is_replaced)
{
  write_epoch(1, 0.9, 2);
  write_epoch(2, 0.5, 2);
  write_epoch(3, 0.6, 2);
  ck_assert_str_eq(epochs(), "1 3");
  write_epoch(1, 0.1, 1);
  ck_assert_str_eq(epochs(), "3");
}
END_TEST

START_TEST(epochs_that_say_no_score_are_left_alone)
{
  write_text(in_folder("epoch-7.safetensors"), "mine");
  write_epoch(1, 0.1, 1);
  write_epoch(2, 0.2, 1);
  ck_assert(dlc_path_exists(in_folder("epoch-7.safetensors")));
  unlink(in_folder("epoch-7.safetensors"));
  ck_assert_str_eq(epochs(), "2");
}
END_TEST

START_TEST(epochs_are_the_last_resort)
{
  write_epoch(3, 1, 5);
  write_epoch(12, 1, 5);
  ck_assert_int_eq(find_generation(folder), 12);
  write_text(in_folder("epoch-12.safetensors"), "damaged");
  ck_assert_int_eq(find_generation(folder), 3);
  ck_writes(1);
  ck_assert_int_eq(find_generation(folder), 1);
}
END_TEST

/* ---- a full disk ---- */

enum { DISK_BYTES = 64 << 10 };

/* A file system of DISK_BYTES in the test's folder, seen by this process alone; or, where that is not allowed, a limit
 * on the size of a file. */
static bool make_disk(const char *where)
{
  char options[32];
  snprintf(options, sizeof options, "size=%d", DISK_BYTES);
  if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
      mount("tmpfs", where, "tmpfs", 0, options) == 0)
    return true;
  signal(SIGXFSZ, SIG_IGN);
  const struct rlimit limit = {DISK_BYTES, RLIM_INFINITY};
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  return false;
}

START_TEST(a_full_disk_keeps_the_generations)
{
  static float many[DISK_BYTES / 4];
  generation g;
  dlc_checkpoint c = make_generation(&g, 3);
  char *disk = strdup(in_folder("disk"));
  ck_assert_int_eq(mkdir(disk, 0777), 0);
  const bool mounted = make_disk(disk);
  ck_assert_int_eq(write_generation(disk, 1), DLC_OK);
  ck_assert_int_eq(write_generation(disk, 2), DLC_OK);
  g.tensors[1] = (dlc_tensor){"conv1.weight", DLC_F32, 1, {DISK_BYTES / 4}, many};
  ck_assert_int_eq(dlc_checkpoint_write(disk, &c), DLC_IO);
  ck_assert_msg(strstr(dlc_reason(), strerror(mounted ? ENOSPC : EFBIG)), "%s", dlc_reason());
  ck_assert_int_eq(dlc_checkpoint_write_epoch(disk, &c, 1, 1, 1), DLC_IO);
  ck_assert_int_eq(find_generation(disk), 2);
  ck_assert_str_eq(found_lines, "");
  ck_assert_int_eq(write_generation(disk, 4), DLC_OK);
  ck_assert_int_eq(find_generation(disk), 4);
  if (mounted) ck_assert_int_eq(umount(disk), 0);
  free(disk);
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("checkpoint_file");
  tcase_add_checked_fixture(t, make_folder, remove_folder);
  tcase_add_test(t, the_last_two_generations_are_kept);
  tcase_add_test(t, the_folder_is_made);
  tcase_add_test(t, without_a_checkpoint_there_is_none);
  tcase_add_test(t, a_damaged_generation_is_passed_over_with_one_line);
  tcase_add_test(t, a_missing_generation_is_passed_over_with_one_line);
  tcase_add_test(t, where_all_are_damaged_each_is_named);
  tcase_add_test(t, a_damaged_generation_does_not_become_the_previous_one);
  tcase_add_test(t, what_cannot_be_written_leaves_the_generations_alone);
  tcase_add_test(t, leftovers_of_killed_writers_are_removed_and_nothing_else);
  tcase_add_test(t, every_flipped_byte_is_found_and_the_generation_before_is_used);
  tcase_add_test(t, damage_is_found_without_reading_the_file_into_memory);
  tcase_add_test(t, every_cut_is_found_and_the_generation_before_is_used);
  tcase_add_test(t, the_best_epochs_are_kept);
  tcase_add_test(t, a_score_that_is_no_number_is_the_worst);
  tcase_add_test(t, an_epoch_that_is_repeated_is_replaced);
  tcase_add_test(t, epochs_that_say_no_score_are_left_alone);
  tcase_add_test(t, epochs_are_the_last_resort);
  tcase_add_test(t, a_full_disk_keeps_the_generations);
  return run_suite("checkpoint_file", t);
}
