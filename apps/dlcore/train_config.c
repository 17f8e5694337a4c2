/* From options to a dlc_train_config. */
#include "train_config.h"
#include "bad_files.h"
#include <string.h>

/* Whether pictures have to be worked on, one by one: normalizing alone is the network's, or as quick as copying. */
static bool transforms(const dlc_pipeline *p)
{
  return p && !dlc_pipeline_is_empty(p) && !dlc_pipeline_is_tail(p);
}

/* Data that is in memory is copied faster than it could be handed over by another thread; decoding and transforming
 * keep every processor busy. */
static uint32_t worker_count(const cli_job *job)
{
  enum { MOST = 8 };
  const uint32_t many = dlc_cpu_count() < MOST ? dlc_cpu_count() : MOST;
  if (job->options->workers >= 0) return (uint32_t)job->options->workers;
  if (transforms(job->train_transforms) || transforms(job->eval_transforms)) return many;
  for (uint32_t i = 0; i < job->info->n_splits; i++)
    if (!DLC_HAS(dlc_split_at(job->info, i), samples)) return many;
  return 0;
}

void cli_train_config(const cli_job *job, dlc_train_config *config)
{
  const cli_options *o = job->options;
  *config = (dlc_train_config){
      .model = job->model,
      .dataset = job->dataset,
      .data = job->data,
      .machine = job->machine,
      .finder = job->finder,
      .sink = &job->sink,
      .method = job->method,
      .epochs = (uint32_t)o->epochs,
      .batch_size = (uint32_t)o->batch_size,
      .eval_batch_size = o->val_batch_size > 0 ? (uint32_t)o->val_batch_size : 0,
      .workers = worker_count(job),
      .seed = (uint64_t)o->seed,
      .shuffle = o->shuffle,
      .val_split = o->val_split,
      .stratified = o->stratified,
      .train_transforms = job->train_transforms,
      .eval_transforms = job->eval_transforms,
      .eval_text = job->eval_transforms ? o->eval_transforms : NULL,
      .loss_text = job->loss_text,
      .cache_bytes = cli_cache_bytes(o),
      .on_bad = cli_bad_policy(o),
      .limit_batches = (uint32_t)o->limit_batches,
      .dtype = strcmp(o->dtype, "float64") == 0 ? DLC_F64 : DLC_F32,
      .overfit_batches = (uint32_t)o->overfit_batches,
      .init_from = o->init_from,
      .watch = o->watch,
      .patience = (uint32_t)o->patience,
      .checkpoint_steps = (uint32_t)o->checkpoint_steps,
      .checkpoint_keep = (uint32_t)o->checkpoint_keep,
      .dump_graph = o->dump_graph,
  };
}
