/* The imagefolder data set: which files are taken, as what, in which order, and what is said about the others. */
#include "dataset_fixture.h"
#include "picture_fixture.h"
#include <stdarg.h>
#include <sys/stat.h>

#define IMAGES TEST_SOURCE_DIR "/golden/images"

/* ---- folders of pictures ---- */

/* folder/PATH with all folders above it. */
static void put(const char *path, const void *bytes, size_t n)
{
  char whole[PATH_MAX];
  snprintf(whole, sizeof whole, "%s", in_folder(path));
  for (char *slash = whole + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
    *slash = '\0';
    mkdir(whole, 0777);
    *slash = '/';
  }
  FILE *f = fopen(whole, "wb");
  ck_assert_msg(f != NULL, "%s", whole);
  ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
  ck_assert_int_eq(fclose(f), 0);
}

/* A picture of one pixel, (k, k, k), whatever its name says. */
static void put_pixel(const char *path, int k)
{
  char bytes[] = "P6 1 1 255\n...";
  memset(bytes + 11, k, 3);
  put(path, bytes, 14);
}

static void put_golden(const char *path, const char *name, size_t limit)
{
  char bytes[8192], from[512];
  snprintf(from, sizeof from, IMAGES "/%s", name);
  FILE *f = fopen(from, "rb");
  ck_assert_msg(f != NULL, "%s", from);
  size_t n = fread(bytes, 1, sizeof bytes, f);
  fclose(f);
  put(path, bytes, n < limit ? n : limit);
}

/* Paths with a blank between them; the k-th has pixel k. */
static void put_all(const char *paths)
{
  char copy[2048], *rest = NULL;
  int k = 0;
  snprintf(copy, sizeof copy, "%s", paths);
  for (char *path = strtok_r(copy, " ", &rest); path; path = strtok_r(NULL, " ", &rest)) put_pixel(path, k++);
}

/* All splits as text: "train: cats=train/cats/1.jpg ...; test: test/1.jpg". */
static const char *listing(const test_dataset *t)
{
  static char text[4096];
  size_t at = 0;
  text[0] = '\0';
  for (uint32_t s = 0; s < t->info->n_splits; s++) {
    const dlc_split *split = dlc_split_at(t->info, s);
    at += (size_t)snprintf(text + at, sizeof text - at, "%s%s:", s ? "; " : "", split->name);
    for (int64_t i = 0; i < split->count && at < sizeof text; i++) {
      char name[256];
      t->dataset->sample_name(t->data, s, i, name, sizeof name);
      at +=
          (size_t)snprintf(text + at, sizeof text - at, " %s%s%s",
                           split->labels ? t->info->class_names[split->labels[i]] : "", split->labels ? "=" : "", name);
    }
  }
  return text;
}

static void expect_listing(const char *options, const char *expected)
{
  test_dataset t = must_open("imagefolder", options, folder);
  ck_assert_str_eq(listing(&t), expected);
  close_dataset(&t);
}

/* `expected`: what follows the folder's name. */
static void expect_error(const char *options, const char *expected)
{
  test_dataset t;
  dlc_status status = open_dataset("imagefolder", options, folder, &t);
  ck_assert_msg(status != DLC_OK, "opened: %s", listing(&t));
  ck_assert_int_eq(strncmp(dlc_reason(), folder, strlen(folder)), 0);
  ck_assert_str_eq(dlc_reason() + strlen(folder), expected);
  ck_assert_int_eq(status, DLC_INVALID);
}

static void expect_said(const char *text)
{
  char line[PATH_MAX + 512];
  snprintf(line, sizeof line, "%s%s\n", folder, text);
  ck_assert_msg(strstr(said, line) != NULL, "expected %s among\n%s", line, said);
}

/* ---- layouts ---- */

START_TEST(splits_and_classes_are_folders)
{
  put_all("train/dogs/1.jpg train/cats/2.jpg train/cats/1.jpg val/cats/3.png val/dogs/4.ppm test/dogs/5.jpg");
  expect_listing(NULL, "train: cats=train/cats/1.jpg cats=train/cats/2.jpg dogs=train/dogs/1.jpg; "
                       "val: cats=val/cats/3.png dogs=val/dogs/4.ppm; test: dogs=test/dogs/5.jpg");
}
END_TEST

static const char *const spellings[][3] = {{"train", "val", "test"},
                                           {"train", "valid", "test1"},
                                           {"train", "validation", "testing"},
                                           {"Training", "VAL", "Test"}};

START_TEST(usual_names_of_splits_are_known)
{
  char paths[256], expected[512];
  const char *const *s = spellings[_i];
  snprintf(paths, sizeof paths, "%s/a/1.jpg %s/b/1.jpg %s/a/1.jpg %s/b/1.jpg", s[0], s[0], s[1], s[2]);
  snprintf(expected, sizeof expected, "train: a=%s/a/1.jpg b=%s/b/1.jpg; val: a=%s/a/1.jpg; test: b=%s/b/1.jpg", s[0],
           s[0], s[1], s[2]);
  put_all(paths);
  expect_listing(NULL, expected);
}
END_TEST

START_TEST(folders_around_the_splits_do_not_matter)
{
  put_all("x/y/z/train/a/1.jpg x/y/z/train/b/1.jpg x/y/z/val/a/1.jpg x/y/preview.jpg");
  expect_listing(NULL, "train: a=x/y/z/train/a/1.jpg b=x/y/z/train/b/1.jpg; val: a=x/y/z/val/a/1.jpg");
  expect_said(": 1 picture outside of splits and classes left out, the first is x/y/preview.jpg");
}
END_TEST

START_TEST(one_folder_of_classes_is_the_train_split)
{
  put_all("flowers/rose/1.jpg flowers/rose/2.jpg flowers/tulip/1.jpg");
  expect_listing(NULL, "train: rose=flowers/rose/1.jpg rose=flowers/rose/2.jpg tulip=flowers/tulip/1.jpg");
}
END_TEST

START_TEST(pictures_deeper_in_a_class_belong_to_it)
{
  put_all("cats/black/young/1.jpg cats/2.jpg dogs/1.jpg");
  expect_listing(NULL, "train: cats=cats/2.jpg cats=cats/black/young/1.jpg dogs=dogs/1.jpg");
}
END_TEST

START_TEST(kaggles_pictures_have_their_class_in_the_name)
{
  put_all("train/cat.0.jpg train/cat.10.jpg train/cat.2.jpg train/dog.0.jpg test/1.jpg test/10.jpg test/9.jpg");
  expect_listing(NULL, "train: cat=train/cat.0.jpg cat=train/cat.10.jpg cat=train/cat.2.jpg dog=train/dog.0.jpg; "
                       "test: test/1.jpg test/9.jpg test/10.jpg");
}
END_TEST

START_TEST(kaggles_test_has_no_labels)
{
  put_all("train/cat.0.jpg train/dog.0.jpg test/1.jpg");
  test_dataset t = must_open("imagefolder", NULL, folder);
  ck_assert_ptr_nonnull(t.info->splits[0].labels);
  ck_assert_ptr_null(t.info->splits[1].labels);
  close_dataset(&t);
}
END_TEST

START_TEST(names_with_classes_need_no_train_folder)
{
  put_all("pets/american_bulldog_12.jpg pets/american_bulldog_3.jpg pets/Birman-1.jpg pets/pug7.jpg");
  expect_listing(NULL, "train: Birman=pets/Birman-1.jpg american_bulldog=pets/american_bulldog_12.jpg "
                       "american_bulldog=pets/american_bulldog_3.jpg pug=pets/pug7.jpg");
}
END_TEST

START_TEST(a_test_split_without_classes_may_be_beside_class_folders)
{
  put_all("train/cats/1.jpg train/dogs/1.jpg test/2.jpg test/10.jpg test/x1.jpg");
  expect_listing(NULL, "train: cats=train/cats/1.jpg dogs=train/dogs/1.jpg; test: test/2.jpg test/10.jpg test/x1.jpg");
}
END_TEST

START_TEST(a_split_folder_within_itself_is_one)
{
  put_all("train/train/cat.0.jpg train/train/dog.0.jpg test/test/1.jpg");
  expect_listing(NULL, "train: cat=train/train/cat.0.jpg dog=train/train/dog.0.jpg; test: test/test/1.jpg");
}
END_TEST

START_TEST(a_class_may_be_called_train)
{
  put_all("bus/1.jpg car/1.jpg train/1.jpg");
  expect_listing(NULL, "train: bus=bus/1.jpg car=car/1.jpg train=train/1.jpg");
}
END_TEST

START_TEST(classes_are_in_byte_order)
{
  put_all("a/1.jpg a-b/1.jpg B/1.jpg a0/1.jpg");
  expect_listing(NULL, "train: B=B/1.jpg a=a/1.jpg a-b=a-b/1.jpg a0=a0/1.jpg");
}
END_TEST

START_TEST(extensions_may_be_in_capitals)
{
  put_all("a/1.JPG a/2.Jpeg b/1.PNG b/2.PpM b/3.pGm");
  expect_listing(NULL, "train: a=a/1.JPG a=a/2.Jpeg b=b/1.PNG b=b/2.PpM b=b/3.pGm");
}
END_TEST

/* ---- options ---- */

START_TEST(a_rule_of_the_users_is_stronger_than_folders)
{
  put_all("x/cat7.jpg x/dog7.jpg y/cat8.jpg");
  expect_listing("label-regex=^(cat|dog)", "train: cat=x/cat7.jpg cat=y/cat8.jpg dog=x/dog7.jpg");
}
END_TEST

START_TEST(a_limit_takes_the_first_of_each_class)
{
  put_all("train/a/1.jpg train/a/2.jpg train/a/3.jpg train/b/1.jpg train/b/2.jpg train/b/3.jpg train/c/1.jpg "
          "val/a/1.jpg val/a/2.jpg val/a/3.jpg test/1.jpg test/2.jpg test/3.jpg");
  expect_listing("limit-per-class=2",
                 "train: a=train/a/1.jpg a=train/a/2.jpg b=train/b/1.jpg b=train/b/2.jpg c=train/c/1.jpg; "
                 "val: a=val/a/1.jpg a=val/a/2.jpg; test: test/1.jpg test/2.jpg test/3.jpg");
}
END_TEST

START_TEST(all_pictures_may_be_taken_without_classes)
{
  put_all("train/cat.0.jpg 10.jpg 9.jpg x/y/3.jpg");
  expect_listing("unlabelled=true", "test: 9.jpg 10.jpg train/cat.0.jpg x/y/3.jpg");
}
END_TEST

static const struct {
  const char *options, *first;
  int64_t channels;
} channels[] = {{NULL, "grey.jpg", 3},
                {"channels=1", "rgb.png", 1},
                {"channels=auto", "grey.jpg", 1},
                {"channels=auto", "rgb.png", 3},
                {"channels=auto", "index.txt", 3}};

START_TEST(channels_are_chosen_or_seen)
{
  test_picture p = test_picture_make(0);
  put_golden("a/1.jpg", channels[_i].first, SIZE_MAX);
  put_golden("b/1.jpg", "sampling_420.jpg", SIZE_MAX);
  test_dataset t = must_open("imagefolder", channels[_i].options, folder);
  ck_assert_int_eq(t.info->channels, channels[_i].channels);
  ck_assert_int_eq(t.dataset->read(t.data, 0, 1, &p.picture), DLC_OK);
  ck_assert_int_eq(p.picture.channels, channels[_i].channels);
  test_picture_free(&p);
  close_dataset(&t);
}
END_TEST

START_TEST(orientation_is_applied_on_request)
{
  test_picture p = test_picture_make(0);
  put_golden("a/1.jpg", "orientation_6.jpg", SIZE_MAX);
  put_pixel("b/1.jpg", 0);
  test_dataset t = must_open("imagefolder", NULL, folder), u = must_open("imagefolder", "exif=apply", folder);
  ck_assert_int_eq(t.dataset->read(t.data, 0, 0, &p.picture), DLC_OK);
  ck_assert_int_eq(p.picture.width, 19);
  ck_assert_int_eq(u.dataset->read(u.data, 0, 0, &p.picture), DLC_OK);
  ck_assert_int_eq(p.picture.width, 13);
  test_picture_free(&p);
  close_dataset(&t);
  close_dataset(&u);
}
END_TEST

/* ---- what is left out ---- */

START_TEST(hidden_files_are_left_out_and_counted)
{
  put_all("cats/1.jpg dogs/1.jpg .ipynb_checkpoints/1-checkpoint.jpg cats/.thumb.jpg __MACOSX/cats/._1.jpg");
  expect_listing(NULL, "train: cats=cats/1.jpg dogs=dogs/1.jpg");
  expect_said(": 3 hidden files left out, the first is .ipynb_checkpoints/1-checkpoint.jpg");
}
END_TEST

START_TEST(files_of_other_kinds_are_left_out_and_counted)
{
  put_all("cats/1.jpg dogs/1.jpg dogs/2.webp readme.txt");
  expect_listing(NULL, "train: cats=cats/1.jpg dogs=dogs/1.jpg");
  expect_said(": 2 files of other kinds left out, the first is dogs/2.webp");
}
END_TEST

START_TEST(empty_classes_are_left_out_and_named)
{
  put_all("train/cats/1.jpg train/dogs/1.jpg train/birds/Thumbs.db train/fish/.DS_Store train/.git/x train/notes.txt");
  expect_listing(NULL, "train: cats=train/cats/1.jpg dogs=train/dogs/1.jpg");
  expect_said(": no picture in birds, fish");
}
END_TEST

START_TEST(pictures_beside_the_classes_are_left_out_and_counted)
{
  put_all("train/cats/1.jpg train/dogs/1.jpg train/all.jpg train/more.jpg");
  expect_listing(NULL, "train: cats=train/cats/1.jpg dogs=train/dogs/1.jpg");
  expect_said(": 2 pictures outside of splits and classes left out, the first is train/all.jpg");
}
END_TEST

START_TEST(where_all_is_taken_nothing_is_said)
{
  put_all("cats/1.jpg dogs/1.jpg");
  expect_listing(NULL, "train: cats=cats/1.jpg dogs=dogs/1.jpg");
  ck_assert_msg(strstr(said, folder) == NULL || strstr(said, "left out") == NULL, "%s", said);
}
END_TEST

/* ---- wrong folders ---- */

static const struct {
  const char *paths, *options, *error;
} wrong[] = {
    {"readme.txt a/b.txt", NULL, ": no picture: no file is called .jpg, .jpeg, .png, .ppm or .pgm"},
    {".a/1.jpg", NULL, ": no picture: no file is called .jpg, .jpeg, .png, .ppm or .pgm"},
    {"train/cats/1.jpg", NULL, ": one class only, cats; at least two are needed"},
    {"train/cat.1.jpg train/cat.2.jpg", NULL, ": one class only, cat; at least two are needed"},
    {"cats/1.jpg cats/2.jpg", NULL,
     "/cats/1.jpg: no class to be seen; expected folders of classes, or names like cat.0.jpg (see label-regex)"},
    {"train/cat.1.jpg train/dog.1.jpg train/odd.jpg", NULL,
     "/train/odd.jpg: no class to be seen; expected folders of classes, or names like cat.0.jpg (see label-regex)"},
    {"train/a/1.jpg train/b/1.jpg val/a/1.jpg val/c/1.jpg", NULL,
     "/val/c/1.jpg: class 'c' of val is not in train, which has a, b"},
    {"train/a/1.jpg train/b/1.jpg test/c/1.jpg", NULL,
     "/test/c/1.jpg: class 'c' of test is not in train, which has a, b"},
    {"train/a/1.jpg train/b/1.jpg val/1.jpg", NULL,
     "/val/1.jpg: no class to be seen; expected folders of classes as in train, or names like cat.0.jpg (see "
     "label-regex)"},
    {"train/cat.1.jpg train/dog.1.jpg test/cat.3.jpg test/4.jpg", NULL,
     "/test/4.jpg: no class to be seen; expected folders of classes, or names like cat.0.jpg (see label-regex)"},
    {"val/a/1.jpg val/b/1.jpg", NULL, ": there is val/ and no train/ beside it"},
    {"x/test/1.jpg x/val/2.jpg", NULL, ": there is x/test/ and no train/ beside it"},
    {"train/a/1.jpg train/b/1.jpg val/a/1.jpg valid/a/1.jpg", NULL, ": both val/ and valid/ could be the val split"},
    {"x/cat7.jpg x/pug7.jpg", "label-regex=^(cat|dog)",
     "/x/pug7.jpg: label-regex '^(cat|dog)' finds no class in the name"},
};

START_TEST(what_is_wrong_with_a_folder_is_said)
{
  put_all(wrong[_i].paths);
  expect_error(wrong[_i].options, wrong[_i].error);
}
END_TEST

static const char *const bad_rules[][2] = {
    {"label-regex=^(cat", "label-regex '^(cat': Unmatched ( or \\("},
    {"label-regex=^cat", "label-regex '^cat': expected a group that is the class, as in '^(cat|dog)'"}};

START_TEST(what_is_wrong_with_a_rule_is_said)
{
  test_dataset t;
  put_all("a/1.jpg b/1.jpg");
  ck_assert_int_eq(open_dataset("imagefolder", bad_rules[_i][0], folder, &t), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), bad_rules[_i][1]);
}
END_TEST

START_TEST(pictures_have_no_usual_place)
{
  test_dataset t;
  ck_assert_int_eq(open_dataset("imagefolder", NULL, NULL, &t), DLC_NOT_FOUND);
  ck_assert_str_eq(dlc_reason(), "pictures have no usual place: give their folder or archive with --data-dir");
}
END_TEST

/* ---- reading ---- */

START_TEST(each_sample_is_its_own_file)
{
  test_picture p = test_picture_make(0xaa);
  put_all("b/1.jpg a/2.jpg a/1.png");
  test_dataset t = must_open("imagefolder", NULL, folder);
  static const uint8_t expected[] = {2, 1, 0};
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(t.dataset->read(t.data, 0, i, &p.picture), DLC_OK);
    ck_assert_uint_eq(p.picture.pixels[0], expected[i]);
  }
  test_picture_free(&p);
  close_dataset(&t);
}
END_TEST

START_TEST(a_long_name_is_cut)
{
  char name[6];
  put_all("cats/1.jpg dogs/1.jpg");
  test_dataset t = must_open("imagefolder", NULL, folder);
  t.dataset->sample_name(t.data, 0, 1, name, sizeof name);
  ck_assert_str_eq(name, "dogs/");
  close_dataset(&t);
}
END_TEST

/* `how`: what happens to a/1.jpg between listing and reading. */
static void expect_bad(const char *options, void (*how)(const char *path), dlc_status status, const char *expected)
{
  char path[PATH_MAX];
  test_picture p = test_picture_make(0);
  put_pixel("b/1.jpg", 0);
  snprintf(path, sizeof path, "%s", in_folder("a/1.jpg"));
  test_dataset t = must_open("imagefolder", options, folder);
  if (how) how(path);
  ck_assert_int_eq(t.dataset->read(t.data, 0, 0, &p.picture), status);
  ck_assert_int_eq(strncmp(dlc_reason(), path, strlen(path)), 0);
  ck_assert_str_eq(dlc_reason() + strlen(path), expected);
  ck_assert_int_eq(t.dataset->read(t.data, 0, 1, &p.picture), DLC_OK); /* the others are not affected */
  test_picture_free(&p);
  close_dataset(&t);
}

START_TEST(a_damaged_picture_is_read_and_named)
{
  put_golden("a/1.jpg", "large.jpg", 4000);
  expect_bad(NULL, NULL, DLC_DAMAGED, ": JPEG: Premature end of JPEG file");
}
END_TEST

START_TEST(an_empty_file_is_named)
{
  put("a/1.jpg", "", 0);
  expect_bad(NULL, NULL, DLC_INVALID, ": the file is empty");
}
END_TEST

START_TEST(a_text_file_is_named)
{
  put("a/1.jpg", "<html>not found</html>", 22);
  expect_bad(NULL, NULL, DLC_INVALID, ": no JPEG, PNG, PPM or PGM: the file begins with 3c 68 74 6d");
}
END_TEST

START_TEST(a_file_of_too_many_bytes_is_not_read)
{
  put_golden("a/1.jpg", "large.jpg", 4000);
  expect_bad("max-bytes=3999", NULL, DLC_INVALID, ": 4000 bytes, more than max-bytes 3999");
}
END_TEST

START_TEST(a_picture_of_too_many_pixels_is_not_decoded)
{
  put_golden("a/1.jpg", "sampling_420.jpg", SIZE_MAX);
  expect_bad("max-pixels=200", NULL, DLC_INVALID, ": 19x13 pixels, more than max-pixels 200");
}
END_TEST

static void vanish(const char *path)
{
  ck_assert_int_eq(unlink(path), 0);
}

START_TEST(a_file_that_is_gone_is_named)
{
  put_pixel("a/1.jpg", 0);
  expect_bad(NULL, vanish, DLC_IO, ": No such file or directory");
}
END_TEST

static void forbid(const char *path)
{
  ck_assert_int_eq(chmod(path, 0), 0);
}

START_TEST(a_file_that_may_not_be_read_is_named)
{
  if (geteuid() == 0) return; /* who may read everything */
  put_pixel("a/1.jpg", 0);
  expect_bad(NULL, forbid, DLC_IO, ": Permission denied");
}
END_TEST

typedef struct reading {
  const test_dataset *t;
  uint64_t hash[400];
  dlc_status status[400];
} reading;

static void read_one(void *arg, uint32_t i)
{
  reading *r = arg;
  test_picture p = test_picture_make((uint8_t)i);
  r->status[i] = r->t->dataset->read(r->t->data, 0, i % 40, &p.picture);
  r->hash[i] = r->status[i] == DLC_OK || r->status[i] == DLC_DAMAGED ? test_picture_hash(&p) : 0;
  test_picture_free(&p);
}

START_TEST(eight_threads_read_what_one_reads)
{
  static const char *const names[] = {
      "sampling_420.jpg", "large.jpg", "large_progressive.jpg", "cmyk.jpg", "rgb.png",
      "palette_4.png",    "grey.jpg",  "grey_text.pgm",         "rgb.ppm",  "index.txt"};
  static reading alone, together;
  for (int i = 0; i < 40; i++) {
    char path[64];
    snprintf(path, sizeof path, "class%d/%02d.jpg", i % 2, i);
    put_golden(path, names[i / 2 % 10], i < 20 ? SIZE_MAX : 700);
  }
  test_dataset t = must_open("imagefolder", NULL, folder);
  alone.t = together.t = &t;
  for (uint32_t i = 0; i < 400; i++) read_one(&alone, i);
  const dlc_threads *threads = dlc_pool_threads(pool);
  threads->run(threads, 400, read_one, &together);
  ck_assert_mem_eq(alone.status, together.status, sizeof alone.status);
  ck_assert_mem_eq(alone.hash, together.hash, sizeof alone.hash);
  for (uint32_t i = 40; i < 400; i++) ck_assert_uint_eq(alone.hash[i], alone.hash[i % 40]);
  close_dataset(&t);
}
END_TEST

START_TEST(an_archive_is_like_its_folder)
{
  char expected[4096];
  test_picture p = test_picture_make(0), q = test_picture_make(0);
  put_all("set/train/cat.1.jpg set/train/cat.10.jpg set/train/dog.2.jpg set/test/10.jpg set/test/9.jpg");
  put_golden("set/train/dog.1.jpg", "large.jpg", SIZE_MAX);
  run_program((char *[]){"tar", "-C", folder, "-cf", (char *)in_folder("set.tar"), "set", NULL});
  test_dataset t = must_open("imagefolder", NULL, folder), u = must_open("imagefolder", NULL, in_folder("set.tar"));
  snprintf(expected, sizeof expected, "%s", listing(&t));
  ck_assert_str_eq(listing(&u), expected);
  ck_assert_int_eq(t.dataset->read(t.data, 0, 2, &p.picture), DLC_OK);
  ck_assert_int_eq(u.dataset->read(u.data, 0, 2, &q.picture), DLC_OK);
  ck_assert_int_eq(q.picture.width, 160);
  ck_assert_mem_eq(p.pixels, q.pixels, test_picture_bytes(&p));
  test_picture_free(&p);
  test_picture_free(&q);
  close_dataset(&t);
  close_dataset(&u);
}
END_TEST

static void set_up_eight(void)
{
  set_up_with(8);
}

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

int main(void)
{
  TCase *tests = tcase_create("imagefolder");
  tcase_add_checked_fixture(tests, set_up_eight, tear_down);
  tcase_add_test(tests, splits_and_classes_are_folders);
  tcase_add_loop_test(tests, usual_names_of_splits_are_known, 0, COUNT(spellings));
  tcase_add_test(tests, folders_around_the_splits_do_not_matter);
  tcase_add_test(tests, one_folder_of_classes_is_the_train_split);
  tcase_add_test(tests, pictures_deeper_in_a_class_belong_to_it);
  tcase_add_test(tests, kaggles_pictures_have_their_class_in_the_name);
  tcase_add_test(tests, kaggles_test_has_no_labels);
  tcase_add_test(tests, names_with_classes_need_no_train_folder);
  tcase_add_test(tests, a_test_split_without_classes_may_be_beside_class_folders);
  tcase_add_test(tests, a_split_folder_within_itself_is_one);
  tcase_add_test(tests, a_class_may_be_called_train);
  tcase_add_test(tests, classes_are_in_byte_order);
  tcase_add_test(tests, extensions_may_be_in_capitals);
  tcase_add_test(tests, a_rule_of_the_users_is_stronger_than_folders);
  tcase_add_test(tests, a_limit_takes_the_first_of_each_class);
  tcase_add_test(tests, all_pictures_may_be_taken_without_classes);
  tcase_add_loop_test(tests, channels_are_chosen_or_seen, 0, COUNT(channels));
  tcase_add_test(tests, orientation_is_applied_on_request);
  tcase_add_test(tests, hidden_files_are_left_out_and_counted);
  tcase_add_test(tests, files_of_other_kinds_are_left_out_and_counted);
  tcase_add_test(tests, empty_classes_are_left_out_and_named);
  tcase_add_test(tests, pictures_beside_the_classes_are_left_out_and_counted);
  tcase_add_test(tests, where_all_is_taken_nothing_is_said);
  tcase_add_loop_test(tests, what_is_wrong_with_a_folder_is_said, 0, COUNT(wrong));
  tcase_add_loop_test(tests, what_is_wrong_with_a_rule_is_said, 0, COUNT(bad_rules));
  tcase_add_test(tests, pictures_have_no_usual_place);
  tcase_add_test(tests, each_sample_is_its_own_file);
  tcase_add_test(tests, a_long_name_is_cut);
  tcase_add_test(tests, a_damaged_picture_is_read_and_named);
  tcase_add_test(tests, an_empty_file_is_named);
  tcase_add_test(tests, a_text_file_is_named);
  tcase_add_test(tests, a_file_of_too_many_bytes_is_not_read);
  tcase_add_test(tests, a_picture_of_too_many_pixels_is_not_decoded);
  tcase_add_test(tests, a_file_that_is_gone_is_named);
  tcase_add_test(tests, a_file_that_may_not_be_read_is_named);
  tcase_add_test(tests, eight_threads_read_what_one_reads);
  tcase_add_test(tests, an_archive_is_like_its_folder);
  return run_suite("imagefolder", tests);
}
