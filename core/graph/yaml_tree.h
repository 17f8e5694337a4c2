/* A YAML text as a tree: texts, lists and maps, each with its place. What hides meaning is refused: anchors, aliases,
 * tags, keys given twice, more than one document. Everything lives in the caller's arena. [main] */
#ifndef DLC_GRAPH_YAML_TREE_H
#define DLC_GRAPH_YAML_TREE_H
#include "base/arena.h"
#include "dlcore/base.h"
#include <stdbool.h>

enum { DLC_TREE_TEXT = 1, DLC_TREE_LIST = 2, DLC_TREE_MAP = 3 };

typedef struct dlc_tree dlc_tree;
struct dlc_tree {
  uint32_t kind;
  const char *text;            /* TEXT */
  bool null;                   /* TEXT: `a:`, `~` or `null`, and `text` is "" */
  const char *key;             /* of an entry of a map, else NULL */
  const dlc_tree *first;       /* LIST, MAP: the first child; the others follow by `next` */
  const dlc_tree *next;        /* NULL after the last */
  uint32_t n;                  /* children */
  unsigned line, column;       /* of what it begins with: of an entry of a map, its key */
  unsigned at_line, at_column; /* of the value itself */
};

/* *root: NULL where the text has no document. Reasons begin with "ORIGIN:LINE:COLUMN: ". */
dlc_status dlc_tree_parse(dlc_arena *arena, const char *text, size_t length, const char *origin, const dlc_tree **root);

/* The entry of a map by its key, or NULL. */
const dlc_tree *dlc_tree_find(const dlc_tree *map, const char *key);

#endif
