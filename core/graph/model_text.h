/* A model as it was read, between the reader, the expansion and the builder of this folder. Everything but the list of
 * layers lives in the model's arena. */
#ifndef DLC_GRAPH_MODEL_TEXT_H
#define DLC_GRAPH_MODEL_TEXT_H
#include "graph/model.h"
#include "graph/yaml_tree.h"

enum { DLC_ARG_WORDS = 8, DLC_LAYERS_MAX = 4096, DLC_NAME_MAX = 255 };

/* "5", or "3", "5" for [3, 5]; and where it was written. */
typedef struct dlc_words {
  const char *words[DLC_ARG_WORDS];
  uint32_t count;
  unsigned line, column;
} dlc_words;

typedef struct dlc_layer_arg {
  const char *name; /* "": the op's first attribute */
  dlc_words value;
} dlc_layer_arg;

/* One layer after blocks and repeats have been written out. */
typedef struct dlc_layer_text {
  const char *op, *name; /* the whole name: "layer1.0.conv1" */
  const char *prefix;    /* before the names of its tensors: "layer1.0.conv1." */
  const dlc_layer_arg *args;
  uint32_t n_args, n_from;
  uint32_t from[DLC_MAX_IN]; /* the layers it reads; DLC_NONE: the model's input */
  uint32_t shared;           /* the layer whose tensors and arguments it uses, or DLC_NONE */
  const dlc_init_rule *inits;
  uint32_t n_inits;
  unsigned line, column;
} dlc_layer_text;

typedef struct dlc_block_text {
  const char *name;
  const dlc_tree *parameters, *layers; /* parameters: NULL, or a map of names and defaults */
} dlc_block_text;

struct dlc_model {
  dlc_arena arena;
  const char *origin; /* the file, for reasons */
  const char *name;
  const char *text;
  int64_t classes; /* that the file fixes; 0: the data set's */
  dlc_block_text *blocks;
  uint32_t n_blocks;
  const dlc_init_rule *inits; /* of all layers, or of all of a kind */
  uint32_t n_inits;
  dlc_layer_text *layers; /* malloc; in an order in which they can be built */
  uint32_t n_layers;
  uint32_t output; /* the layer that gives the logits */
};

/* DLC_INVALID with "FILE:LINE:COLUMN: " before the reason. */
dlc_status dlc_model_fail(const dlc_model *m, unsigned line, unsigned column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Writes the list `layers` out into m->layers; the blocks are there. */
dlc_status dlc_model_expand(dlc_model *m, const dlc_tree *layers);

#endif
