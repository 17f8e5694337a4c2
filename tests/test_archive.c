/* Archives as sources: the same files from every kind, whoever reads them and how many at once. */
#include "archive_fixture.h"
#include <pthread.h>
#include <sys/mman.h>

/* ---- the same files ---- */

#define LONG_NAME                                                                                                      \
  "a-folder-whose-name-is-long-enough-to-leave-the-hundred-bytes-of-the-oldest-archives-behind/"                       \
  "a-file-whose-name-does-so-too-so-that-every-format-needs-its-own-extension-for-it"

static const struct {
  const char *path;
  size_t n;
} files[] = {/* in byte order */
             {".hidden", 3},     {"B", 1},
             {LONG_NAME, 10},    {"a.txt", 512},
             {"a/b.bin", 70000}, {"a/deeper/still/one", 511},
             {"empty", 0},       {"na\xc3\xafve \xe2\x82\xac.txt", 513}};
enum { N_FILES = sizeof files / sizeof *files, MOST = 70000 };

static uint8_t byte_at(int file, size_t i)
{
  return (uint8_t)((i * i >> 3) + i * 31 + (size_t)file * 77 + (i >> 9));
}

static void fill(int file, uint8_t *bytes)
{
  for (size_t i = 0; i < files[file].n; i++) bytes[i] = byte_at(file, i);
}

/* folder/tree with all of them. */
static void write_tree(void)
{
  static uint8_t bytes[MOST];
  for (int i = 0; i < N_FILES; i++) {
    char path[256];
    snprintf(path, sizeof path, "tree/%s", files[i].path);
    const char *slash = strrchr(path, '/');
    shell("mkdir -p '%s/%.*s'", folder, (int)(slash - path), path);
    fill(i, bytes);
    write_blob(path, &(blob){bytes, files[i].n, 0});
  }
}

/* The raw deflate stream of folder/tree/PATH: that of gzip without its header and trailer. */
static blob deflated(const char *path)
{
  shell("gzip -n < '%s/tree/%s' > %s/deflated", folder, path, folder);
  blob b = read_blob(in_folder("deflated"));
  memmove(b.data, b.data + 10, b.n - 18);
  b.n -= 18;
  return b;
}

static void write_zip(const char *name, int deflate)
{
  static uint8_t bytes[MOST];
  zip_writer z = {0};
  zip_text(&z, "a/", "");
  for (int i = N_FILES - 1; i >= 0; i--) {
    fill(i, bytes);
    zip_entry e = {.name = files[i].path, .data = bytes, .n = files[i].n};
    blob packed = {0};
    if (deflate && e.n > 0) {
      packed = deflated(e.name);
      e.crc = crc32_of(bytes, e.n);
      e.size = (uint32_t)e.n;
      e.data = packed.data;
      e.n = packed.n;
      e.method = 8;
    }
    zip_add(&z, e);
    blob_free(&packed);
  }
  zip_write(&z, name);
}

/* By format; the second word of a command is the program that it needs. */
static const struct {
  const char *name, *command;
} kinds[] = {{"stored.zip", NULL},
             {"deflated.zip", NULL},
             {"tree", NULL},
             {"gnu.tar", "tar --format=gnu -cf gnu.tar -C tree ."},
             {"pax.tar", "tar --format=pax -cf pax.tar -C tree ."},
             {"ustar.tar", "tar --format=ustar -cf ustar.tar -C tree ."},
             {"x.tar.gz", "tar -c -C tree . | gzip > x.tar.gz"},
             {"two-members.tgz", "tar -cf x.tar -C tree . && (head -c 30000 x.tar | gzip; tail -c +30001 x.tar | gzip) "
                                 "> two-members.tgz"},
             {"padded.tgz", "(tar -c -C tree . | gzip; head -c 1000 /dev/zero) > padded.tgz"},
             {"x.tar.xz", "tar -c -C tree . | xz > x.tar.xz"},
             {"x.tar.bz2", "tar -c -C tree . | bzip2 > x.tar.bz2"},
             {"x.tar.zst", "tar -c -C tree . | zstd -q > x.tar.zst"},
             {"misnamed.zip", "tar -c -C tree . | gzip > misnamed.zip"}};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static const char *write_kind(int kind)
{
  write_tree();
  if (kind == 0 || kind == 1) write_zip(kinds[kind].name, kind);
  else if (kinds[kind].command) shell("set -e; cd %s; %s", folder, kinds[kind].command);
  return in_folder(kinds[kind].name);
}

static void check_entry(dlc_source *s, const dlc_entry *e, int file)
{
  static _Thread_local uint8_t bytes[MOST + 1];
  ck_assert_str_eq(e->path, files[file].path);
  ck_assert_int_eq(e->bytes, (int64_t)files[file].n);
  bytes[files[file].n] = 0xaa;
  dlc_status status = s->read(s, e, bytes);
  ck_assert_msg(status == DLC_OK, "%d: %s", (int)status, dlc_reason());
  ck_assert_uint_eq(bytes[files[file].n], 0xaa);
  for (size_t i = 0; i < files[file].n; i++)
    if (bytes[i] != byte_at(file, i)) ck_abort_msg("%s: byte %zu is %u", e->path, i, bytes[i]);
}

START_TEST(every_kind_gives_the_same_list_and_bytes)
{
  dlc_source *s = must_open_source(write_kind(_i));
  const dlc_entry *entries;
  ck_assert_uint_eq(must_list(s, &entries), N_FILES);
  for (int i = 0; i < N_FILES; i++) check_entry(s, dlc_entry_at(entries, (uint32_t)i), i);
  for (int i = 0; i < N_FILES; i++) {
    dlc_entry e = must_find(s, files[i].path);
    check_entry(s, &e, i);
  }
  s->close(s);
  ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(only_exact_paths_are_found)
{
  static const char *const others[] = {"b", "a", "a/", "./a.txt", "a.tx", "a.txt/", "/a.txt", "", "a/../a.txt", "zzz"};
  dlc_source *s = must_open_source(write_kind(_i));
  dlc_entry e = {.size = sizeof e};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    dlc_status status = s->find(s, others[i], &e);
    /* A folder says of a folder that it is none of its files. */
    int folder_there = kinds[_i].name[1] == 'r' && strcmp(others[i], "a") == 0;
    ck_assert_msg(status == (folder_there ? DLC_IO : DLC_NOT_FOUND), "'%s': %d", others[i], (int)status);
  }
  s->close(s);
}
END_TEST

START_TEST(unpacked_archives_give_their_bytes_without_a_copy)
{
  dlc_source *s = must_open_source(write_kind(6)); /* x.tar.gz */
  dlc_entry e = must_find(s, "a/b.bin");
  ck_assert(DLC_HAS(s, bytes));
  const uint8_t *bytes = s->bytes(s, &e);
  ck_assert_ptr_nonnull(bytes);
  for (size_t i = 0; i < 70000; i++) ck_assert_uint_eq(bytes[i], byte_at(4, i));
  s->close(s);
}
END_TEST

/* Whole pages of these bytes that are in memory. */
static size_t resident_pages(const uint8_t *bytes, size_t n)
{
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), skipped = (page - (uintptr_t)bytes % page) % page;
  const size_t pages = (n - skipped) / page;
  unsigned char *seen = malloc(pages);
  size_t there = 0;
  ck_assert_int_eq(mincore((void *)(uintptr_t)(bytes + skipped), pages * page, seen), 0);
  for (size_t i = 0; i < pages; i++) there += seen[i] & 1u;
  free(seen);
  return there;
}

START_TEST(what_is_released_leaves_the_memory_and_nothing_else_does)
{
  static const char *const others[] = {"a", "z"};
  shell("cd %s && mkdir r && cd r && seq 400000 > big && ln big twin && seq 9 > a && seq 9 > z && tar -czf ../r.tgz a "
        "big "
        "twin z",
        folder);
  dlc_source *s = must_open_source(in_folder("r.tgz"));
  const dlc_entry big = must_find(s, "big"), twin = must_find(s, "twin");
  const uint8_t *bytes = s->bytes(s, &big);
  uint8_t *copy = malloc((size_t)big.bytes);
  ck_assert_uint_gt(resident_pages(bytes, (size_t)big.bytes), 600);
  ck_assert(DLC_HAS(s, release));
  s->release(s, &big);
  ck_assert_uint_eq(resident_pages(bytes, (size_t)big.bytes), 0);
  for (int i = 0; i < 2; i++) {
    const dlc_entry *e = i ? &twin : &big;
    ck_assert_ptr_null(s->bytes(s, e));
    ck_assert_int_eq(s->read(s, e, copy), DLC_IO);
    ck_assert_msg(strstr(dlc_reason(), "has been released: it was to be read once") != NULL, "%s", dlc_reason());
    s->release(s, e);
  }
  for (int i = 0; i < 2; i++) {
    const dlc_entry e = must_find(s, others[i]);
    ck_assert_int_eq(s->read(s, &e, copy), DLC_OK);
    ck_assert_mem_eq(copy, "1\n2\n3\n4\n5\n6\n7\n8\n9\n", 18);
  }
  free(copy);
  s->close(s);
}
END_TEST

START_TEST(an_archive_may_be_deleted_while_it_is_open)
{
  const char *path = write_kind(_i);
  dlc_source *s = must_open_source(path);
  ck_assert_int_eq(unlink(path), 0);
  dlc_entry e = must_find(s, "a.txt");
  check_entry(s, &e, 3);
  s->close(s);
}
END_TEST

/* ---- threads ---- */

static void *read_everything(void *arg)
{
  dlc_source *s = arg;
  const dlc_entry *entries;
  uint32_t n;
  s->list(s, &entries, &n); /* as it stands: listed before */
  for (int round = 0; round < 20; round++)
    for (uint32_t i = 0; i < n; i++)
      check_entry(s, dlc_entry_at(entries, (i * 5 + (uint32_t)round) % n), (int)((i * 5 + (uint32_t)round) % n));
  return NULL;
}

START_TEST(four_threads_read_at_once)
{
  pthread_t threads[4];
  dlc_source *s = must_open_source(write_kind(_i));
  const dlc_entry *entries;
  must_list(s, &entries);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, read_everything, s), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  s->close(s);
}
END_TEST

/* ---- names ---- */

START_TEST(the_last_of_equal_names_counts_and_is_said_once)
{
  zip_writer z = {0};
  blob t = {0};
  for (int i = 0; i < 3; i++) {
    char text[2] = {(char)('1' + i), 0};
    zip_text(&z, "same", text);
    zip_text(&z, "other", text);
    tar_text(&t, "same", text);
    tar_text(&t, "other", text);
  }
  const char *path = _i ? tar_write(&t, "x.tar") : zip_write(&z, "x.zip");
  blob_free(&t);
  blob_free(&z.file);
  blob_free(&z.directory);
  dlc_source *s = must_open_source(path);
  check_list(s, "other same ");
  check_content(s, "same", "3");
  check_content(s, "other", "3");
  ck_assert_int_eq(times_said("4 entries are replaced by later ones of the same name (other)"), 1);
  s->close(s);
}
END_TEST

static const char *const bad_names[] = {"../up",       "/etc/passwd", "a/../../b",   "..",    "a/..",
                                        "back\\slash", "C:\\x",       "line\nbreak", "bell\a"};
enum { N_BAD = sizeof bad_names / sizeof *bad_names };

START_TEST(names_that_lead_elsewhere_are_left_out_and_the_rest_is_read)
{
  zip_writer z = {0};
  blob t = {0};
  for (int i = 0; i < N_BAD; i++) {
    zip_text(&z, bad_names[i], "bad");
    tar_text(&t, bad_names[i], "bad");
  }
  zip_text(&z, "good/one", "good");
  tar_text(&t, "good/one", "good");
  const char *path = _i ? tar_write(&t, "x.tar") : zip_write(&z, "x.zip");
  blob_free(&t);
  blob_free(&z.file);
  blob_free(&z.directory);
  dlc_source *s = must_open_source(path);
  check_list(s, "good/one ");
  check_content(s, "good/one", "good");
  ck_assert_int_eq(
      times_said("9 entries are left out for their names: absolute, with '..', '\\' or unprintable (../up)"), 1);
  s->close(s);
}
END_TEST

START_TEST(backslashes_part_the_names_of_a_zip_that_has_no_slash)
{
  static const char *const names[] = {"train\\", "train\\cat\\1.jpg", "..\\out", "2.jpg"};
  for (int slash = 0; slash < 2; slash++) {
    zip_writer z = {0};
    for (size_t i = 0; i < 4; i++) zip_text(&z, names[i], i ? "x" : "");
    if (slash) zip_text(&z, "a/b", "x");
    dlc_source *s = must_open_source(zip_write(&z, "x.zip"));
    const dlc_entry *entries;
    uint32_t n;
    ck_assert_int_eq(s->list(s, &entries, &n), DLC_OK);
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(dlc_entry_at(entries, 0)->path, "2.jpg");
    ck_assert_str_eq(dlc_entry_at(entries, 1)->path, slash ? "a/b" : "train/cat/1.jpg");
    s->close(s);
  }
}
END_TEST

START_TEST(a_nul_in_a_name_of_a_zip_is_refused)
{
  zip_writer z = {0};
  zip_text(&z, "nXl", "x");
  zip_text(&z, "good", "good");
  for (size_t i = 0; i + 3 <= z.directory.n; i++)
    if (memcmp(z.directory.data + i, "nXl", 3) == 0) z.directory.data[i + 1] = 0;
  dlc_source *s = must_open_source(zip_write(&z, "x.zip"));
  check_list(s, "good ");
  s->close(s);
}
END_TEST

START_TEST(dots_and_doubled_slashes_are_not_part_of_a_path)
{
  zip_writer z = {0};
  zip_text(&z, "./a//b/./c", "x");
  dlc_source *s = must_open_source(zip_write(&z, "x.zip"));
  check_list(s, "a/b/c ");
  s->close(s);
}
END_TEST

/* ---- what is no regular file ---- */

START_TEST(hard_links_of_tar_have_the_content_of_their_target)
{
  blob t = {0};
  tar_text(&t, "a", "content");
  tar_add(&t, "b", '1', "a", "", 0);
  tar_add(&t, "c", '1', "./b", "", 0);
  dlc_source *s = must_open_source(tar_write(&t, "x.tar"));
  check_list(s, "a b c ");
  check_content(s, "c", "content");
  s->close(s);
}
END_TEST

START_TEST(links_out_of_an_archive_are_not_followed)
{
  blob t = {0};
  tar_add(&t, "passwd", '2', "/etc/passwd", "", 0);
  tar_add(&t, "shadow", '1', "/etc/shadow", "", 0);
  tar_add(&t, "folder", '5', "", "", 0);
  tar_text(&t, "a", "content");
  dlc_source *s = must_open_source(tar_write(&t, "x.tar"));
  check_list(s, "a ");
  ck_assert_int_eq(times_said("2 links are not followed"), 1);
  s->close(s);
  zip_writer z = {0};
  zip_add(&z, (zip_entry){.name = "link", .data = "/etc/passwd", .n = 11, .attributes = 0120777});
  zip_add(&z, (zip_entry){.name = "file", .data = "x", .n = 1, .attributes = 0100644});
  s = must_open_source(zip_write(&z, "x.zip"));
  check_list(s, "file ");
  s->close(s);
}
END_TEST

START_TEST(an_archive_in_an_archive_is_a_file)
{
  zip_writer inner = {0}, outer = {0};
  zip_text(&inner, "deep", "x");
  blob file = zip_finish(&inner);
  zip_add(&outer, (zip_entry){.name = "inner.zip", .data = file.data, .n = file.n});
  dlc_source *s = must_open_source(zip_write(&outer, "x.zip"));
  check_list(s, "inner.zip ");
  dlc_entry e = must_find(s, "inner.zip");
  ck_assert_int_eq(e.bytes, (int64_t)file.n);
  uint8_t bytes[512];
  ck_assert_int_eq(s->read(s, &e, bytes), DLC_OK);
  ck_assert_mem_eq(bytes, file.data, file.n);
  blob_free(&file);
  s->close(s);
}
END_TEST

START_TEST(empty_archives_have_no_entries)
{
  zip_writer z = {0};
  blob t = {0};
  dlc_source *s = must_open_source(zip_write(&z, "x.zip"));
  check_list(s, "");
  s->close(s);
  s = must_open_source(tar_write(&t, "x.tar"));
  check_list(s, "");
  s->close(s);
}
END_TEST

/* ---- large ones ---- */

/* All entries share one local header, as only their records count here. */
START_TEST(a_million_entries_are_listed_and_found)
{
  enum { N = 1000000 };
  zip_writer z = {0};
  char name[16];
  zip_text(&z, "0000000", "x");
  for (int i = 1; i < N; i++) {
    snprintf(name, sizeof name, "%07d", i * 7 % N);
    blob file = z.file;
    z.file = (blob){0}; /* the record alone */
    zip_add(&z, (zip_entry){.name = name, .data = "x", .n = 1, .offset = 1});
    blob_free(&z.file);
    z.file = file;
  }
  size_t offset = z.file.n, bytes = z.directory.n;
  blob_add(&z.file, z.directory.data, bytes);
  blob_number(&z.file, 0x06064b50, 4);
  blob_number(&z.file, 44, 8);
  blob_number(&z.file, 0, 4);
  blob_number(&z.file, 0, 8); /* disks */
  blob_number(&z.file, N, 8);
  blob_number(&z.file, N, 8);
  blob_number(&z.file, bytes, 8);
  blob_number(&z.file, offset, 8);
  blob_number(&z.file, 0x07064b50, 4);
  blob_number(&z.file, 0, 4);
  blob_number(&z.file, offset + bytes, 8);
  blob_number(&z.file, 1, 4);
  blob_number(&z.file, 0x06054b50, 4);
  blob_number(&z.file, 0, 4);
  blob_number(&z.file, UINT64_MAX, 4); /* entries */
  blob_number(&z.file, UINT64_MAX, 8); /* directory */
  blob_number(&z.file, 0, 2);
  const char *path = write_blob("x.zip", &z.file);
  blob_free(&z.file);
  blob_free(&z.directory);
  dlc_source *s = must_open_source(path);
  const dlc_entry *entries;
  ck_assert_uint_eq(must_list(s, &entries), N);
  for (uint32_t i = 0; i < N; i += 99999) {
    snprintf(name, sizeof name, "%07u", i);
    ck_assert_str_eq(dlc_entry_at(entries, i)->path, name);
    check_content(s, name, "x");
  }
  s->close(s);
}
END_TEST

START_TEST(sizes_of_64_bits_are_read)
{
  zip_writer z = {0};
  zip_add(&z, (zip_entry){.name = "wide", .data = "hello", .n = 5});
  uint8_t *record = z.directory.data;
  memset(record + 20, 0xff, 8); /* both sizes */
  memset(record + 42, 0xff, 4); /* offset */
  record[30] = 28;
  blob_number(&z.directory, 1, 2);
  blob_number(&z.directory, 24, 2);
  blob_number(&z.directory, 5, 8);
  blob_number(&z.directory, 5, 8);
  blob_number(&z.directory, 0, 8);
  dlc_source *s = must_open_source(zip_write(&z, "x.zip"));
  check_content(s, "wide", "hello");
  s->close(s);
}
END_TEST

static void add_kinds(TCase *tests)
{
  tcase_add_loop_test(tests, every_kind_gives_the_same_list_and_bytes, 0, N_KINDS);
  tcase_add_loop_test(tests, only_exact_paths_are_found, 0, 4);
  tcase_add_test(tests, unpacked_archives_give_their_bytes_without_a_copy);
  tcase_add_test(tests, what_is_released_leaves_the_memory_and_nothing_else_does);
  tcase_add_loop_test(tests, an_archive_may_be_deleted_while_it_is_open, 3, 7);
  tcase_add_loop_test(tests, four_threads_read_at_once, 0, 7);
}

static void add_entries(TCase *tests)
{
  tcase_add_loop_test(tests, the_last_of_equal_names_counts_and_is_said_once, 0, 2);
  tcase_add_loop_test(tests, names_that_lead_elsewhere_are_left_out_and_the_rest_is_read, 0, 2);
  tcase_add_test(tests, backslashes_part_the_names_of_a_zip_that_has_no_slash);
  tcase_add_test(tests, a_nul_in_a_name_of_a_zip_is_refused);
  tcase_add_test(tests, dots_and_doubled_slashes_are_not_part_of_a_path);
  tcase_add_test(tests, hard_links_of_tar_have_the_content_of_their_target);
  tcase_add_test(tests, links_out_of_an_archive_are_not_followed);
  tcase_add_test(tests, an_archive_in_an_archive_is_a_file);
  tcase_add_test(tests, empty_archives_have_no_entries);
  tcase_add_test(tests, a_million_entries_are_listed_and_found);
  tcase_add_test(tests, sizes_of_64_bits_are_read);
}

int main(void)
{
  TCase *tests = tcase_create("archive");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_set_timeout(tests, 120);
  add_kinds(tests);
  add_entries(tests);
  return run_suite("archive", tests);
}
