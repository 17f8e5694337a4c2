/* Pictures a second through the loader, on one worker, and what bare decoding alone would take.
 *
 *   bench_loader PLUGIN_DIR SOURCE SECONDS [TRANSFORMS]
 *
 * Prints `NAME PICTURES_A_CPU_SECOND` lines: "decode" is TurboJPEG alone on the same bytes in memory, "loader" is
 * reading, decoding and transforming the train split in shuffled order. tests/bench/bench_data.py runs it beside
 * torchvision. */
#include "base/status.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "data/source.h"
#include "transforms/transforms.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <turbojpeg.h>

enum { BATCH = 32 };

typedef struct bench {
  dlc_pool *pool;
  dlc_registry *registry;
  dlc_source_service sources;
  dlc_source *source;
  const dlc_dataset *dataset;
  dlc_option_value *values;
  dlc_data *data;
  const dlc_dataset_info *info;
  dlc_pipeline *pipeline;
  double seconds;
} bench;

static double cpu_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static dlc_status find_transform(void *ctx, const char *name, const dlc_transform **transform)
{
  (void)ctx;
  for (const dlc_transform *const *t = dlc_core_transforms; *t; t++)
    if (strcmp((*t)->name, name) == 0) {
      *transform = *t;
      return DLC_OK;
    }
  return dlc_fail(DLC_NOT_FOUND, "no transform %s", name);
}

static dlc_status open_bench(bench *b, char **argv)
{
  const void *object;
  const dlc_host *host;
  DLC_TRY(dlc_pool_open(1, &b->pool));
  const dlc_registry_config config = {.plugin_path = argv[1], .pool = b->pool};
  DLC_TRY(dlc_registry_open(&config, &b->registry));
  DLC_TRY(dlc_source_serve(&b->sources, b->registry));
  DLC_TRY(dlc_source_open(b->registry, argv[2], &b->source));
  DLC_TRY(dlc_registry_find(b->registry, DLC_IFACE_DATASET, "imagefolder", &object, &host));
  b->dataset = object;
  DLC_TRY(dlc_options_read("imagefolder", b->dataset->options, b->dataset->n_options, NULL, &b->values));
  DLC_TRY(b->dataset->open(b->dataset, host, b->source, b->values, &b->data));
  DLC_TRY(dlc_dataset_describe(b->dataset, b->data, &b->info));
  const dlc_transform_finder finder = {find_transform, NULL, dlc_registry_host(b->registry)};
  return argv[4] ? dlc_pipeline_parse(argv[4], &finder, &b->pipeline) : DLC_OK;
}

static void close_bench(bench *b)
{
  if (b->pipeline) dlc_pipeline_free(b->pipeline);
  if (b->data) b->dataset->close(b->data);
  free(b->values);
  if (b->source) b->source->close(b->source);
  if (b->registry) dlc_registry_close(b->registry);
  if (b->pool) dlc_pool_close(b->pool);
}

/* Decodes every JPEG of the source, from memory. */
static dlc_status time_decode(const bench *b)
{
  const dlc_entry *entries;
  uint32_t n, pictures = 0;
  double spent = 0;
  tjhandle handle = tjInitDecompress();
  unsigned char *pixels = malloc(1 << 26);
  DLC_TRY(b->source->list(b->source, &entries, &n));
  for (uint32_t i = 0; spent < b->seconds; i = (i + 1) % n) {
    const dlc_entry *e = dlc_entry_at(entries, i);
    unsigned char *file = malloc((size_t)e->bytes + 1);
    int width, height, sampling, space;
    if (!file || !pixels || !handle) return dlc_fail_nomem();
    DLC_TRY(b->source->read(b->source, e, file));
    const double began = cpu_seconds();
    const int bad = tjDecompressHeader3(handle, file, (unsigned long)e->bytes, &width, &height, &sampling, &space) ||
                    (size_t)width * (size_t)height * 3 > 1 << 26 ||
                    tjDecompress2(handle, file, (unsigned long)e->bytes, pixels, width, 0, height, TJPF_RGB, 0);
    if (!bad) {
      spent += cpu_seconds() - began;
      pictures++;
    }
    free(file);
  }
  free(pixels);
  tjDestroy(handle);
  printf("decode %.1f\n", pictures / spent);
  return DLC_OK;
}

static dlc_status time_loader(const bench *b)
{
  dlc_subset train;
  dlc_loader *loader;
  dlc_sample_format format;
  DLC_TRY(dlc_sample_format_make(b->info, b->pipeline, &format));
  DLC_TRY(dlc_subset_all(b->info, (uint32_t)dlc_split_find(b->info, "train"), &train));
  const dlc_loader_config config = {.sample = {.dataset = b->dataset, .data = b->data, .pipeline = b->pipeline},
                                    .subset = &train,
                                    .batch_size = BATCH,
                                    .shuffle = true};
  DLC_TRY(dlc_loader_open(&config, &loader));
  void *samples = malloc(BATCH * format.bytes);
  int32_t labels[BATCH];
  uint64_t pictures = 0;
  uint32_t n;
  double spent = 0;
  if (!samples) return dlc_fail_nomem();
  for (uint32_t epoch = 0; spent < b->seconds; epoch++) {
    dlc_status status = dlc_loader_start(loader, epoch, 0);
    const double began = cpu_seconds();
    while (status >= 0 && spent + cpu_seconds() - began < b->seconds &&
           (status = dlc_loader_next(loader, samples, labels, &n)) == DLC_OK)
      pictures += n;
    spent += cpu_seconds() - began;
    if (status < 0) return status;
  }
  printf("loader %.1f\n", (double)pictures / spent);
  free(samples);
  dlc_loader_close(loader);
  dlc_subset_free(&train);
  return DLC_OK;
}

int main(int argc, char **argv)
{
  bench b = {0};
  if (argc < 4) {
    fprintf(stderr, "usage: bench_loader PLUGIN_DIR SOURCE SECONDS [TRANSFORMS]\n");
    return 2;
  }
  b.seconds = atof(argv[3]);
  dlc_status status = open_bench(&b, argv);
  if (status >= 0) status = time_decode(&b);
  if (status >= 0) status = time_loader(&b);
  if (status < 0) fprintf(stderr, "bench_loader: %s\n", dlc_reason());
  close_bench(&b);
  return status < 0;
}
