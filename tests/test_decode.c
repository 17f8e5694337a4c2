/* The decoders of the imagefolder plugin: Pillow's pixels on right files, one clear line on wrong ones. */
#include "codec.h"
#include "picture_fixture.h"
#include "suite.h"

#define IMAGES TEST_SOURCE_DIR "/golden/images"

static const img_rules colour = {.channels = 3, .max_pixels = 178956970};
static const img_rules grey = {.channels = 1, .max_pixels = 178956970};
static const img_rules upright = {.channels = 3, .max_pixels = 178956970, .upright = true};

/* ---- files and pictures ---- */

typedef struct file {
  uint8_t bytes[8192];
  size_t n;
} file;

static file load(const char *name)
{
  file f;
  char path[512];
  snprintf(path, sizeof path, IMAGES "/%s", name);
  FILE *stream = fopen(path, "rb");
  ck_assert_msg(stream != NULL, "%s", path);
  f.n = fread(f.bytes, 1, sizeof f.bytes, stream);
  fclose(stream);
  ck_assert_uint_lt(f.n, sizeof f.bytes);
  return f;
}

static file make(const void *bytes, size_t n)
{
  file f = {.n = n};
  memcpy(f.bytes, bytes, n);
  return f;
}

static char reason[IMG_REASON];

/* From a copy of exactly its size, so that the address sanitizer sees reading past the end. */
static dlc_status decode(const img_rules *rules, const file *f, test_picture *t)
{
  uint8_t *bytes = malloc(f->n ? f->n : 1);
  ck_assert_ptr_nonnull(bytes);
  memcpy(bytes, f->bytes, f->n);
  reason[0] = '\0';
  dlc_status status = img_decode(rules, bytes, f->n, &t->picture, reason);
  free(bytes);
  return status;
}

static void expect(const file *f, dlc_status status, const char *text)
{
  test_picture t = test_picture_make(0xaa);
  dlc_status got = decode(&colour, f, &t);
  ck_assert_str_eq(reason, text);
  ck_assert_int_eq(got, status);
  test_picture_free(&t);
}

/* The same status and the same pixels whatever was in the buffer before: nothing is left unset. */
static dlc_status decode_twice(const img_rules *rules, const file *f, const char *name)
{
  char first[IMG_REASON];
  test_picture t = test_picture_make(0xaa), u = test_picture_make(0x55);
  dlc_status status = decode(rules, f, &t);
  strcpy(first, reason);
  ck_assert_msg(decode(rules, f, &u) == status, "%s cut to %zu bytes: %d, then another status", name, f->n, status);
  ck_assert_str_eq(reason, first);
  ck_assert_msg((status == DLC_OK) == (reason[0] == '\0'), "%s cut to %zu bytes: status %d, reason '%s'", name, f->n,
                status, reason);
  if (status == DLC_OK || status == DLC_DAMAGED) {
    ck_assert_uint_eq(t.picture.channels, rules->channels);
    ck_assert_uint_eq(test_picture_bytes(&t), test_picture_bytes(&u));
    ck_assert_msg(memcmp(t.pixels, u.pixels, test_picture_bytes(&t)) == 0, "%s cut to %zu bytes: pixels left unset",
                  name, f->n);
  }
  test_picture_free(&t);
  test_picture_free(&u);
  return status;
}

/* ---- right files ---- */

typedef struct golden {
  char name[64];
  long long width, height, upright_width, upright_height;
  unsigned long long rgb, grey, upright;
} golden;

static golden goldens[128];
static int n_goldens;

/* Before the tests, which it counts: false when there are not enough. */
static bool read_index(void)
{
  golden g;
  FILE *f = fopen(IMAGES "/index.txt", "r");
  if (!f) return false;
  while (n_goldens < 128 && fscanf(f, "%63s %lld %lld %llx %llx %lld %lld %llx", g.name, &g.width, &g.height, &g.rgb,
                                   &g.grey, &g.upright_width, &g.upright_height, &g.upright) == 8)
    goldens[n_goldens++] = g;
  fclose(f);
  return n_goldens >= 50;
}

static void check_pixels(const img_rules *rules, const char *name, long long width, long long height,
                         unsigned long long hash)
{
  file f = load(name);
  test_picture t = test_picture_make(0xaa);
  dlc_status status = decode(rules, &f, &t);
  ck_assert_msg(status == DLC_OK, "%s: %d %s", name, status, reason);
  ck_assert_msg(t.picture.width == width && t.picture.height == height, "%s: %lldx%lld", name,
                (long long)t.picture.width, (long long)t.picture.height);
  ck_assert_msg(test_picture_hash(&t) == hash, "%s: hash %016llx, expected %016llx", name,
                (unsigned long long)test_picture_hash(&t), hash);
  test_picture_free(&t);
}

START_TEST(colour_is_pillows)
{
  for (int i = 0; i < n_goldens; i++)
    check_pixels(&colour, goldens[i].name, goldens[i].width, goldens[i].height, goldens[i].rgb);
}
END_TEST

START_TEST(grey_is_pillows)
{
  for (int i = 0; i < n_goldens; i++)
    check_pixels(&grey, goldens[i].name, goldens[i].width, goldens[i].height, goldens[i].grey);
}
END_TEST

START_TEST(pictures_are_turned_upright_on_request)
{
  for (int i = 0; i < n_goldens; i++)
    check_pixels(&upright, goldens[i].name, goldens[i].upright_width, goldens[i].upright_height, goldens[i].upright);
}
END_TEST

START_TEST(grey_files_are_known_by_their_headers)
{
  for (int i = 0; i < n_goldens; i++) {
    file f = load(goldens[i].name);
    uint32_t expected = strncmp(goldens[i].name, "grey", 4) == 0 ? 1 : 3;
    ck_assert_msg(img_channels(f.bytes, f.n) == expected, "%s: %u channels", goldens[i].name,
                  img_channels(f.bytes, f.n));
  }
  ck_assert_uint_eq(img_channels((const uint8_t *)"text", 4), 0);
}
END_TEST

START_TEST(names_do_not_count)
{
  file f = load("rgb.png");
  ck_assert_uint_eq(f.bytes[0], 0x89);
  check_pixels(&colour, "rgb.png", 19, 13, 0x091f07d6cee2f24a);
  f = make("P6 1 1 255\nabc", 14);
  test_picture t = test_picture_make(0);
  ck_assert_int_eq(decode(&colour, &f, &t), DLC_OK);
  ck_assert_mem_eq(t.pixels, "abc", 3);
  test_picture_free(&t);
}
END_TEST

/* ---- files cut short ---- */

START_TEST(a_jpeg_cut_at_every_tenth_keeps_what_came_before)
{
  file f = load("large.jpg"), cut = f;
  test_picture whole = test_picture_make(0);
  ck_assert_int_eq(decode(&colour, &f, &whole), DLC_OK);
  for (size_t tenth = 2; tenth < 10; tenth++) {
    test_picture part = test_picture_make(0xaa);
    cut.n = f.n * tenth / 10;
    dlc_status status = decode(&colour, &cut, &part);
    ck_assert_msg(status == DLC_DAMAGED, "%zu of %zu bytes: %d", cut.n, f.n, status);
    ck_assert_str_eq(reason, "JPEG: Premature end of JPEG file");
    size_t rows = (size_t)part.picture.height * (tenth - 2) / 10; /* two tenths are the header */
    ck_assert_msg(memcmp(part.pixels, whole.pixels, rows * 160 * 3) == 0, "%zu of %zu bytes: the first %zu rows differ",
                  cut.n, f.n, rows);
    test_picture_free(&part);
  }
  test_picture_free(&whole);
}
END_TEST

START_TEST(a_progressive_jpeg_cut_at_every_tenth_is_a_coarser_picture)
{
  file f = load("large_progressive.jpg"), cut = f;
  for (size_t tenth = 1; tenth < 10; tenth++) {
    cut.n = f.n * tenth / 10;
    dlc_status status = decode_twice(&colour, &cut, "large_progressive.jpg");
    ck_assert_msg(status == DLC_DAMAGED, "%zu of %zu bytes: %d", cut.n, f.n, status);
  }
}
END_TEST

/* ---- what is odd in a JPEG, but does no harm ---- */

/* Where the marker ff `code` stands. */
static size_t marker(const file *f, uint8_t code)
{
  for (size_t i = 0; i + 1 < f->n; i++)
    if (f->bytes[i] == 0xff && f->bytes[i + 1] == code) return i;
  ck_abort_msg("no marker %02x", code);
  return 0;
}

/* As encoders and cameras write it, or a transmission leaves it; Pillow reads all of them without a word. */
static file odd_jpeg(int oddity)
{
  file f = load("large.jpg");
  const size_t scan = marker(&f, 0xda), begin = scan + 2 + f.bytes[scan + 3];
  switch (oddity) {
  case 0: /* extraneous bytes before a marker */
    memmove(f.bytes + scan + 3, f.bytes + scan, f.n - scan);
    memset(f.bytes + scan, 7, 3);
    f.n += 3;
    break;
  case 1: f.bytes[begin - 2] = 0; break;            /* a scan that says it is of DC alone, in a sequential file */
  case 2: f.bytes[marker(&f, 0xe0) + 9] = 2; break; /* JFIF 2.x */
  default: memcpy(f.bytes + f.n, "\0\0rubbish", 9), f.n += 9; /* something behind the end */
  }
  return f;
}

START_TEST(oddities_that_change_no_pixel_are_no_damage)
{
  const file plain = load("large.jpg"), odd = odd_jpeg(_i);
  test_picture expected = test_picture_make(0), t = test_picture_make(0xaa);
  ck_assert_int_eq(decode(&colour, &plain, &expected), DLC_OK);
  ck_assert_int_eq(decode(&colour, &odd, &t), DLC_OK);
  ck_assert_str_eq(reason, "");
  ck_assert_uint_eq(test_picture_hash(&t), test_picture_hash(&expected));
  test_picture_free(&expected);
  test_picture_free(&t);
}
END_TEST

START_TEST(damage_behind_an_oddity_is_damage)
{
  file f = odd_jpeg(_i);
  f.n -= f.n / 10;
  test_picture t = test_picture_make(0xaa);
  ck_assert_int_eq(decode(&colour, &f, &t), DLC_DAMAGED);
  ck_assert_str_eq(reason, "JPEG: Premature end of JPEG file");
  test_picture_free(&t);
}
END_TEST

START_TEST(pixels_that_cannot_be_right_are_damage)
{
  file f = load("large.jpg");
  test_picture t = test_picture_make(0xaa);
  for (size_t i = 0; i < 40; i++) f.bytes[f.n * 6 / 10 + i] = i % 2 ? 0x00 : 0xff; /* ones, which are no code */
  ck_assert_int_eq(decode(&colour, &f, &t), DLC_DAMAGED);
  ck_assert_str_eq(reason, "JPEG: Corrupt JPEG data: bad Huffman code");
  test_picture_free(&t);
}
END_TEST

START_TEST(a_jpeg_cut_in_its_header_is_no_picture)
{
  file f = load("large.jpg");
  f.n = 300;
  expect(&f, DLC_INVALID, "JPEG: Invalid JPEG file structure: missing SOS marker");
}
END_TEST

START_TEST(any_file_cut_anywhere_gives_the_same_whatever_was_before)
{
  const golden *g = &goldens[_i];
  file f = load(g->name), cut = f;
  const img_rules *rules[] = {&colour, &grey, &upright};
  for (cut.n = 0; cut.n < f.n && cut.n < 1000; cut.n++) {
    dlc_status status = decode_twice(rules[cut.n % 3], &cut, g->name);
    ck_assert_msg(status == DLC_OK || status == DLC_DAMAGED || status == DLC_INVALID, "%s cut to %zu bytes: %d (%s)",
                  g->name, cut.n, status, reason);
  }
}
END_TEST

START_TEST(any_byte_may_be_wrong)
{
  const golden *g = &goldens[_i];
  file f = load(g->name), wrong = f;
  for (size_t i = 0; i < f.n && i < 1000; i++) {
    wrong.bytes[i] = (uint8_t)(f.bytes[i] ^ (1u << i % 8));
    img_rules rules = {.channels = i % 2 ? 1 : 3, .max_pixels = 1 << 14, .upright = i % 3 == 0};
    decode_twice(&rules, &wrong, g->name);
    wrong.bytes[i] = f.bytes[i];
  }
}
END_TEST

/* Without its quantisation tables a JPEG cannot be decoded; those of the picture before must not help out. */
START_TEST(a_picture_depends_on_its_own_bytes_only)
{
  file f = load("sampling_444.jpg"), without = {.n = 0};
  for (size_t at = 0; at < f.n;) {
    size_t n = at == 0 ? 2 : 2 + ((size_t)f.bytes[at + 2] << 8 | f.bytes[at + 3]);
    int scan = at > 0 && f.bytes[at + 1] == 0xda;
    if (scan) n = f.n - at;
    if (at == 0 || f.bytes[at + 1] != 0xdb) { /* DQT */
      memcpy(without.bytes + without.n, f.bytes + at, n);
      without.n += n;
    }
    at += n;
  }
  ck_assert_uint_lt(without.n, f.n);
  check_pixels(&colour, "sampling_444.jpg", 19, 13, 0x8b3500d3259bca31);
  expect(&without, DLC_INVALID, "JPEG: Quantization table 0x00 was not defined");
}
END_TEST

/* ---- limits ---- */

static const struct {
  const char *bytes;
  size_t n;
} huge_headers[] = {
    {"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xff\xdc\0\0\xff\xdc\x08\x02\0\0\0\x1c\x35\x81\x4c\0\0\0\x01IDAT", 41},
    {"P6 65500 65500 255\nabc", 22},
};

START_TEST(a_huge_header_without_data_allocates_nothing)
{
  test_picture t = test_picture_make(0);
  file f = make(huge_headers[_i].bytes, huge_headers[_i].n);
  ck_assert_int_eq(decode(&colour, &f, &t), DLC_INVALID);
  ck_assert_str_eq(reason, "65500x65500 pixels, more than max-pixels 178956970");
  ck_assert_int_eq(t.reserved, 0);
  test_picture_free(&t);
}
END_TEST

START_TEST(a_huge_jpeg_header_without_data_allocates_nothing)
{
  test_picture t = test_picture_make(0);
  file f = load("sampling_444.jpg");
  size_t at = 2;
  while (f.bytes[at + 1] != 0xc0) at += 2 + ((size_t)f.bytes[at + 2] << 8 | f.bytes[at + 3]);
  memcpy(f.bytes + at + 5, "\xff\xdc\xff\xdc", 4); /* height, width */
  while (f.bytes[at + 1] != 0xda) at += 2 + ((size_t)f.bytes[at + 2] << 8 | f.bytes[at + 3]);
  f.n = at + 2 + ((size_t)f.bytes[at + 2] << 8 | f.bytes[at + 3]);
  ck_assert_int_eq(decode(&colour, &f, &t), DLC_INVALID);
  ck_assert_str_eq(reason, "65500x65500 pixels, more than max-pixels 178956970");
  ck_assert_int_eq(t.reserved, 0);
  test_picture_free(&t);
}
END_TEST

START_TEST(the_limit_is_the_last_size_that_is_taken)
{
  static const char *const names[] = {"sampling_420.jpg", "rgb.png", "rgb.ppm"};
  img_rules exact = {.channels = 3, .max_pixels = 19 * 13}, less = {.channels = 3, .max_pixels = 19 * 13 - 1};
  file f = load(names[_i]);
  test_picture t = test_picture_make(0);
  ck_assert_int_eq(decode(&exact, &f, &t), DLC_OK);
  ck_assert_int_eq(decode(&less, &f, &t), DLC_INVALID);
  ck_assert_str_eq(reason, "19x13 pixels, more than max-pixels 246");
  test_picture_free(&t);
}
END_TEST

static dlc_status refuse(dlc_picture *p, int64_t height, int64_t width, int64_t channels)
{
  (void)p, (void)height, (void)width, (void)channels;
  return DLC_NOMEM;
}

START_TEST(a_host_without_room_is_not_the_files_fault)
{
  static const char *const names[] = {"cmyk.jpg", "rgb.png", "grey.pgm"};
  file f = load(names[_i]);
  test_picture t = test_picture_make(0);
  t.picture.reserve = refuse;
  ck_assert_int_eq(decode(&colour, &f, &t), DLC_NOMEM);
  ck_assert_str_eq(reason, "no room for 19x13 pixels");
}
END_TEST

/* ---- files that are no pictures ---- */

static const struct {
  const char *bytes;
  size_t n;
  dlc_status status;
  const char *reason;
} no_pictures[] = {
    {"", 0, DLC_INVALID, "the file is empty"},
    {"\xff", 1, DLC_INVALID, "no JPEG, PNG, PPM or PGM: the file begins with ff"},
    {"Hello, world", 12, DLC_INVALID, "no JPEG, PNG, PPM or PGM: the file begins with 48 65 6c 6c"},
    {"GIF89a..........", 16, DLC_UNSUPPORTED, "a GIF file, expected JPEG, PNG, PPM or PGM"},
    {"RIFF\x10\0\0\0WEBPVP8 ", 16, DLC_UNSUPPORTED, "a WebP file, expected JPEG, PNG, PPM or PGM"},
    {"\0\0\0\x20"
     "ftypavif",
     12, DLC_UNSUPPORTED, "an AVIF or HEIC file, expected JPEG, PNG, PPM or PGM"},
    {"\xff\xd8\xff", 3, DLC_INVALID, "JPEG: Premature end of JPEG file"},
    {"\x89PNG\r\n\x1a\n", 8, DLC_INVALID, "PNG: the file ends too early"},
    {"P6 2 2", 6, DLC_INVALID, "PNM: expected P6 WIDTH HEIGHT MAXVAL, the last from 1 to 65535"},
    {"P6 2 2 0 abc", 12, DLC_INVALID, "PNM: expected P6 WIDTH HEIGHT MAXVAL, the last from 1 to 65535"},
    {"P5 2 2 65536 a", 14, DLC_INVALID, "PNM: expected P5 WIDTH HEIGHT MAXVAL, the last from 1 to 65535"},
    {"P5 -2 2 255 ab", 14, DLC_INVALID, "PNM: expected P5 WIDTH HEIGHT MAXVAL, the last from 1 to 65535"},
    {"P5 99999999999 2 255 a", 22, DLC_INVALID, "PNM: expected P5 WIDTH HEIGHT MAXVAL, the last from 1 to 65535"},
    {"P5 0 2 255 a", 12, DLC_INVALID, "0x2 is no size of a picture"},
    {"P5 2 2 255", 10, DLC_INVALID, "PNM: a header and no samples"},
    {"P5 2 2 255 ", 11, DLC_INVALID, "PNM: a header and no samples"},
    {"P4 8 1 a", 8, DLC_INVALID, "no JPEG, PNG, PPM or PGM: the file begins with 50 34 20 38"},
    {"P5 2 2 255 abc", 14, DLC_DAMAGED, "PNM: it ends after 3 of 4 samples"},
    {"P2 2 2 9 1 2 x", 14, DLC_DAMAGED, "PNM: no number after 2 of 4 samples"},
    {"P3 1 1 255 1 2 # 3", 18, DLC_DAMAGED, "PNM: it ends after 2 of 3 samples"},
    {"P5 2 1 300 \1\1\1", 14, DLC_DAMAGED, "PNM: it ends after 1 of 2 samples"},
};

START_TEST(what_is_wrong_is_said_in_one_line)
{
  file f = make(no_pictures[_i].bytes, no_pictures[_i].n);
  expect(&f, no_pictures[_i].status, no_pictures[_i].reason);
}
END_TEST

START_TEST(missing_samples_are_black)
{
  file f = make("P5 2 2 255 ab", 13);
  test_picture t = test_picture_make(0xaa);
  ck_assert_int_eq(decode(&colour, &f, &t), DLC_DAMAGED);
  ck_assert_mem_eq(t.pixels, "aaabbb\0\0\0\0\0\0", 12);
  test_picture_free(&t);
}
END_TEST

START_TEST(a_damaged_png_keeps_the_rows_before_it)
{
  file f = load("large.png");
  test_picture whole = test_picture_make(0), part = test_picture_make(0xaa);
  ck_assert_int_eq(decode(&colour, &f, &whole), DLC_OK);
  f.bytes[f.n * 3 / 4] ^= 1;
  ck_assert_int_eq(decode(&colour, &f, &part), DLC_DAMAGED);
  ck_assert_mem_eq(part.pixels, whole.pixels, 60 * 3 * 20);
  f.n = f.n * 3 / 4;
  ck_assert_int_eq(decode(&colour, &f, &part), DLC_DAMAGED);
  ck_assert_str_eq(reason, "PNG: the file ends too early");
  ck_assert_mem_eq(part.pixels, whole.pixels, 60 * 3 * 20);
  ck_assert_uint_eq(part.pixels[60 * 45 * 3 - 1], 0);
  test_picture_free(&whole);
  test_picture_free(&part);
}
END_TEST

/* ---- orientation ---- */

/* A TIFF header and a directory of one entry, big endian; the orientation 6. */
#define EXIF "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"

static const struct {
  const char *what, *replacement;
  size_t at, n;
} exifs[] = {
    {"another byte order mark", "XX", 0, 2},
    {"half a byte order mark", "I", 0, 1},
    {"another magic number", "\0+", 2, 2},
    {"a directory far outside", "\xff\xff\xff\xff", 4, 4},
    {"a directory just outside", "\0\0\0\x16", 4, 4},
    {"no entry", "\0\0", 8, 2},
    {"another tag", "\x01\x13", 10, 2},
    {"another type", "\0\x04", 12, 2},
    {"another count", "\0\0\0\x02", 14, 4},
    {"orientation 0", "\0\0", 18, 2},
    {"orientation 9", "\0\x09", 18, 2},
};

START_TEST(a_strange_orientation_is_none)
{
  uint8_t bytes[sizeof EXIF - 1];
  memcpy(bytes, EXIF, sizeof bytes);
  ck_assert_uint_eq(img_exif_orientation(bytes, sizeof bytes), 6);
  memcpy(bytes + exifs[_i].at, exifs[_i].replacement, exifs[_i].n);
  ck_assert_msg(img_exif_orientation(bytes, sizeof bytes) == 1, "%s: %u", exifs[_i].what,
                img_exif_orientation(bytes, sizeof bytes));
}
END_TEST

START_TEST(cut_exif_data_is_none)
{
  for (size_t n = 0; n < sizeof EXIF - 1; n++) {
    uint8_t *bytes = malloc(n ? n : 1);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, EXIF, n);
    ck_assert_msg(img_exif_orientation(bytes, n) == 1, "%zu bytes", n);
    free(bytes);
  }
}
END_TEST

int main(void)
{
  if (!read_index()) {
    fprintf(stderr, "%s/index.txt: %d pictures, expected at least 50\n", IMAGES, n_goldens);
    return EXIT_FAILURE;
  }
  TCase *tests = tcase_create("decode");
  tcase_add_test(tests, colour_is_pillows);
  tcase_add_test(tests, grey_is_pillows);
  tcase_add_test(tests, pictures_are_turned_upright_on_request);
  tcase_add_test(tests, grey_files_are_known_by_their_headers);
  tcase_add_test(tests, names_do_not_count);
  tcase_add_test(tests, a_jpeg_cut_at_every_tenth_keeps_what_came_before);
  tcase_add_test(tests, a_progressive_jpeg_cut_at_every_tenth_is_a_coarser_picture);
  tcase_add_loop_test(tests, oddities_that_change_no_pixel_are_no_damage, 0, 4);
  tcase_add_loop_test(tests, damage_behind_an_oddity_is_damage, 0, 3);
  tcase_add_test(tests, pixels_that_cannot_be_right_are_damage);
  tcase_add_test(tests, a_jpeg_cut_in_its_header_is_no_picture);
  tcase_add_loop_test(tests, any_file_cut_anywhere_gives_the_same_whatever_was_before, 0, n_goldens);
  tcase_add_loop_test(tests, any_byte_may_be_wrong, 0, n_goldens);
  tcase_add_test(tests, a_picture_depends_on_its_own_bytes_only);
  tcase_add_loop_test(tests, a_huge_header_without_data_allocates_nothing, 0, 2);
  tcase_add_test(tests, a_huge_jpeg_header_without_data_allocates_nothing);
  tcase_add_loop_test(tests, the_limit_is_the_last_size_that_is_taken, 0, 3);
  tcase_add_loop_test(tests, a_host_without_room_is_not_the_files_fault, 0, 3);
  tcase_add_loop_test(tests, what_is_wrong_is_said_in_one_line, 0, sizeof no_pictures / sizeof no_pictures[0]);
  tcase_add_test(tests, missing_samples_are_black);
  tcase_add_test(tests, a_damaged_png_keeps_the_rows_before_it);
  tcase_add_loop_test(tests, a_strange_orientation_is_none, 0, sizeof exifs / sizeof exifs[0]);
  tcase_add_test(tests, cut_exif_data_is_none);
  return run_suite("decode", tests);
}
