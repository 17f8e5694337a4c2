/* What names and $parameters mean at one place of a model file, while it is written out. For this folder only. */
#ifndef DLC_GRAPH_MODEL_SCOPE_H
#define DLC_GRAPH_MODEL_SCOPE_H
#include "graph/model_text.h"

typedef struct dlc_binding {
  const char *name; /* of a block's parameter, or "index" in a repeat */
  dlc_words value;  /* line 0: written nowhere, so it counts as written where it is used */
  const struct dlc_binding *next;
} dlc_binding;

/* The blocks that are being written out, the innermost first. */
typedef struct dlc_inside {
  const char *block;
  const struct dlc_inside *outer;
} dlc_inside;

/* Passed by value down the recursion; what it points to lives as long. */
typedef struct dlc_scope {
  const char *names;   /* before the name of a layer: "layer1.0.", or "" */
  const char *numbers; /* before the number of a layer without one: the same, or more where a residual has no name */
  const dlc_binding *bindings;
  const dlc_inside *inside;
  uint32_t input; /* what `input` stands for: that of the block or of the model */
  uint32_t depth;
} dlc_scope;

/* A name that `from` can give: of a layer, or of a group, whose last layer it stands for. */
typedef struct dlc_known {
  const char *name;
  uint32_t hash; /* of the name; set by dlc_scope_add() */
  uint32_t layer;
  bool group;
  unsigned line, column;
} dlc_known;

typedef struct dlc_expansion {
  dlc_model *m;
  dlc_known *known; /* malloc */
  uint32_t n_known, known_capacity, layer_capacity;
} dlc_expansion;

/* A value or a flat list of values, parameters replaced. */
dlc_status dlc_scope_words(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *value, dlc_words *words);
/* One value; `what` as in "expected a name". */
dlc_status dlc_scope_word(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *value, const char *what,
                          const char **word);
/* The whole name of the layer or group at `position` of its list; `given`: what it was called, or NULL. */
dlc_status dlc_scope_name(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *given, const dlc_tree *at,
                          uint32_t position, const char **name);
/* Makes a name known; it must be new. */
dlc_status dlc_scope_add(dlc_expansion *e, const dlc_known *known);
/* What `from` gives: layers, or DLC_NONE for the model's input. `from` NULL: `current`. */
dlc_status dlc_scope_from(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *from, uint32_t current,
                          uint32_t *layers, uint32_t *n);
/* The layer that `share` gives. */
dlc_status dlc_scope_share(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *share, uint32_t *layer);

/* model_init.c: the rules behind `init` of a layer or of the model, in its arena. */
dlc_status dlc_scope_inits(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *init, bool of_model,
                           const dlc_init_rule **rules, uint32_t *n);

/* Whether any text in the tree has "$NAME". */
bool dlc_scope_mentions(const dlc_tree *tree, const char *name);

#endif
