/* What a model costs: per layer and in all. For `dlcore summary`. [main] */
#ifndef DLCORE_APP_SUMMARY_H
#define DLCORE_APP_SUMMARY_H
#include "job.h"

typedef struct cli_cost {
  const char *layer, *op; /* the model's; NULL: what is before and after the layers */
  char output[64];        /* shape, "64x28x28": without the batch, which comes first */
  int64_t parameters;     /* numbers that are trained */
  double flops;           /* forward, of one picture: see dlc_node_flops() */
  size_t kept;            /* bytes that the backward pass reads, of a batch */
} cli_cost;

typedef struct cli_costs {
  cli_cost *layers;
  uint32_t n;
  cli_cost rest;                                           /* of the loss */
  int64_t frozen;                                          /* of the parameters */
  int64_t states;                                          /* numbers that a layer changes itself, and that are saved */
  double training_flops;                                   /* forward and backward, of one picture */
  size_t parameter_bytes, gradient_bytes, optimizer_bytes; /* parameters: and states */
  char *refused; /* why it cannot be trained, and there is nothing but layers here; owned; NULL: it can */
} cli_costs;

/* Of job->model trained by job->method, on `batch` pictures of this shape. */
dlc_status cli_costs_make(cli_job *job, const int64_t chw[3], int64_t classes, int64_t batch, cli_costs *costs);
void cli_costs_free(cli_costs *costs);

/* The table of layers, groups of them indented. */
void cli_costs_table(const cli_costs *costs);
/* What it comes to. */
void cli_costs_total(const cli_costs *costs, const char *optimizer, int64_t batch);

#endif
