/* Extracting sources: what arrives, and that nothing arrives anywhere else. */
#include "archive_fixture.h"

static dlc_status extract(const char *archive, dlc_extract_config config, dlc_extract_result *result)
{
  char to[PATH_MAX];
  snprintf(to, sizeof to, "%.4000s/out", folder);
  if (!config.folder) config.folder = to;
  dlc_source *s = must_open_source(archive);
  dlc_status status = dlc_source_extract(s, &config, result);
  s->close(s);
  return status;
}

static void check_extracts(const char *archive, dlc_extract_config config, uint32_t written, uint32_t kept)
{
  dlc_extract_result result;
  dlc_status status = extract(archive, config, &result);
  ck_assert_msg(status == DLC_OK, "%d: %s", (int)status, dlc_reason());
  ck_assert_uint_eq(result.written, written);
  ck_assert_uint_eq(result.kept, kept);
}

static void check_fails_to_extract(const char *archive, dlc_extract_config config, dlc_status expected,
                                   const char *format, ...) __attribute__((format(printf, 4, 5)));
static void check_fails_to_extract(const char *archive, dlc_extract_config config, dlc_status expected,
                                   const char *format, ...)
{
  char reason[2 * PATH_MAX];
  dlc_extract_result result;
  va_list args;
  va_start(args, format);
  vsnprintf(reason, sizeof reason, format, args);
  va_end(args);
  ck_assert_int_eq(extract(archive, config, &result), expected);
  ck_assert_str_eq(dlc_reason(), reason);
}

static void check_file(const char *name, const char *text)
{
  blob b = read_blob(in_folder(name));
  ck_assert_uint_eq(b.n, strlen(text));
  ck_assert_mem_eq(b.data, text, b.n);
  blob_free(&b);
}

/* a, b/c, b/d/e, with these contents before their names. */
static const char *three_files(const char *content)
{
  char text[3][64];
  static const char *const names[] = {"a", "b/c", "b/d/e"};
  zip_writer z = {0};
  for (int i = 0; i < 3; i++) {
    snprintf(text[i], sizeof text[i], "%s%s", content, names[i]);
    zip_text(&z, names[i], text[i]);
  }
  return zip_write(&z, "x.zip");
}

START_TEST(every_file_arrives)
{
  check_extracts(three_files("1"), (dlc_extract_config){0}, 3, 0);
  check_file("out/a", "1a");
  check_file("out/b/c", "1b/c");
  check_file("out/b/d/e", "1b/d/e");
  shell("test $(find %s/out -type f | wc -l) = 3", folder);
}
END_TEST

START_TEST(a_compressed_tar_is_extracted_without_a_copy)
{
  blob t = {0};
  tar_text(&t, "a/b", "content");
  tar_write(&t, "x.tar");
  shell("gzip %s/x.tar", folder);
  check_extracts(in_folder("x.tar.gz"), (dlc_extract_config){0}, 1, 0);
  check_file("out/a/b", "content");
}
END_TEST

START_TEST(files_that_are_there_stop_it_before_anything_is_written)
{
  shell("mkdir -p %s/out/b/d && echo mine > %s/out/b/d/e", folder, folder);
  check_fails_to_extract(three_files("1"), (dlc_extract_config){0}, DLC_INVALID,
                         "%s/out/b/d/e: exists already; nothing is extracted", folder);
  check_file("out/b/d/e", "mine\n");
  ck_assert_int_ne(access(in_folder("out/a"), F_OK), 0);
}
END_TEST

START_TEST(files_that_are_there_are_kept_when_it_goes_on)
{
  shell("mkdir -p %s/out/b && printf mine > %s/out/b/c", folder, folder);
  check_extracts(three_files("1"), (dlc_extract_config){.existing = DLC_EXISTING_KEEP}, 2, 1);
  check_file("out/b/c", "mine");
  check_file("out/b/d/e", "1b/d/e");
}
END_TEST

START_TEST(files_that_are_there_are_replaced_when_asked)
{
  check_extracts(three_files("1"), (dlc_extract_config){0}, 3, 0);
  check_extracts(three_files("2"), (dlc_extract_config){.existing = DLC_EXISTING_REPLACE}, 3, 0);
  check_file("out/b/c", "2b/c");
}
END_TEST

/* ---- nowhere else ---- */

/* `_i`: how existing files are treated. */
START_TEST(a_link_in_the_folder_is_not_followed)
{
  shell("mkdir -p %s/out %s/outside && ln -s ../outside %s/out/b", folder, folder, folder);
  check_fails_to_extract(three_files("1"), (dlc_extract_config){.existing = _i}, DLC_IO,
                         "%s/out/b/c: a link or file is in the place of a folder", folder);
  shell("test -z \"$(ls -A %s/outside)\"", folder);
}
END_TEST

START_TEST(a_link_in_the_place_of_a_file_is_replaced_not_written_through)
{
  shell("mkdir -p %s/out && printf mine > %s/victim && ln -s ../victim %s/out/a", folder, folder, folder);
  check_extracts(three_files("1"), (dlc_extract_config){.existing = DLC_EXISTING_REPLACE}, 3, 0);
  check_file("victim", "mine");
  check_file("out/a", "1a");
}
END_TEST

/* A source that a third party wrote badly. */
static dlc_status list_bad(dlc_source *s, const dlc_entry **entries, uint32_t *n)
{
  static dlc_entry entry = {.size = sizeof entry, .bytes = 1};
  entry.path = s->origin;
  *entries = &entry;
  *n = 1;
  return DLC_OK;
}

static const char *const bad_paths[] = {"../x", "/tmp/x", "a/../../x", "", "a//b", "a/", ".", "a\nb"};

START_TEST(paths_that_lead_elsewhere_are_refused_whoever_gives_them)
{
  dlc_source s = {.size = sizeof s, .origin = bad_paths[_i], .list = list_bad};
  dlc_extract_result result;
  ck_assert_int_eq(dlc_source_extract(&s, &(dlc_extract_config){.folder = in_folder("out")}, &result), DLC_INVALID);
  ck_assert_ptr_nonnull(strstr(dlc_reason(), "an entry's name cannot be trusted: nothing is extracted"));
  ck_assert_int_ne(access(in_folder("out"), F_OK), 0);
}
END_TEST

/* ---- limits ---- */

START_TEST(too_many_files_are_refused)
{
  check_fails_to_extract(three_files("1"), (dlc_extract_config){.max_entries = 2}, DLC_INVALID,
                         "%s: 3 files, at most 2 are extracted", in_folder("x.zip"));
  ck_assert_int_ne(access(in_folder("out"), F_OK), 0);
}
END_TEST

START_TEST(too_many_bytes_are_refused)
{
  check_fails_to_extract(three_files("1"), (dlc_extract_config){.max_bytes = 5}, DLC_INVALID,
                         "%s: 12 bytes of files, at most 5 are extracted", in_folder("x.zip"));
}
END_TEST

/* One small deflate stream under 300 names. */
START_TEST(a_bomb_is_refused)
{
  zip_writer z = {0};
  char name[16];
  shell("head -c 1000000 /dev/zero | gzip -9 -n > %s/z", folder);
  blob packed = read_blob(in_folder("z"));
  for (int i = 0; i < 300; i++) {
    snprintf(name, sizeof name, "bomb%d", i);
    zip_add(&z,
            (zip_entry){
                .name = name, .data = packed.data + 10, .n = packed.n - 18, .method = 8, .size = 1000000, .crc = 1});
  }
  blob_free(&packed);
  blob file = zip_finish(&z);
  size_t size = file.n;
  const char *path = write_blob("x.zip", &file);
  blob_free(&file);
  check_fails_to_extract(path, (dlc_extract_config){0}, DLC_INVALID,
                         "%s: its %zu bytes unpack to 300000000, more than 250 times as many: not extracted", path,
                         size);
}
END_TEST

/* ---- failures in between ---- */

START_TEST(what_came_before_a_failure_is_whole_and_nothing_is_half_written)
{
  zip_writer z = {0};
  zip_text(&z, "a", "whole");
  zip_add(&z, (zip_entry){.name = "b", .data = "x", .n = 1, .crc = 1});
  zip_text(&z, "c", "later");
  const char *path = zip_write(&z, "x.zip");
  check_fails_to_extract(path, (dlc_extract_config){0}, DLC_INVALID, "%s: 'b' is damaged: its checksum is wrong", path);
  check_file("out/a", "whole");
  shell("test $(find %s/out -type f | wc -l) = 1", folder);
}
END_TEST

START_TEST(a_file_in_the_place_of_a_folder_is_named)
{
  zip_writer z = {0};
  zip_text(&z, "a", "x");
  zip_text(&z, "a/b", "x");
  check_fails_to_extract(zip_write(&z, "x.zip"), (dlc_extract_config){0}, DLC_IO,
                         "%s/out/a/b: a link or file is in the place of a folder", folder);
}
END_TEST

static void count(void *ctx, uint32_t done, uint32_t n)
{
  uint32_t *calls = ctx;
  ck_assert_uint_eq(done, ++*calls);
  ck_assert_uint_eq(n, 3);
}

START_TEST(progress_is_told_after_each_file)
{
  uint32_t calls = 0;
  check_extracts(three_files("1"), (dlc_extract_config){.progress = count, .ctx = &calls}, 3, 0);
  ck_assert_uint_eq(calls, 3);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("extract");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, every_file_arrives);
  tcase_add_test(tests, a_compressed_tar_is_extracted_without_a_copy);
  tcase_add_test(tests, files_that_are_there_stop_it_before_anything_is_written);
  tcase_add_test(tests, files_that_are_there_are_kept_when_it_goes_on);
  tcase_add_test(tests, files_that_are_there_are_replaced_when_asked);
  tcase_add_loop_test(tests, a_link_in_the_folder_is_not_followed, 0, 3);
  tcase_add_test(tests, a_link_in_the_place_of_a_file_is_replaced_not_written_through);
  tcase_add_loop_test(tests, paths_that_lead_elsewhere_are_refused_whoever_gives_them, 0,
                      sizeof bad_paths / sizeof *bad_paths);
  tcase_add_test(tests, too_many_files_are_refused);
  tcase_add_test(tests, too_many_bytes_are_refused);
  tcase_add_test(tests, a_bomb_is_refused);
  tcase_add_test(tests, what_came_before_a_failure_is_whole_and_nothing_is_half_written);
  tcase_add_test(tests, a_file_in_the_place_of_a_folder_is_named);
  tcase_add_test(tests, progress_is_told_after_each_file);
  return run_suite("extract", tests);
}
