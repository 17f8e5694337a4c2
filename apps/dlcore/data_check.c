/* dlcore data check: reads every picture of every split and names those that are bad. */
#include "base/status.h"
#include "data_commands.h"
#include "stop.h"

typedef struct check {
  cli_job *job;
  const char *split;
  uint64_t pictures, bad;
} check;

static dlc_status read_one(void *ctx, dlc_sampler *sampler, uint32_t index, uint32_t i)
{
  (void)ctx, (void)i;
  dlc_picture view;
  return dlc_sampler_picture(sampler, index, &view);
}

static void tell_one(void *ctx, uint32_t index, uint32_t i, const dlc_outcome *outcome)
{
  check *c = ctx;
  (void)index, (void)i;
  c->pictures++;
  if (outcome->status >= 0) return;
  c->bad++;
  cli_say(c->job->console, DLC_LOG_INFO, "bad in %s: %s", c->split, outcome->reason);
}

int cli_data_check(cli_job *job)
{
  check c = {.job = job};
  int code = cli_job_dataset(job);
  if (code != CLI_OK) return code;
  cli_say_dataset(job);
  for (uint32_t i = 0; i < job->info->n_splits; i++) {
    c.split = dlc_split_at(job->info, i)->name;
    dlc_status status = cli_sweep_split(job, i, c.split, read_one, tell_one, &c);
    if (status == DLC_END) return 128 + cli_stop_signal();
    if (status < 0) return CLI_FAILED;
  }
  if (c.bad == 0) {
    cli_say(job->console, DLC_LOG_INFO, "checked   %llu pictures, all can be read", (unsigned long long)c.pictures);
    return CLI_OK;
  }
  dlc_fail(DLC_DAMAGED, "%llu of %llu pictures are bad", (unsigned long long)c.bad, (unsigned long long)c.pictures);
  return CLI_FAILED;
}
