/* A model as it was read, between the reader and the builder of this folder. Everything lives in the model's arena. */
#ifndef DLC_GRAPH_MODEL_TEXT_H
#define DLC_GRAPH_MODEL_TEXT_H
#include "base/arena.h"
#include "graph/model.h"

enum { DLC_ARG_WORDS = 4, DLC_LAYER_ARGS = 16 };

typedef struct dlc_layer_arg {
  const char *name; /* "": the op's first attribute */
  const char *words[DLC_ARG_WORDS];
  uint32_t count;
  unsigned line, column;
} dlc_layer_arg;

typedef struct dlc_layer_text {
  const char *op, *name;
  dlc_layer_arg args[DLC_LAYER_ARGS];
  uint32_t n_args;
  unsigned line, column;
} dlc_layer_text;

struct dlc_model {
  dlc_arena arena;
  const char *origin; /* the file, for reasons */
  const char *name;
  const char *text;
  dlc_layer_text *layers;
  uint32_t n_layers;
};

#endif
