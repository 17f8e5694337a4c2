/* dlcore data info: classes and counts of every split, sizes of the pictures, and what to normalise with. */
#include "base/status.h"
#include "data/dataset.h"
#include "data_commands.h"
#include "stop.h"
#include <math.h>
#include <stdlib.h>

/* Of one picture, or of many. Whole numbers, so that no order of adding matters. */
typedef struct sums {
  uint64_t sum[3], square[3], pixels;
  int64_t height[2], width[2]; /* least, most */
} sums;

typedef struct survey {
  sums each[CLI_SWEEP_ROOM], all;
  int64_t channels;
  uint32_t bad;
} survey;

static dlc_status add_up(void *ctx, dlc_sampler *sampler, uint32_t index, uint32_t i)
{
  survey *v = ctx;
  sums *s = &v->each[i];
  dlc_picture p;
  DLC_TRY(dlc_sampler_picture(sampler, index, &p));
  const int64_t n = p.height * p.width;
  *s = (sums){.pixels = (uint64_t)n, .height = {p.height, p.height}, .width = {p.width, p.width}};
  for (int64_t k = 0; k < n; k++)
    for (int64_t c = 0; c < p.channels; c++) {
      const uint64_t x = p.pixels[k * p.channels + c];
      s->sum[c] += x;
      s->square[c] += x * x;
    }
  return DLC_OK;
}

static void widen(int64_t range[2], const int64_t other[2])
{
  if (range[0] == 0 || other[0] < range[0]) range[0] = other[0];
  if (other[1] > range[1]) range[1] = other[1];
}

static void collect(void *ctx, uint32_t index, uint32_t i, const dlc_outcome *outcome)
{
  survey *v = ctx;
  const sums *s = &v->each[i];
  (void)index;
  if (outcome->status < 0) {
    v->bad++;
    return;
  }
  v->all.pixels += s->pixels;
  for (int c = 0; c < 3; c++) {
    v->all.sum[c] += s->sum[c];
    v->all.square[c] += s->square[c];
  }
  widen(v->all.height, s->height);
  widen(v->all.width, s->width);
}

/* ---- printing ---- */

static void print_classes(const dlc_dataset_info *info, int64_t *const *counts)
{
  printf("\n%-24s", "class");
  for (uint32_t s = 0; s < info->n_splits; s++) printf(" %10s", dlc_split_at(info, s)->name);
  putchar('\n');
  for (uint32_t c = 0; c < info->n_classes; c++) {
    printf("%-24s", info->class_names[c]);
    for (uint32_t s = 0; s < info->n_splits; s++)
      if (dlc_split_at(info, s)->labels) printf(" %10lld", (long long)counts[s][c]);
      else printf(" %10s", "-");
    putchar('\n');
  }
  printf("%-24s", "all");
  for (uint32_t s = 0; s < info->n_splits; s++) printf(" %10lld", (long long)dlc_split_at(info, s)->count);
  putchar('\n');
}

static int print_counts(const dlc_dataset_info *info)
{
  int64_t **counts = calloc(info->n_splits, sizeof *counts);
  bool ok = counts;
  for (uint32_t s = 0; ok && s < info->n_splits; s++)
    ok = (counts[s] = cli_count_classes(info, dlc_split_at(info, s))) != NULL;
  if (ok) print_classes(info, counts);
  else dlc_fail_nomem();
  for (uint32_t s = 0; counts && s < info->n_splits; s++) free(counts[s]);
  free(counts);
  return ok ? CLI_OK : CLI_FAILED;
}

static void print_numbers(const char *word, const double *numbers, int64_t n)
{
  printf("%-10s", word);
  for (int64_t c = 0; c < n; c++) printf("%s%.4f", c ? ", " : "", numbers[c]);
  putchar('\n');
}

static void print_survey(const survey *v)
{
  const sums *s = &v->all;
  double mean[3], std[3];
  if (s->height[0] == s->height[1] && s->width[0] == s->width[1])
    printf("\nsize      %lldx%lld", (long long)s->width[0], (long long)s->height[0]);
  else
    printf("\nsize      %lld to %lld wide, %lld to %lld high", (long long)s->width[0], (long long)s->width[1],
           (long long)s->height[0], (long long)s->height[1]);
  printf(", %s\n", v->channels == 1 ? "grey" : "colour");
  for (int64_t c = 0; c < v->channels; c++) {
    mean[c] = (double)s->sum[c] / (double)s->pixels / 255;
    std[c] = sqrt(fmax(0, (double)s->square[c] / (double)s->pixels / (255.0 * 255) - mean[c] * mean[c]));
  }
  print_numbers("mean", mean, v->channels);
  print_numbers("std", std, v->channels);
}

int cli_data_info(cli_job *job)
{
  int code = cli_job_dataset(job);
  if (code != CLI_OK) return code;
  cli_say_dataset(job);
  code = print_counts(job->info);
  const int train = dlc_split_find(job->info, "train");
  if (code != CLI_OK || train < 0) return code;
  survey *v = calloc(1, sizeof *v);
  if (!v) {
    dlc_fail_nomem();
    return CLI_FAILED;
  }
  v->channels = job->info->channels;
  dlc_status status = cli_sweep_split(job, (uint32_t)train, "train", add_up, collect, v);
  if (status >= 0 && v->all.pixels) print_survey(v);
  if (status >= 0 && v->bad)
    cli_say(job->console, DLC_LOG_WARN, "%u pictures to train on are bad; dlcore data check names them", v->bad);
  free(v);
  if (status == DLC_END) return 128 + cli_stop_signal();
  return status < 0 ? CLI_FAILED : CLI_OK;
}
