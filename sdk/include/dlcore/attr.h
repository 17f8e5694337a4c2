/* Attributes of ops and transforms: a struct of the author's own, made of int64_t and double only, described by a table
 * that model files, lists of transforms, help and dumps are read and written through. */
#ifndef DLCORE_ATTR_H
#define DLCORE_ATTR_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

enum {
  DLC_ATTR_INT = 1,     /* int64_t */
  DLC_ATTR_FLOAT = 2,   /* double */
  DLC_ATTR_BOOL = 3,    /* int64_t, 0 or 1 */
  DLC_ATTR_PAIR = 4,    /* int64_t[2], height and width: written 3 or [3, 5] */
  DLC_ATTR_PADDING = 5, /* int64_t[4], top, left, bottom, right: written 1, [1, 2] (vertical, horizontal),
                           [0, 1, 2, 3] or same (all four -1) */
  DLC_ATTR_RANGE = 6,   /* double[2], low <= high: written [0.5, 1.0] */
  DLC_ATTR_NUMBERS = 7, /* dlc_numbers: written 0.5 or [0.1, 0.2, 0.3], at most DLC_MAX_NUMBERS; [] is none */
  DLC_ATTR_CHOICE = 8,  /* int64_t, position in `choices`: written as that word */
  DLC_ATTR_SHAPE = 9,   /* int64_t[9], how many dimensions, then these: written 5 or [16, 5, 5], at most 8 */
  DLC_ATTR_LIST = 10    /* dlc_list: as NUMBERS, but at most DLC_MAX_LIST */
};

#define DLC_MAX_NUMBERS 4
typedef struct dlc_numbers {
  int64_t count;
  double at[DLC_MAX_NUMBERS];
} dlc_numbers;

#define DLC_MAX_LIST 64
typedef struct dlc_list {
  int64_t count;
  double at[DLC_MAX_LIST];
} dlc_list;

typedef struct dlc_attr {
  uint32_t size, type, offset; /* offsetof in the attribute struct */
  const char *name;            /* PyTorch's name: kernel_size, out_channels */
  const char *def;             /* default as written in a model file; NULL: must be given */
  const char *help;            /* one line */
  const char *choices;         /* CHOICE: "zero|reflect" */
} dlc_attr;

/* One entry of a table, called as its field: DLC_ATTR(INT, my_struct, stride, "1", "step of the window"). */
#define DLC_ATTR(kind, struct_type, field, text, about)                                                                \
  {                                                                                                                    \
    sizeof(dlc_attr), DLC_ATTR_##kind, offsetof(struct_type, field), #field, text, about, NULL                         \
  }
#define DLC_ATTR_WORD(struct_type, field, words, text, about)                                                          \
  {                                                                                                                    \
    sizeof(dlc_attr), DLC_ATTR_CHOICE, offsetof(struct_type, field), #field, text, about, words                        \
  }

/* The i-th entry of a table, whatever size its author built it with (R1). */
static inline const dlc_attr *dlc_attr_entry(const dlc_attr *attrs, uint32_t i)
{
  return (const dlc_attr *)((const char *)attrs + (size_t)i * attrs->size);
}

#ifdef __cplusplus
}
#endif
#endif
