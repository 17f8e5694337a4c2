/* Sources without archives: who opens a path, what a folder gives, third-party sources, the service for plugins. */
#include "archive_fixture.h"
#include <fcntl.h>

static void write_in(const char *name, const char *text)
{
  const char *slash = strrchr(name, '/');
  if (slash) shell("mkdir -p '%s/%.*s'", folder, (int)(slash - name), name);
  write_text(in_folder(name), text);
}

/* ---- who opens it ---- */

START_TEST(nothing_is_there)
{
  check_refused("/nowhere/at/all", DLC_IO, "/nowhere/at/all: No such file or directory");
}
END_TEST

START_TEST(an_empty_file_is_said_to_be_one)
{
  write_in("x.zip", "");
  check_refused(in_folder("x.zip"), DLC_UNSUPPORTED, "%s: an empty file; expected a folder, tar, zip",
                in_folder("x.zip"));
}
END_TEST

START_TEST(a_web_page_in_the_place_of_an_archive_is_said_to_be_one)
{
  write_in("x.zip", "<!DOCTYPE html><html>404</html>");
  check_refused(in_folder("x.zip"), DLC_UNSUPPORTED,
                "%s: a web page, not an archive: the download went wrong; expected a folder, tar, zip",
                in_folder("x.zip"));
}
END_TEST

START_TEST(other_formats_are_named)
{
  write_in("x.7z", "7z\xbc\xaf\x27\x1c");
  check_refused(in_folder("x.7z"), DLC_UNSUPPORTED, "%s: a 7z archive; expected a folder, tar, zip", in_folder("x.7z"));
  write_in("x.txt", "hello");
  check_refused(in_folder("x.txt"), DLC_UNSUPPORTED, "%s: a file of unknown kind; expected a folder, tar, zip",
                in_folder("x.txt"));
}
END_TEST

START_TEST(a_pipe_is_not_waited_for)
{
  ck_assert_int_eq(mkfifo(in_folder("pipe"), 0600), 0);
  check_refused(in_folder("pipe"), DLC_INVALID, "%s: neither a folder nor a regular file", in_folder("pipe"));
}
END_TEST

/* The same registry, but with no plugins. */
static void forget_plugins(void)
{
  dlc_registry_close(registry);
  dlc_registry_config config = {.plugin_path = in_folder("plugins"), .program = in_folder("bin/dlcore"), .sink = &ear};
  ck_assert_int_eq(mkdir(in_folder("plugins"), 0777), 0);
  ck_assert_int_eq(dlc_registry_open(&config, &registry), DLC_OK);
}

START_TEST(a_missing_archive_plugin_is_named)
{
  zip_writer z = {0};
  const char *path = zip_write(&z, "x.zip");
  forget_plugins();
  check_refused(
      path, DLC_UNSUPPORTED,
      "%s: a zip archive; expected a folder; the plugin dlcore-archive.so, which reads archives, was not found", path);
}
END_TEST

START_TEST(an_archive_plugin_that_is_broken_is_named_with_its_reason)
{
  zip_writer z = {0};
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%.2000s", zip_write(&z, "x.zip"));
  forget_plugins();
  write_in("plugins/dlcore-archive.so", "rubbish");
  dlc_registry_close(registry);
  dlc_registry_config config = {.plugin_path = in_folder("plugins"), .program = in_folder("bin/dlcore"), .sink = &ear};
  ck_assert_int_eq(dlc_registry_open(&config, &registry), DLC_OK);
  dlc_source *s;
  ck_assert_int_eq(dlc_source_open(registry, path, &s), DLC_UNSUPPORTED);
  char begin[2 * PATH_MAX];
  snprintf(begin, sizeof begin, "%s: a zip archive; expected a folder; %s, which reads archives, is not taken: ", path,
           in_folder("plugins/dlcore-archive.so"));
  ck_assert_msg(strncmp(dlc_reason(), begin, strlen(begin)) == 0, "%s", dlc_reason());
}
END_TEST

/* ---- third parties ---- */

static void add_lines_plugin(const char *define)
{
  forget_plugins();
  dlc_registry_close(registry);
  run_program((char *[]){"cc", "-shared", "-fPIC", "-fvisibility=hidden", "-I" TEST_SDK_INCLUDE, (char *)define,
                         TEST_SOURCE_DIR "/fixtures/source.c", "-o", (char *)in_folder("plugins/dlcore-lines.so"),
                         NULL});
  dlc_registry_config config = {.plugin_path = in_folder("plugins"), .program = in_folder("bin/dlcore"), .sink = &ear};
  ck_assert_int_eq(dlc_registry_open(&config, &registry), DLC_OK);
}

START_TEST(a_third_party_reads_its_own_format)
{
  add_lines_plugin("-DWHOLE");
  write_in("x", "LINES\none\ntwo\nthree\n");
  dlc_source *s = must_open_source(in_folder("x"));
  check_list(s, "1 2 3 ");
  check_content(s, "3", "three");
  s->close(s);
}
END_TEST

START_TEST(a_third_partys_source_without_a_method_is_refused)
{
  add_lines_plugin("-DPARTIAL");
  write_in("x", "LINES\n");
  check_refused(in_folder("x"), DLC_INTERNAL, "%s: the reader of lines gave a source with a field missing",
                in_folder("x"));
}
END_TEST

START_TEST(plugins_open_sources_through_the_service)
{
  write_in("data/a", "x");
  const dlc_host *host = dlc_registry_host(registry);
  const dlc_sources *table = host->service(host, DLC_SERVICE_SOURCES);
  ck_assert_ptr_nonnull(table);
  dlc_source *s;
  ck_assert_int_eq(table->open(table, in_folder("data"), &s), DLC_OK);
  check_content(s, "a", "x");
  s->close(s);
  ck_assert_ptr_null(host->service(host, "dlcore.nothing/1"));
}
END_TEST

/* ---- folders ---- */

START_TEST(a_folder_lists_all_its_files_by_path_in_byte_order)
{
  write_in("d/b/2", "two");
  write_in("d/b/10", "ten");
  write_in("d/B", "x");
  write_in("d/.hidden/x", "x");
  write_in("d/b.txt", "x");
  write_in("d/b-1", "");
  shell("mkdir %s/d/empty", folder);
  dlc_source *s = must_open_source(in_folder("d"));
  check_list(s, ".hidden/x B b-1 b.txt b/10 b/2 ");
  ck_assert_int_eq(times_said("/d/empty: an empty folder"), 1);
  check_content(s, "b/10", "ten");
  check_content(s, "b-1", "");
  s->close(s);
}
END_TEST

START_TEST(a_slash_at_the_end_of_a_folder_is_not_part_of_its_name)
{
  char path[PATH_MAX + 4];
  snprintf(path, sizeof path, "%s//", folder);
  dlc_source *s;
  ck_assert_int_eq(dlc_source_open(registry, path, &s), DLC_OK);
  ck_assert_str_eq(s->origin, folder);
  s->close(s);
}
END_TEST

START_TEST(a_folder_is_read_wherever_the_process_goes)
{
  write_in("d/a", "x");
  ck_assert_int_eq(chdir(folder), 0);
  dlc_source *s = must_open_source("d");
  ck_assert_int_eq(chdir("/"), 0);
  check_list(s, "a ");
  check_content(s, "a", "x");
  s->close(s);
}
END_TEST

START_TEST(links_in_a_folder_are_followed)
{
  write_in("far/x", "content");
  shell("mkdir %s/d && ln -s ../far %s/d/near && ln -s ../far/x %s/d/file", folder, folder, folder);
  dlc_source *s = must_open_source(in_folder("d"));
  check_list(s, "file near/x ");
  check_content(s, "near/x", "content");
  s->close(s);
}
END_TEST

START_TEST(a_folder_that_is_inside_itself_ends_there)
{
  write_in("d/a/x", "1");
  shell("cd %s/d && ln -s .. a/up && ln -s . self && ln -s nothing gone && ln -s ring2 ring1 && ln -s ring1 ring2",
        folder);
  dlc_source *s = must_open_source(in_folder("d"));
  check_list(s, "a/x ");
  ck_assert_int_eq(times_said("/d/a/up: left out, it leads back to a folder that it is in"), 1);
  ck_assert_int_eq(times_said("/d/self: left out, it leads back to a folder that it is in"), 1);
  ck_assert_int_eq(times_said("/d/gone: left out: a link to nothing"), 1);
  ck_assert_int_eq(times_said("/d/ring1: left out: Too many levels of symbolic links"), 1);
  s->close(s);
}
END_TEST

START_TEST(folders_too_deep_are_left_out)
{
  char path[512] = "d", line[64];
  for (int i = 0; i < DLC_SOURCE_MAX_DEPTH + 1; i++) strcat(path, "/f");
  strcat(path, "/x");
  write_in(path, "1");
  write_in("d/y", "1");
  dlc_source *s = must_open_source(in_folder("d"));
  check_list(s, "y ");
  snprintf(line, sizeof line, "left out, more than %d folders deep", DLC_SOURCE_MAX_DEPTH);
  ck_assert_int_eq(times_said(line), 1);
  s->close(s);
}
END_TEST

START_TEST(what_is_no_file_is_not_listed)
{
  write_in("d/a", "1");
  ck_assert_int_eq(mkfifo(in_folder("d/pipe"), 0600), 0);
  dlc_source *s = must_open_source(in_folder("d"));
  check_list(s, "a ");
  dlc_entry e = {.size = sizeof e};
  ck_assert_int_eq(s->find(s, "pipe", &e), DLC_IO);
  s->close(s);
}
END_TEST

START_TEST(a_name_that_would_break_a_line_is_left_out)
{
  write_in("d/a", "1");
  write_in("d/b\nc", "1");
  dlc_source *s = must_open_source(in_folder("d"));
  check_list(s, "a ");
  ck_assert_int_eq(times_said("a file is left out for its unprintable name"), 1);
  s->close(s);
}
END_TEST

START_TEST(a_folder_that_cannot_be_read_is_said_and_left_out)
{
  if (geteuid() == 0) return; /* root reads everything */
  write_in("d/a", "1");
  write_in("d/shut/b", "1");
  ck_assert_int_eq(chmod(in_folder("d/shut"), 0), 0);
  dlc_source *s = must_open_source(in_folder("d"));
  check_list(s, "a ");
  ck_assert_int_eq(times_said("/d/shut: left out: Permission denied"), 1);
  s->close(s);
  ck_assert_int_eq(chmod(in_folder("d/shut"), 0700), 0);
}
END_TEST

/* ---- files that change ---- */

/* `change` is run in the folder between listing and reading. */
static void check_changed(const char *change, const char *reason)
{
  char expected[2 * PATH_MAX];
  const dlc_entry *entries;
  char buffer[16];
  write_in("d/a", "12345");
  dlc_source *s = must_open_source(in_folder("d"));
  ck_assert_uint_eq(must_list(s, &entries), 1);
  shell("cd %s/d && %s", folder, change);
  ck_assert_int_eq(s->read(s, entries, buffer), DLC_IO);
  snprintf(expected, sizeof expected, "%s/d/a: %s", folder, reason);
  ck_assert_str_eq(dlc_reason(), expected);
  s->close(s);
}

START_TEST(a_file_that_vanishes_is_named)
{
  check_changed("rm a", "No such file or directory");
}
END_TEST

START_TEST(a_file_that_grows_or_shrinks_is_named)
{
  check_changed("echo 6 >> a", "has 7 bytes now, it had 5 when it was listed");
  check_changed("printf 1 > a", "has 1 bytes now, it had 5 when it was listed");
}
END_TEST

START_TEST(a_file_that_becomes_something_else_is_named)
{
  check_changed("rm a; mkdir a", "not a regular file");
  shell("rmdir %s/d/a", folder);
  check_changed("rm a; mkfifo a", "not a regular file");
}
END_TEST

START_TEST(an_unreadable_file_is_named)
{
  if (geteuid() == 0) return;
  check_changed("chmod 0 a", "Permission denied");
}
END_TEST

static int count_descriptors(void)
{
  int n = 0;
  for (int fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) >= 0;
  return n;
}

START_TEST(nothing_stays_open)
{
  int before = count_descriptors();
  write_in("d/a/b", "1");
  zip_writer z = {0};
  zip_text(&z, "a", "x");
  const char *paths[] = {in_folder("d"), zip_write(&z, "x.zip"), in_folder("d/a/b"), "/nowhere"};
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < 4; i++) {
      dlc_source *s;
      const dlc_entry *entries;
      if (dlc_source_open(registry, paths[i], &s) != DLC_OK) continue;
      must_list(s, &entries);
      s->close(s);
    }
  }
  ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

static void add_opening(TCase *tests)
{
  tcase_add_test(tests, nothing_is_there);
  tcase_add_test(tests, an_empty_file_is_said_to_be_one);
  tcase_add_test(tests, a_web_page_in_the_place_of_an_archive_is_said_to_be_one);
  tcase_add_test(tests, other_formats_are_named);
  tcase_add_test(tests, a_pipe_is_not_waited_for);
  tcase_add_test(tests, a_missing_archive_plugin_is_named);
  tcase_add_test(tests, an_archive_plugin_that_is_broken_is_named_with_its_reason);
  tcase_add_test(tests, a_third_party_reads_its_own_format);
  tcase_add_test(tests, a_third_partys_source_without_a_method_is_refused);
  tcase_add_test(tests, plugins_open_sources_through_the_service);
}

static void add_folders(TCase *tests)
{
  tcase_add_test(tests, a_folder_lists_all_its_files_by_path_in_byte_order);
  tcase_add_test(tests, a_slash_at_the_end_of_a_folder_is_not_part_of_its_name);
  tcase_add_test(tests, a_folder_is_read_wherever_the_process_goes);
  tcase_add_test(tests, links_in_a_folder_are_followed);
  tcase_add_test(tests, a_folder_that_is_inside_itself_ends_there);
  tcase_add_test(tests, folders_too_deep_are_left_out);
  tcase_add_test(tests, what_is_no_file_is_not_listed);
  tcase_add_test(tests, a_name_that_would_break_a_line_is_left_out);
  tcase_add_test(tests, a_folder_that_cannot_be_read_is_said_and_left_out);
  tcase_add_test(tests, a_file_that_vanishes_is_named);
  tcase_add_test(tests, a_file_that_grows_or_shrinks_is_named);
  tcase_add_test(tests, a_file_that_becomes_something_else_is_named);
  tcase_add_test(tests, an_unreadable_file_is_named);
  tcase_add_test(tests, nothing_stays_open);
}

int main(void)
{
  TCase *tests = tcase_create("source");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  add_opening(tests);
  add_folders(tests);
  return run_suite("source", tests);
}
