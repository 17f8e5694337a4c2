/* Losses are means over their batch, weighted by w[label] where there are class weights. So the loss of a batch of one
 * sample, times its weight, is what the sample adds to the sum over all. */
#include "train/criterion.h"
#include "base/status.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct dlc_criterion {
  dlc_criterion_config config;
  void *attr; /* infer() may write into it; owned */
  dlc_value value[3], out_value[DLC_MAX_OUT];
  const dlc_value *iv[3], *ov[DLC_MAX_OUT];
  double label, *outputs, *weights, *results[DLC_MAX_OUT]; /* all but label owned */
  dlc_call call;
  const double *in[3];
  double sum, weight;
};

static dlc_status copy_attr(dlc_criterion *c)
{
  const size_t bytes = c->config.loss->attr_size;
  c->attr = calloc(1, bytes + 1);
  if (!c->attr) return dlc_fail_nomem();
  if (bytes) memcpy(c->attr, c->config.attr, bytes);
  return DLC_OK;
}

static dlc_status infer(dlc_criterion *c)
{
  const dlc_criterion_config *config = &c->config;
  const uint32_t n_in = config->class_weights ? 3 : 2;
  const int64_t outputs = config->outputs;
  uint32_t n_out = 0;
  c->value[0] = (dlc_value){.size = sizeof(dlc_value), .dtype = DLC_F32, .rank = 2, .dim = {1, outputs}, .name = ""};
  c->value[1] = (dlc_value){.size = sizeof(dlc_value), .dtype = DLC_I32, .rank = 1, .dim = {1}, .name = ""};
  c->value[2] = (dlc_value){.size = sizeof(dlc_value), .dtype = DLC_F32, .rank = 1, .dim = {outputs}, .name = ""};
  for (uint32_t i = 0; i < 3; i++) c->iv[i] = &c->value[i];
  for (uint32_t k = 0; k < DLC_MAX_OUT; k++) {
    c->out_value[k] = (dlc_value){.size = sizeof(dlc_value), .name = ""};
    c->ov[k] = &c->out_value[k];
  }
  dlc_status status = config->loss->infer(config->host, c->attr, n_in, c->iv, &n_out, c->out_value);
  if (status < 0) return dlc_fail_in(status, "%s", config->loss->name);
  c->call = (dlc_call){sizeof(dlc_call), n_in, n_out, config->host, c->attr, c->iv, c->in, c->ov, c->results};
  return DLC_OK;
}

static dlc_status make_room(dlc_criterion *c)
{
  const uint32_t outputs = c->config.outputs;
  c->outputs = calloc(outputs + 1, sizeof *c->outputs);
  c->weights = calloc(outputs + 1, sizeof *c->weights);
  bool ok = c->outputs && c->weights;
  for (uint32_t k = 0; k < c->call.n_out && ok; k++) {
    c->results[k] = calloc((size_t)dlc_count(c->ov[k]) + 1, sizeof **c->results);
    ok = c->results[k] != NULL;
  }
  if (!ok) return dlc_fail_nomem();
  c->in[0] = c->outputs;
  c->in[1] = &c->label;
  c->in[2] = c->weights;
  /* A class of weight 0 still counts by its label smoothing, which a weight that is all but 0 leaves as it is. */
  const double nothing = 1e-30;
  for (uint32_t k = 0; k < outputs; k++) {
    c->weights[k] = c->config.class_weights ? (double)c->config.class_weights[k] : 1;
    if (c->weights[k] <= 0) c->weights[k] = nothing;
  }
  return DLC_OK;
}

dlc_status dlc_criterion_open(const dlc_criterion_config *config, dlc_criterion **criterion)
{
  *criterion = NULL;
  dlc_criterion *c = calloc(1, sizeof *c);
  if (!c) return dlc_fail_nomem();
  c->config = *config;
  dlc_status status = copy_attr(c);
  if (status >= 0) status = infer(c);
  if (status >= 0) status = make_room(c);
  if (status < 0) dlc_criterion_close(c);
  else *criterion = c;
  return status;
}

void dlc_criterion_close(dlc_criterion *c)
{
  if (!c) return;
  for (uint32_t k = 0; k < DLC_MAX_OUT; k++) free(c->results[k]);
  free(c->weights);
  free(c->outputs);
  free(c->attr);
  free(c);
}

dlc_status dlc_criterion_add(dlc_criterion *c, uint32_t label, const float *outputs)
{
  for (uint32_t k = 0; k < c->config.outputs; k++) c->outputs[k] = (double)outputs[k];
  c->label = label;
  DLC_TRY(c->config.loss->reference(&c->call));
  c->sum += c->weights[label] * c->results[0][0];
  c->weight += c->weights[label];
  return DLC_OK;
}

double dlc_criterion_value(const dlc_criterion *c)
{
  return c->weight > 0 ? c->sum / c->weight : NAN;
}
