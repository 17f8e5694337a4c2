/* Folders of small PPM pictures of different sizes. */
#ifndef TESTS_PICTURE_FOLDER_H
#define TESTS_PICTURE_FOLDER_H
#include "program.h"

/* A gradient whose colours depend on `kind`. */
static inline void write_picture(const char *path, int height, int width, int kind)
{
  FILE *f = fopen(path, "w");
  ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
  fprintf(f, "P6 %d %d 255\n", width, height);
  for (int i = 0; i < height * width; i++) {
    const unsigned char pixel[3] = {(unsigned char)(40 * kind), (unsigned char)(7 * i), (unsigned char)(255 - 3 * i)};
    fwrite(pixel, 1, 3, f);
  }
  ck_assert_int_eq(fclose(f), 0);
}

static inline void make_folder(const char *path)
{
  ck_assert_msg(mkdir(path, 0777) == 0 || errno == EEXIST, "%s: %s", path, strerror(errno));
}

/* FOLDER/{train,val,test}/{cat,dog}/N.ppm, `count` of each class to train on and half as many (at least 1) elsewhere.
 */
static inline void make_pictures(const char *folder, int count)
{
  static const char *const splits[] = {"train", "val", "test"}, *const classes[] = {"cat", "dog"};
  char path[PATH_MAX];
  make_folder(folder);
  for (int s = 0; s < 3; s++)
    for (int c = 0; c < 2; c++) {
      snprintf(path, sizeof path, "%s/%s", folder, splits[s]);
      make_folder(path);
      snprintf(path, sizeof path, "%s/%s/%s", folder, splits[s], classes[c]);
      make_folder(path);
      const int n = s == 0 ? count : (count + 1) / 2;
      for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s/%s/%d.ppm", folder, splits[s], classes[c], i);
        write_picture(path, 9 + i % 3, 8 + c, 2 * i + c);
      }
    }
}

#endif
