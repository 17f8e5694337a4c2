/* The forward graph with a log_softmax at its end, run over one split. One program for the full batch: what a partial
 * batch leaves behind in the other rows is not looked at. */
#include "train/predict.h"
#include "base/status.h"
#include "data/sweep.h"
#include "train/parameters.h"
#include "train/step_graph.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct dlc_predictor {
  dlc_predictor_config config;
  dlc_input input;
  dlc_program *program;
  dlc_parameters parameters;
  void *samples; /* the machine's */
  uint32_t n_outputs;
  const float *outputs, *log_probs; /* the machine's */
};

/* ---- opening ---- */

static void plan_input(dlc_predictor *p)
{
  const dlc_weights_info *info = p->config.info;
  const int64_t elements = info->shape[0] * info->shape[1] * info->shape[2];
  const uint32_t dtype = info->bytes ? DLC_U8 : DLC_F32;
  float mean[4], std[4];
  p->input = (dlc_input){.format = {.dtype = dtype,
                                    .channels = info->shape[0],
                                    .height = info->shape[1],
                                    .width = info->shape[2],
                                    .bytes = (size_t)elements * dlc_dtype_bytes(dtype)}};
  if (info->bytes && p->config.transforms && dlc_pipeline_tail(p->config.transforms, info->shape[0], mean, std))
    dlc_pipeline_drop_tail(p->config.transforms);
}

static dlc_status add_program(dlc_predictor *p)
{
  const dlc_step_config step = {.model = p->config.model,
                                .input = &p->input,
                                .classes = p->config.info->n_classes,
                                .finder = p->config.finder,
                                .batch = p->config.batch_size};
  dlc_graph_build *g;
  dlc_model_graph m;
  DLC_TRY(dlc_predict_graph(&step, &g, &m));
  p->n_outputs = (uint32_t)dlc_value_at(dlc_graph_view(g), m.logits)->dim[1];
  dlc_status status = dlc_parameters_describe(dlc_graph_view(g), &m, NULL, &p->parameters);
  if (status < 0) dlc_graph_free(g);
  else status = dlc_program_add(p->config.machine, "predict", g, &p->program);
  dlc_model_graph_free(&m);
  return status;
}

static dlc_status open_predictor(dlc_predictor *p)
{
  const dlc_predictor_config *c = &p->config;
  plan_input(p);
  DLC_TRY(add_program(p));
  DLC_TRY(dlc_machine_commit(c->machine));
  p->samples = dlc_machine_memory(c->machine, DLC_NAME_INPUT, NULL);
  p->outputs = dlc_machine_memory(c->machine, DLC_NAME_OUTPUTS, NULL);
  p->log_probs = dlc_machine_memory(c->machine, DLC_NAME_LOG_PROBS, NULL);
  float *mean = dlc_machine_memory(c->machine, DLC_NAME_MEAN, NULL),
        *std = dlc_machine_memory(c->machine, DLC_NAME_STD, NULL);
  for (int64_t i = 0; mean && std && i < p->input.format.channels; i++) {
    mean[i] = c->info->mean[i];
    std[i] = c->info->std[i];
  }
  DLC_TRY(dlc_parameters_init(&p->parameters, c->machine, 0));
  return dlc_parameters_load(&p->parameters, c->weights, true, c->sink);
}

dlc_status dlc_predictor_open(const dlc_predictor_config *config, dlc_predictor **predictor)
{
  *predictor = NULL;
  dlc_predictor *p = calloc(1, sizeof *p);
  if (!p) return dlc_fail_nomem();
  p->config = *config;
  dlc_status status = open_predictor(p);
  if (status < 0) dlc_predictor_close(p);
  else *predictor = p;
  return status;
}

void dlc_predictor_close(dlc_predictor *p)
{
  if (!p) return;
  dlc_parameters_free(&p->parameters);
  free(p);
}

uint32_t dlc_predictor_outputs(const dlc_predictor *p)
{
  return p->n_outputs;
}

/* ---- running ---- */

static dlc_status check_format(const dlc_predictor *p, const dlc_dataset_info *info)
{
  const dlc_sample_format *f = &p->input.format;
  dlc_sample_format given;
  DLC_TRY(dlc_sample_format_make(info, p->config.transforms, &given));
  if (given.channels != f->channels || given.height != f->height || given.width != f->width)
    return dlc_fail(DLC_INVALID, "pictures come as %lldx%lldx%lld, the weights are for %lldx%lldx%lld",
                    (long long)given.channels, (long long)given.height, (long long)given.width, (long long)f->channels,
                    (long long)f->height, (long long)f->width);
  if (given.dtype != f->dtype)
    return dlc_fail(DLC_INVALID, "the transforms give %s, the weights are for %s",
                    given.dtype == DLC_U8 ? "bytes" : "floats", f->dtype == DLC_U8 ? "bytes" : "floats");
  return DLC_OK;
}

static dlc_status read_sample(void *ctx, dlc_sampler *sampler, uint32_t index, uint32_t i)
{
  const dlc_predictor *p = ctx;
  return dlc_sampler_read(sampler, 0, index, (char *)p->samples + i * p->input.format.bytes);
}

static dlc_status tell_sample(const dlc_predictor *p, const dlc_predict_config *c, const dlc_sample_config *sample,
                              uint32_t index, uint32_t i, const dlc_outcome *o)
{
  char name[4096];
  dlc_sample_name(sample, index, name, sizeof name);
  if (o->status < 0) {
    if (c->on_bad == DLC_BAD_FAIL) return dlc_fail(o->status, "%s", o->reason);
    if (c->on_bad_sample) c->on_bad_sample(c->ctx, name, o->reason);
    if (o->status != DLC_DAMAGED || c->on_bad != DLC_BAD_WARN) return DLC_OK;
  }
  const float *log_probs = p->log_probs + (size_t)i * p->config.info->n_classes;
  if (isnan(log_probs[0])) return dlc_fail(DLC_INVALID, "%s: the network gives NaN for it", name);
  return c->on_sample(c->ctx, &(dlc_prediction){name, index, p->outputs + (size_t)i * p->n_outputs, log_probs});
}

static dlc_status predict_all(dlc_predictor *p, const dlc_predict_config *c, const dlc_sample_config *sample,
                              dlc_sweep *sweep)
{
  const dlc_split *split = dlc_split_at(c->dataset->info(c->data), c->split);
  const uint32_t count = c->subset ? c->subset->count : (uint32_t)split->count;
  for (uint32_t first = 0; first < count; first += p->config.batch_size) {
    const uint32_t left = count - first, n = left < p->config.batch_size ? left : p->config.batch_size;
    const dlc_outcome *outcomes;
    DLC_TRY(dlc_sweep_run(sweep, first, n, read_sample, p, &outcomes));
    DLC_TRY(dlc_program_run(p->program));
    for (uint32_t i = 0; i < n; i++) {
      const uint32_t index = c->subset ? c->subset->index[first + i] : first + i;
      DLC_TRY(tell_sample(p, c, sample, index, i, &outcomes[i]));
    }
    if (c->on_batch && !c->on_batch(c->ctx, first + n, count)) return DLC_END;
  }
  return DLC_OK;
}

dlc_status dlc_predict(dlc_predictor *p, const dlc_predict_config *c)
{
  const dlc_sample_config sample = {
      .dataset = c->dataset, .data = c->data, .split = c->split, .pipeline = p->config.transforms};
  dlc_sweep *sweep;
  DLC_TRY(check_format(p, c->dataset->info(c->data)));
  DLC_TRY(dlc_sweep_open(&sample, c->subset, c->threads, p->config.batch_size, &sweep));
  dlc_status status = predict_all(p, c, &sample, sweep);
  dlc_sweep_close(sweep);
  return status;
}
