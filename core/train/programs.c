/* The graphs of a run made ready: training steps, evaluation, the update of accumulated gradients; the memory they
 * share, and what is in it before the first step. */
#include "base/status.h"
#include "train/run_state.h"
#include "train/step_graph.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct dump {
  const dlc_train_config *config;
  dlc_str text;
} dump;

static void dump_stage(void *ctx, const char *stage, const dlc_graph *g)
{
  dump *d = ctx;
  if (strcmp(stage, d->config->dump_graph) == 0) dlc_graph_dump(g, &d->text);
}

/* The update of the sums, from the first graph that makes them. */
static dlc_status add_apply(dlc_run *r, const dlc_step_config *step, const dlc_graph *g, const dlc_model_graph *m)
{
  dlc_graph_build *apply;
  if (r->config.method.accumulate <= 1 || r->apply) return DLC_OK;
  DLC_TRY(dlc_apply_graph(step, g, m, &apply));
  dlc_status status = dlc_parameters_states(dlc_graph_view(apply), &r->states);
  if (status < 0) dlc_graph_free(apply);
  return status < 0 ? status : dlc_program_add(r->config.machine, "update", apply, &r->apply);
}

/* Names and shapes of everything that lives on, from the first training graph. */
static dlc_status describe(dlc_run *r, const dlc_graph *g, const dlc_model_graph *m)
{
  if (r->parameters.list) return DLC_OK;
  DLC_TRY(dlc_parameters_describe(g, m, NULL, &r->parameters));
  if (r->config.method.ema > 0) DLC_TRY(dlc_parameters_describe(g, m, DLC_PREFIX_EMA, &r->averages));
  return r->config.method.accumulate > 1 ? DLC_OK : dlc_parameters_states(g, &r->states);
}

static dlc_status add_program(dlc_run *r, bool training, int64_t batch, dlc_program **program)
{
  const dlc_train_config *c = &r->config;
  dump d = {.config = c};
  const bool dumping = training && c->dump_graph && c->on_dump && !r->parameters.list;
  const dlc_step_config step = {.model = c->model,
                                .input = &r->data_input,
                                .classes = r->info->n_classes,
                                .method = &c->method,
                                .dtype = c->dtype,
                                .training = training,
                                .prefix = !training && c->method.ema > 0 ? DLC_PREFIX_EMA : NULL,
                                .finder = c->finder,
                                .batch = batch,
                                .on_stage = dumping ? dump_stage : NULL,
                                .ctx = &d};
  dlc_graph_build *g;
  dlc_model_graph m;
  dlc_status status = dlc_step_graph(&step, &g, &m);
  if (status >= 0 && training) {
    status = describe(r, dlc_graph_view(g), &m);
    if (status >= 0) status = add_apply(r, &step, dlc_graph_view(g), &m);
    if (status < 0) dlc_graph_free(g);
  }
  if (status >= 0) status = dlc_program_add(c->machine, training ? "train" : "eval", g, program);
  if (status >= 0 && training) status = dlc_program_divide(*program, DLC_NAME_LOSS);
  if (status >= 0 && dumping) {
    if (strcmp(c->dump_graph, "plan") == 0) dlc_program_dump(*program, &d.text);
    if (dlc_str_ok(&d.text)) c->on_dump(c->ctx, dlc_str_get(&d.text));
    else status = dlc_fail_nomem();
  }
  dlc_model_graph_free(&m);
  dlc_str_free(&d.text);
  return status;
}

/* A program of this kind and size that another phase already has, or a new one. */
static dlc_status find_program(dlc_run *r, int which, int64_t batch, dlc_program **program)
{
  *program = NULL;
  if (batch == 0) return DLC_OK;
  for (int i = which == DLC_PHASE_TRAIN ? DLC_PHASE_TRAIN : DLC_PHASE_VAL; i < which; i++) {
    const dlc_phase *p = &r->phases[i];
    if (p->full && batch == p->batch_size) *program = p->full;
    if (p->partial && p->subset.count % p->batch_size == batch) *program = p->partial;
  }
  return *program ? DLC_OK : add_program(r, which == DLC_PHASE_TRAIN, batch, program);
}

static void put_at(const dlc_run *r, void *numbers, int64_t i, float value)
{
  const uint32_t size = dlc_dtype_bytes(r->config.dtype == DLC_F64 ? DLC_F64 : DLC_F32);
  dlc_run_put(r, (char *)numbers + i * size, (double)value);
}

static void fill_constants(dlc_run *r)
{
  const dlc_machine *m = r->config.machine;
  void *mean = dlc_machine_memory(m, DLC_NAME_MEAN, NULL), *std = dlc_machine_memory(m, DLC_NAME_STD, NULL);
  float *weights = dlc_machine_memory(m, DLC_NAME_CLASS_WEIGHTS, NULL);
  for (int64_t c = 0; c < r->data_input.format.channels && mean && std; c++) {
    put_at(r, mean, c, r->data_input.mean ? r->data_input.mean[c] : 0.0f);
    put_at(r, std, c, r->data_input.std ? r->data_input.std[c] : 1.0f);
  }
  if (weights) memcpy(weights, r->config.method.class_weights, r->info->n_classes * sizeof *weights);
}

static void find_buffers(dlc_run *r)
{
  const dlc_machine *m = r->config.machine;
  r->input = dlc_machine_memory(m, DLC_NAME_INPUT, NULL);
  r->labels = dlc_machine_memory(m, DLC_NAME_LABELS, NULL);
  r->loss = dlc_machine_memory(m, DLC_NAME_LOSS, NULL);
  r->correct = dlc_machine_memory(m, DLC_NAME_CORRECT, NULL);
  r->correct_top5 = dlc_machine_memory(m, DLC_NAME_CORRECT_TOP5, NULL);
  r->lr = dlc_machine_memory(m, DLC_NAME_LEARNING_RATE, NULL);
  r->step = dlc_machine_memory(m, DLC_NAME_STEP, NULL);
  r->momentum = dlc_machine_memory(m, DLC_NAME_MOMENTUM, NULL);
  r->ema_decay = dlc_machine_memory(m, DLC_NAME_EMA_DECAY, NULL);
  r->factor = dlc_machine_memory(m, DLC_NAME_FACTOR, NULL);
  r->mix_share = dlc_machine_memory(m, DLC_NAME_MIX_SHARE, NULL);
  r->mix_box = dlc_machine_memory(m, DLC_NAME_MIX_BOX, NULL);
  r->label_share = dlc_machine_memory(m, DLC_NAME_LABEL_SHARE, NULL);
  r->random = dlc_machine_memory(m, DLC_NAME_RANDOM, NULL);
  for (uint32_t i = 0; i < r->config.method.n_groups; i++) {
    char name[32];
    snprintf(name, sizeof name, DLC_NAME_GROUP_LR, i);
    r->group_lr[i] = dlc_machine_memory(m, name, NULL);
  }
}

dlc_status dlc_programs_open(dlc_run *r)
{
  const dlc_train_config *c = &r->config;
  for (int i = 0; i < DLC_N_PHASES; i++) {
    dlc_phase *p = &r->phases[i];
    DLC_TRY(find_program(r, i, p->subset.count >= p->batch_size ? p->batch_size : 0, &p->full));
    DLC_TRY(find_program(r, i, p->subset.count % p->batch_size, &p->partial));
  }
  dlc_machine_profile(c->machine, c->profile);
  DLC_TRY(dlc_machine_commit(c->machine));
  find_buffers(r);
  fill_constants(r);
  DLC_TRY(dlc_parameters_init(&r->parameters, c->machine, c->seed));
  DLC_TRY(dlc_parameters_find(&r->averages, c->machine));
  DLC_TRY(dlc_parameters_find(&r->states, c->machine));
  if (c->init_from) DLC_TRY(dlc_parameters_load(&r->parameters, c->init_from, false, c->sink));
  dlc_parameters_copy(&r->averages, &r->parameters);
  return DLC_OK;
}
