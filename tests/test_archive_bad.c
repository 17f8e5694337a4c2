/* Archives that are wrong: each mistake has its one clear line, and no bytes whatever can crash a reader. */
#include "archive_fixture.h"
#include "base/random.h"

/* Three files, one of them deflated. */
static blob small_zip(void)
{
  static const uint8_t stream[] = {0x01, 5, 0, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o'};
  zip_writer z = {0};
  zip_text(&z, "a.txt", "first");
  zip_add(&z, (zip_entry){.name = "b/c", .data = stream, .n = 10, .method = 8, .size = 5, .crc = crc32_of("hello", 5)});
  zip_text(&z, "d", "");
  return zip_finish(&z);
}

static blob small_tar(void)
{
  blob t = {0};
  char content[700];
  memset(content, 'x', sizeof content);
  tar_text(&t, "a.txt", "first");
  tar_add(&t, "b/c", '0', "", content, sizeof content);
  tar_add(&t, "d", '1', "a.txt", "", 0);
  tar_finish(&t);
  return t;
}

/* The path that a small tar packed by `program` may be written to, and its bytes. */
static const char *packed_tar(const char *program, blob *packed)
{
  char name[32];
  blob t = small_tar();
  write_blob("x", &t);
  blob_free(&t);
  shell("cd %s && %s -c x > packed", folder, program);
  *packed = read_blob(in_folder("packed"));
  snprintf(name, sizeof name, "x.tar.%s", program);
  return in_folder(name);
}

/* ---- cut short ---- */

START_TEST(a_zip_cut_anywhere_is_refused)
{
  blob z = small_zip();
  for (size_t n = 4; n < z.n; n++) {
    const char *path = write_blob("x.zip", &(blob){z.data, n, 0});
    check_refused(path, DLC_INVALID, "%s: a zip archive that was cut short: the directory at its end is missing", path);
  }
  blob_free(&z);
}
END_TEST

/* A tar ends with zeros, any of which may be missing but the first 512. */
START_TEST(a_tar_cut_anywhere_is_refused)
{
  blob t = small_tar();
  size_t end = t.n - 1024;
  for (size_t n = 512; n < t.n; n += n % 512 == 0 ? 1 : 511) {
    const char *path = write_blob("x.tar", &(blob){t.data, n, 0});
    dlc_source *s = NULL;
    dlc_status status = dlc_source_open(registry, path, &s);
    if (n >= end + 512) {
      ck_assert_msg(status == DLC_OK, "%zu bytes: %s", n, dlc_reason());
      check_list(s, "a.txt b/c d ");
      s->close(s);
    } else {
      ck_assert_msg(status == DLC_INVALID, "%zu of %zu bytes: %d", n, t.n, (int)status);
      ck_assert_ptr_nonnull(strstr(dlc_reason(), path));
      ck_assert_ptr_nonnull(strstr(dlc_reason(), "cut short"));
    }
  }
  blob_free(&t);
}
END_TEST

START_TEST(a_tar_cut_in_a_file_names_it)
{
  blob t = small_tar();
  const char *path = write_blob("x.tar", &(blob){t.data, 1024 + 512 + 100, 0});
  check_refused(path, DLC_INVALID, "%s: a tar archive that was cut short: 'b/c' has 100 of 700 bytes", path);
  blob_free(&t);
}
END_TEST

START_TEST(a_tar_cut_between_two_files_misses_its_end)
{
  blob t = small_tar();
  const char *path = write_blob("x.tar", &(blob){t.data, 1024, 0});
  check_refused(path, DLC_INVALID, "%s: a tar archive that was cut short: its end mark is missing", path);
  blob_free(&t);
}
END_TEST

static const char *const programs[] = {"gzip", "xz", "bzip2", "zstd"};

START_TEST(a_compressed_tar_cut_anywhere_is_refused)
{
  blob packed;
  const char *path = packed_tar(programs[_i], &packed);
  for (size_t n = 8; n < packed.n; n++) {
    dlc_source *s = NULL;
    write_blob(strrchr(path, '/') + 1, &(blob){packed.data, n, 0});
    dlc_status status = dlc_source_open(registry, path, &s);
    ck_assert_msg(status == DLC_INVALID, "%zu of %zu bytes: %d", n, packed.n, (int)status);
    ck_assert_ptr_nonnull(strstr(dlc_reason(), path));
    ck_assert_ptr_nonnull(strstr(dlc_reason(), "damaged or cut short"));
  }
  blob_free(&packed);
}
END_TEST

START_TEST(a_gzip_file_without_a_tar_in_it)
{
  shell("echo hello there | gzip > %s/x.tar.gz", folder);
  check_refused(in_folder("x.tar.gz"), DLC_INVALID, "%s: gzip data, but no tar archive is in it",
                in_folder("x.tar.gz"));
}
END_TEST

START_TEST(something_else_after_gzip_data)
{
  blob packed;
  packed_tar("gzip", &packed);
  blob_add(&packed, "rubbish", 7);
  const char *path = write_blob("x.tar.gz", &packed);
  check_refused(path, DLC_INVALID, "%s: the last 7 bytes are not gzip data as those before", path);
  blob_free(&packed);
}
END_TEST

/* ---- what is not read ---- */

START_TEST(an_encrypted_entry_is_named)
{
  zip_writer z = {0};
  zip_text(&z, "open", "x");
  zip_add(&z, (zip_entry){.name = "secret", .data = "0123456789abxxxx", .n = 16, .size = 4, .flags = 1});
  const char *path = zip_write(&z, "x.zip");
  char reason[PATH_MAX];
  dlc_source *s = must_open_source(path);
  check_content(s, "open", "x");
  snprintf(reason, sizeof reason, "%.3000s: 'secret' is encrypted: unpack it with its password first", s->origin);
  check_unreadable(s, "secret", DLC_UNSUPPORTED, reason);
  s->close(s);
}
END_TEST

START_TEST(an_unsupported_method_is_named)
{
  zip_writer z = {0};
  zip_add(&z, (zip_entry){.name = "small", .data = "xxxx", .n = 4, .size = 8, .method = 14});
  zip_add(&z, (zip_entry){.name = "odd", .data = "xxxx", .n = 4, .size = 8, .method = 77});
  char reason[PATH_MAX];
  dlc_source *s = must_open_source(zip_write(&z, "x.zip"));
  snprintf(reason, sizeof reason,
           "%.3000s: 'small' is packed with lzma (14); only stored and deflated entries are read", s->origin);
  check_unreadable(s, "small", DLC_UNSUPPORTED, reason);
  snprintf(reason, sizeof reason,
           "%.3000s: 'odd' is packed with a method of its own (77); only stored and deflated entries are read",
           s->origin);
  check_unreadable(s, "odd", DLC_UNSUPPORTED, reason);
  s->close(s);
}
END_TEST

START_TEST(a_part_of_several_archives_is_refused)
{
  blob z = small_zip();
  z.data[z.n - 18] = 1; /* this disk */
  const char *path = write_blob("x.zip", &z);
  check_refused(path, DLC_UNSUPPORTED, "%s: one part of a zip archive in several; join them first (zip -s 0)", path);
  blob first = {0};
  blob_add(&first, "PK\7\10", 4);
  blob_add(&first, z.data, 60);
  path = write_blob("x.z01", &first);
  check_refused(path, DLC_UNSUPPORTED, "%s: one part of a zip archive in several; join them first (zip -s 0)", path);
  blob_free(&first);
  blob_free(&z);
}
END_TEST

/* ---- damaged entries ---- */

START_TEST(a_wrong_checksum_is_found)
{
  zip_writer z = {0};
  zip_add(&z, (zip_entry){.name = "a", .data = "hello", .n = 5, .crc = 7});
  char reason[PATH_MAX];
  dlc_source *s = must_open_source(zip_write(&z, "x.zip"));
  snprintf(reason, sizeof reason, "%.3000s: 'a' is damaged: its checksum is wrong", s->origin);
  check_unreadable(s, "a", DLC_INVALID, reason);
  s->close(s);
}
END_TEST

START_TEST(deflate_data_of_another_size_is_found)
{
  static const uint8_t stream[] = {0x01, 5, 0, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o'};
  zip_writer z = {0};
  zip_add(&z, (zip_entry){.name = "a", .data = stream, .n = 10, .method = 8, .size = _i ? 4 : 6});
  char reason[PATH_MAX];
  dlc_source *s = must_open_source(zip_write(&z, "x.zip"));
  snprintf(reason, sizeof reason, "%.3000s: 'a' is damaged: its deflate data does not unpack to its size", s->origin);
  check_unreadable(s, "a", DLC_INVALID, reason);
  s->close(s);
}
END_TEST

START_TEST(a_size_that_cannot_be_is_refused_before_anyone_allocates_it)
{
  zip_writer z = {0};
  zip_add(&z, (zip_entry){.name = "bomb", .data = "xxxx", .n = 4, .method = 8, .size = 4000000000u});
  const char *path = zip_write(&z, "x.zip");
  check_refused(path, DLC_INVALID, "%s: a damaged zip archive: 'bomb' cannot have 4000000000 bytes, packed in 4", path);
}
END_TEST

START_TEST(an_entry_outside_of_the_file_is_refused)
{
  zip_writer z = {0};
  zip_add(&z, (zip_entry){.name = "far", .data = "x", .n = 1, .offset = 100000});
  const char *path = zip_write(&z, "x.zip");
  check_refused(path, DLC_INVALID, "%s: a damaged zip archive: 'far' lies outside of it", path);
}
END_TEST

START_TEST(a_header_that_is_elsewhere_is_found)
{
  zip_writer z = {0};
  zip_text(&z, "a", "0123456789");
  zip_add(&z, (zip_entry){.name = "b", .data = "x", .n = 1, .offset = 4});
  char reason[PATH_MAX];
  dlc_source *s = must_open_source(zip_write(&z, "x.zip"));
  snprintf(reason, sizeof reason, "%.3000s: 'b' is damaged: its header is not where the directory says", s->origin);
  check_unreadable(s, "b", DLC_INVALID, reason);
  s->close(s);
}
END_TEST

START_TEST(an_archive_that_shrinks_while_it_is_open_is_noticed)
{
  char reason[PATH_MAX];
  blob b = _i ? small_tar() : small_zip();
  const char *path = write_blob("x", &b);
  dlc_source *s = must_open_source(path);
  ck_assert_int_eq(truncate(path, 20), 0);
  snprintf(reason, sizeof reason, "%.3000s: became shorter than the %zu bytes it had", path, b.n);
  check_unreadable(s, "a.txt", DLC_IO, reason);
  s->close(s);
  blob_free(&b);
}
END_TEST

START_TEST(a_damaged_tar_header_is_refused)
{
  blob t = small_tar();
  t.data[1024 + 3] ^= 1; /* in the second name */
  const char *path = write_blob("x.tar", &t);
  check_refused(path, DLC_INVALID, "%s: a tar archive that is damaged or was cut short: Damaged tar archive", path);
  blob_free(&t);
}
END_TEST

/* ---- memory ---- */

START_TEST(a_compressed_tar_larger_than_the_memory_allowed_is_refused)
{
  shell("cd %s && head -c 5000000 /dev/zero > x && tar -cf x.tar x && %s -c x.tar > packed", folder, programs[_i]);
  setenv("DLCORE_ARCHIVE_MEMORY", "4", 1);
  check_refused(
      in_folder("packed"), DLC_NOMEM,
      "%s: unpacks to more than the 4 MiB of memory allowed for it; unpack it to a .tar or a folder first, or "
      "set DLCORE_ARCHIVE_MEMORY to more MiB",
      in_folder("packed"));
  setenv("DLCORE_ARCHIVE_MEMORY", "5", 1);
  dlc_source *s = must_open_source(in_folder("packed"));
  check_list(s, "x ");
  s->close(s);
  unsetenv("DLCORE_ARCHIVE_MEMORY");
}
END_TEST

/* ---- anything ---- */

/* Whatever opens must keep its promises: a sorted list of clean paths, each read or refused with a reason. */
static void check_whatever_opens(const char *path, int *opened)
{
  dlc_source *s = NULL;
  const dlc_entry *entries;
  if (dlc_source_open(registry, path, &s) != DLC_OK) {
    ck_assert_ptr_nonnull(strstr(dlc_reason(), path));
    ck_assert_ptr_null(strchr(dlc_reason(), '\n'));
    return;
  }
  ++*opened;
  uint32_t n = must_list(s, &entries);
  for (uint32_t i = 0; i < n; i++) {
    const dlc_entry *e = dlc_entry_at(entries, i);
    ck_assert_msg(dlc_entry_path_ok(e->path), "'%s'", e->path);
    if (i > 0) ck_assert_int_gt(strcmp(e->path, dlc_entry_at(entries, i - 1)->path), 0);
    if (e->bytes > 1 << 20) continue;
    uint8_t *bytes = malloc((size_t)e->bytes + 1);
    if (s->read(s, e, bytes) != DLC_OK) ck_assert_ptr_nonnull(strstr(dlc_reason(), e->path));
    free(bytes);
  }
  s->close(s);
}

START_TEST(damaged_archives_never_crash)
{
  enum { ROUNDS = 3000 };
  int opened = 0;
  blob whole = _i ? small_tar() : small_zip();
  for (uint32_t round = 0; round < ROUNDS; round++) {
    uint32_t word[4];
    dlc_random_words(2, 0x20000 + (uint32_t)_i, 0, round, 0, word);
    blob b = {0};
    blob_add(&b, whole.data, whole.n);
    for (uint32_t flip = 0; flip <= (word[0] & 3); flip++)
      b.data[word[1 + flip % 3] / 7 % b.n] ^= (uint8_t)(1u << (word[1 + flip % 3] % 7 + flip / 3));
    check_whatever_opens(write_blob(_i ? "x.tar" : "x.zip", &b), &opened);
    blob_free(&b);
    said[0] = '\0';
  }
  ck_assert_int_gt(opened, ROUNDS / 50);
  blob_free(&whole);
}
END_TEST

static void add_cut(TCase *tests)
{
  tcase_add_test(tests, a_zip_cut_anywhere_is_refused);
  tcase_add_test(tests, a_tar_cut_anywhere_is_refused);
  tcase_add_test(tests, a_tar_cut_in_a_file_names_it);
  tcase_add_test(tests, a_tar_cut_between_two_files_misses_its_end);
  tcase_add_loop_test(tests, a_compressed_tar_cut_anywhere_is_refused, 0, 4);
  tcase_add_test(tests, a_gzip_file_without_a_tar_in_it);
  tcase_add_test(tests, something_else_after_gzip_data);
}

static void add_wrong(TCase *tests)
{
  tcase_add_test(tests, an_encrypted_entry_is_named);
  tcase_add_test(tests, an_unsupported_method_is_named);
  tcase_add_test(tests, a_part_of_several_archives_is_refused);
  tcase_add_test(tests, a_wrong_checksum_is_found);
  tcase_add_loop_test(tests, deflate_data_of_another_size_is_found, 0, 2);
  tcase_add_test(tests, a_size_that_cannot_be_is_refused_before_anyone_allocates_it);
  tcase_add_test(tests, an_entry_outside_of_the_file_is_refused);
  tcase_add_test(tests, a_header_that_is_elsewhere_is_found);
  tcase_add_loop_test(tests, an_archive_that_shrinks_while_it_is_open_is_noticed, 0, 2);
  tcase_add_test(tests, a_damaged_tar_header_is_refused);
  tcase_add_loop_test(tests, a_compressed_tar_larger_than_the_memory_allowed_is_refused, 0, 4);
  tcase_add_loop_test(tests, damaged_archives_never_crash, 0, 2);
}

int main(void)
{
  TCase *tests = tcase_create("bad archives");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_set_timeout(tests, 120);
  add_cut(tests);
  add_wrong(tests);
  return run_suite("bad archives", tests);
}
