/* The plugin's own declarations: small pictures of shapes, made from nothing but numbers.
 *
 *   draw.c    one picture as a function of (seed, split, index, class)
 *   plugin.c  what dlcore calls */
#ifndef SHAPES_H
#define SHAPES_H
#include <dlcore/plugin.h>

/* What numbers are drawn for. Part of the pictures: never renumber. */
enum { SHAPES_PURPOSE_LABEL = 0x10000, SHAPES_PURPOSE_FORM = 0x10001, SHAPES_PURPOSE_NOISE = 0x10002 };

enum { SHAPES_CLASSES = 10 };
extern const char *const shapes_names[SHAPES_CLASSES];

typedef struct shapes_style {
  uint64_t seed;
  int32_t size;     /* height and width */
  int32_t channels; /* 1 or 3 */
  int32_t noise;    /* grey levels by which a pixel may differ from what is drawn, up or down */
} shapes_style;

/* Writes channels * size * size bytes. The same on every machine: integers only. [any] */
void shapes_draw(const dlc_random *random, const shapes_style *style, uint32_t split, uint32_t index, uint32_t shape,
                 uint8_t *picture);

#endif
