/* dlcore data grid: an image of what the network sees, as the first epoch of a run with this seed has it. */
#include "base/file.h"
#include "base/status.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "data_commands.h"
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 8, PADDING = 2 };

typedef struct grid {
  cli_job *job;
  dlc_pipeline *pipeline; /* of the split; the job's */
  dlc_sample_format format;
  dlc_subset subset;
  uint32_t n;
  void *samples; /* n times the format */
  int32_t *labels;
  int64_t columns, rows, width, height;
  uint8_t *pixels; /* rows of the image */
} grid;

/* Pictures from everywhere in the split: its beginning may be all one class. */
static int choose(grid *g, uint32_t split)
{
  const int64_t count = dlc_split_at(g->job->info, split)->count;
  g->n = (uint32_t)(g->job->options->count < count ? g->job->options->count : count);
  g->subset = (dlc_subset){.split = split, .count = g->n, .index = calloc((size_t)g->n + 1, sizeof(uint32_t))};
  g->samples = calloc((size_t)g->n + 1, g->format.bytes);
  g->labels = calloc((size_t)g->n + 1, sizeof *g->labels);
  if (!g->subset.index || !g->samples || !g->labels) {
    dlc_fail_nomem();
    return CLI_FAILED;
  }
  for (uint32_t i = 0; i < g->n; i++) g->subset.index[i] = (uint32_t)((int64_t)i * count / g->n);
  if (g->n) return CLI_OK;
  dlc_fail(DLC_INVALID, "split %s is empty", dlc_split_at(g->job->info, split)->name);
  return CLI_FAILED;
}

static dlc_status read_samples(grid *g)
{
  const cli_job *job = g->job;
  const dlc_loader_config config = {.sample = {.dataset = job->dataset,
                                               .data = job->data,
                                               .split = g->subset.split,
                                               .pipeline = g->pipeline,
                                               .seed = (uint64_t)job->options->seed},
                                    .subset = &g->subset,
                                    .batch_size = g->n};
  dlc_loader *loader;
  uint32_t n = 0;
  DLC_TRY(dlc_loader_open(&config, &loader));
  dlc_status status = dlc_loader_start(loader, 0, 0);
  if (status >= 0) status = dlc_loader_next(loader, g->samples, g->labels, &n);
  dlc_loader_close(loader);
  return status;
}

/* ---- to pixels ---- */

/* Floats of no known normalisation are shown from the least to the largest there is. */
static void find_range(const grid *g, float *least, float *most)
{
  const float *x = g->samples;
  const size_t n = g->n * (g->format.bytes / sizeof(float));
  *least = INFINITY;
  *most = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    *least = fminf(*least, x[i]);
    *most = fmaxf(*most, x[i]);
  }
  if (!(*most > *least)) *most = *least + 1;
  cli_say(g->job->console, DLC_LOG_INFO, "grid      values from %g to %g are shown as black to white", (double)*least,
          (double)*most);
}

static void paint(grid *g)
{
  const dlc_sample_format *f = &g->format;
  const int64_t plane = f->height * f->width;
  float least = 0, most = 1;
  if (f->dtype == DLC_F32) find_range(g, &least, &most);
  for (int64_t i = 0; i < g->n; i++)
    for (int64_t y = 0; y < f->height; y++)
      for (int64_t x = 0; x < f->width; x++)
        for (int64_t c = 0; c < f->channels; c++) {
          const int64_t from = (i * f->channels + c) * plane + y * f->width + x;
          const int64_t top = PADDING + i / g->columns * (f->height + PADDING),
                        left = PADDING + i % g->columns * (f->width + PADDING);
          uint8_t *to = &g->pixels[((top + y) * g->width + left + x) * f->channels + c];
          *to = f->dtype == DLC_U8
                    ? ((const uint8_t *)g->samples)[from]
                    : (uint8_t)lrintf(255 * (((const float *)g->samples)[from] - least) / (most - least));
        }
}

static dlc_status write_png(const grid *g, const char *path)
{
  png_image image = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)g->width,
                     .height = (png_uint_32)g->height,
                     .format = g->format.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
  png_alloc_size_t bytes = 0;
  void *file = NULL;
  if (png_image_write_get_memory_size(image, bytes, 0, g->pixels, 0, NULL)) file = malloc(bytes);
  dlc_status status = DLC_OK;
  if (!file || !png_image_write_to_memory(&image, file, &bytes, 0, g->pixels, 0, NULL))
    status = file || *image.message ? dlc_fail(DLC_IO, "%s: %s", path, image.message) : dlc_fail_nomem();
  else status = dlc_write_file(path, file, bytes);
  free(file);
  return status;
}

static dlc_status draw(grid *g, const char *path)
{
  const dlc_sample_format *f = &g->format;
  g->columns = g->n < COLUMNS ? g->n : COLUMNS;
  g->rows = (g->n + g->columns - 1) / g->columns;
  g->width = g->columns * (f->width + PADDING) + PADDING;
  g->height = g->rows * (f->height + PADDING) + PADDING;
  g->pixels = calloc((size_t)(g->width * g->height), (size_t)f->channels);
  if (!g->pixels) return dlc_fail_nomem();
  paint(g);
  return write_png(g, path);
}

static void print_labels(const grid *g)
{
  for (uint32_t i = 0; i < g->n; i++)
    printf("%s%s", g->labels[i] < 0 ? "?" : g->job->info->class_names[g->labels[i]],
           (i + 1) % g->columns == 0 || i + 1 == g->n ? "\n" : ", ");
}

/* ---- */

static int make_grid(grid *g)
{
  cli_job *job = g->job;
  const cli_options *o = job->options;
  const char *name = o->split ? o->split : "train", *path = o->file ? o->file : "grid.png";
  const int split = dlc_split_find(job->info, name);
  float mean[4], std[4];
  if (split < 0) {
    dlc_fail(DLC_INVALID, "--split: dataset %s has no split '%s'", job->dataset->name, name);
    return CLI_USAGE;
  }
  g->pipeline = strcmp(name, "train") == 0 ? job->train_transforms : job->eval_transforms;
  if (g->pipeline && dlc_pipeline_tail(g->pipeline, job->info->channels, mean, std))
    dlc_pipeline_drop_tail(g->pipeline);
  if (dlc_sample_format_make(job->info, g->pipeline, &g->format) < 0) return CLI_FAILED;
  int code = choose(g, (uint32_t)split);
  if (code == CLI_OK && (read_samples(g) < 0 || draw(g, path) < 0)) code = CLI_FAILED;
  if (code != CLI_OK) return code;
  cli_say(job->console, DLC_LOG_INFO, "grid      %s: %u pictures of %s, %lldx%lld each", path, g->n, name,
          (long long)g->format.width, (long long)g->format.height);
  print_labels(g);
  return CLI_OK;
}

int cli_data_grid(cli_job *job)
{
  grid g = {.job = job};
  int code = cli_job_transforms(job);
  if (code == CLI_OK) code = cli_job_dataset(job);
  if (code == CLI_OK) cli_say_dataset(job);
  if (code == CLI_OK) code = cli_job_usual_transforms(job);
  if (code == CLI_OK) code = make_grid(&g);
  dlc_subset_free(&g.subset);
  free(g.samples);
  free(g.labels);
  free(g.pixels);
  return code;
}
