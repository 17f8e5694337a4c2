/* Opening, saving and closing a run. */
#include "base/status.h"
#include "data/dataset.h"
#include "train/run_state.h"
#include <stdlib.h>

static dlc_status check_config(const dlc_train_config *c)
{
  if (c->batch_size < 1) return dlc_fail(DLC_INVALID, "a batch of 0 samples");
  return dlc_method_check(&c->method);
}

static dlc_status open_run(dlc_run *r)
{
  DLC_TRY(check_config(&r->config));
  DLC_TRY(dlc_dataset_describe(r->config.dataset, r->config.data, &r->info));
  DLC_TRY(dlc_input_plan(r->info, r->config.train_transforms, r->config.eval_transforms, &r->data_input));
  DLC_TRY(dlc_phases_open(r));
  DLC_TRY(dlc_watch_open(r));
  return dlc_programs_open(r);
}

dlc_status dlc_run_open(const dlc_train_config *config, double started, dlc_run **run)
{
  *run = NULL;
  dlc_run *r = calloc(1, sizeof *r);
  if (!r) return dlc_fail_nomem();
  r->config = *config;
  r->track = dlc_profile_main(config->profile);
  r->started = started;
  r->epoch = 1;
  dlc_status status = open_run(r);
  if (status < 0) dlc_run_close(r);
  else *run = r;
  return status;
}

void dlc_run_close(dlc_run *r)
{
  if (!r) return;
  dlc_phases_close(r);
  dlc_parameters_free(&r->parameters);
  dlc_parameters_free(&r->averages);
  dlc_parameters_free(&r->states);
  free(r);
}

void dlc_run_checkpoints(dlc_run *r, const char *folder)
{
  r->checkpoints = folder;
}

void dlc_run_position(const dlc_run *r, int64_t *epochs, int64_t *steps)
{
  *epochs = r->finished;
  *steps = r->steps;
}

void dlc_run_weights_info(const dlc_run *r, dlc_weights_info *info)
{
  const dlc_input *input = &r->data_input;
  const dlc_sample_format *f = &input->format;
  const dlc_method *method = &r->config.method;
  *info = (dlc_weights_info){.n_classes = r->info->n_classes,
                             .classes = r->info->class_names,
                             .model = dlc_model_text(r->config.model),
                             .eval_transforms = r->config.eval_text,
                             .criterion = r->config.loss_text ? r->config.loss_text
                                          : method->loss      ? method->loss->name
                                                              : NULL,
                             .class_weights = method->class_weights,
                             .shape = {f->channels, f->height, f->width},
                             .bytes = f->dtype == DLC_U8};
  for (int64_t c = 0; c < f->channels; c++) {
    info->mean[c] = input->mean ? input->mean[c] : 0.0f;
    info->std[c] = input->std ? input->std[c] : 1.0f;
  }
}

dlc_status dlc_run_save(dlc_run *r, const char *path)
{
  dlc_weights_info info;
  dlc_run_weights_info(r, &info);
  dlc_track_begin(r->track, "save");
  const dlc_status status = dlc_parameters_save(&r->parameters, &r->averages, &info, path);
  dlc_track_end(r->track);
  return status;
}
