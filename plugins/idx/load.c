/* Four idx files into one data set. They are unpacked, and their samples measured, on the host's threads; what comes
 * out does not depend on how many there are. [main], but for the tasks. */
#include "idx.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the host's threads, or none ---- */

static void run(const dlc_host *h, uint32_t n, void (*task)(void *arg, uint32_t i), void *arg)
{
  const dlc_threads *threads = h->service(h, DLC_SERVICE_THREADS);
  if (threads) {
    threads->run(threads, n, task, arg);
  } else {
    for (uint32_t i = 0; i < n; i++) task(arg, i);
  }
}

/* ---- reading ---- */

typedef struct idx_reading {
  const idx_files *files;
  uint8_t *content[IDX_FILES];
  idx_array array[IDX_FILES];
  dlc_status status[IDX_FILES];
  idx_reason why[IDX_FILES];
} idx_reading;

static dlc_status get_content(const dlc_host *h, const idx_files *files, int i, uint8_t **content)
{
  const dlc_entry *entry = &files->file[i];
  if ((uint64_t)entry->bytes > IDX_MAX_BYTES)
    return h->fail(h, DLC_INVALID, "%s: %lld bytes, at most %llu are read", files->name[i], (long long)entry->bytes,
                   (unsigned long long)IDX_MAX_BYTES);
  *content = idx_alloc((size_t)entry->bytes + 1); /* + 1: never nothing */
  if (!*content) return h->fail(h, DLC_NOMEM, "%s: out of memory: %lld bytes", files->name[i], (long long)entry->bytes);
  return files->source->read(files->source, entry, *content);
}

static void read_one(void *arg, uint32_t i)
{
  idx_reading *r = arg;
  int labels = i == IDX_TRAIN_LABELS || i == IDX_TEST_LABELS;
  uint8_t *content = r->content[i];
  r->content[i] = NULL;
  r->status[i] =
      idx_read(r->files->name[i], content, (size_t)r->files->file[i].bytes, labels, &r->array[i], &r->why[i]);
}

/* Channels, height and width of the pictures. */
static int64_t shape_of(const idx_array *images, int64_t *height, int64_t *width)
{
  int four = images->rank == 4;
  *height = images->dim[four ? 2 : 1];
  *width = images->dim[four ? 3 : 2];
  return four ? images->dim[1] : 1;
}

/* What one file alone can't tell: equal counts, equal shapes. */
static dlc_status check_together(const dlc_host *h, const idx_files *files, const idx_array *array)
{
  for (int i = 0; i < IDX_FILES; i += 2)
    if (array[i].dim[0] != array[i + 1].dim[0])
      return h->fail(h, DLC_INVALID, "%s has %lld images, but %s has %lld labels", files->name[i],
                     (long long)array[i].dim[0], files->name[i + 1], (long long)array[i + 1].dim[0]);
  const idx_array *a = &array[IDX_TRAIN_IMAGES], *b = &array[IDX_TEST_IMAGES];
  int64_t ah, aw, bh, bw, ac = shape_of(a, &ah, &aw), bc = shape_of(b, &bh, &bw);
  if (ac != bc || ah != bh || aw != bw)
    return h->fail(h, DLC_INVALID,
                   "%s has images of %lldx%lldx%lld, but %s of %lldx%lldx%lld (channels, height, width)",
                   files->name[IDX_TRAIN_IMAGES], (long long)ac, (long long)ah, (long long)aw,
                   files->name[IDX_TEST_IMAGES], (long long)bc, (long long)bh, (long long)bw);
  return DLC_OK;
}

/* ---- labels ---- */

static uint32_t largest(const idx_array *labels)
{
  uint32_t max = 0;
  for (int64_t i = 0; i < labels->dim[0]; i++)
    if (labels->data[i] > max) max = labels->data[i];
  return max;
}

static dlc_status take_labels(const dlc_host *h, const char *path, const idx_array *labels, uint32_t first,
                              uint32_t n_classes, int32_t **out)
{
  int64_t n = labels->dim[0];
  int32_t *to = malloc((size_t)n * sizeof *to);
  if (!to) return h->fail(h, DLC_NOMEM, "%s: out of memory: %lld labels", path, (long long)n);
  for (int64_t i = 0; i < n; i++) {
    to[i] = (int32_t)labels->data[i] - (int32_t)first;
    if (to[i] < 0 || to[i] >= (int32_t)n_classes) {
      free(to);
      return h->fail(h, DLC_INVALID, "%s: label %u at index %lld, expected %u..%u", path, labels->data[i], (long long)i,
                     first, first + n_classes - 1);
    }
  }
  *out = to;
  return DLC_OK;
}

/* ---- samples ---- */

#define SAMPLES_A_TASK 2048

/* Work on all samples of one split, cut into tasks by their number alone. */
typedef struct idx_pass {
  uint8_t *samples;
  int64_t count, channels, height, width;
  uint64_t *sums; /* [task][channel][sum, sum of squares] */
  dlc_status *status;
} idx_pass;

static uint32_t n_tasks(int64_t count)
{
  return (uint32_t)((count + SAMPLES_A_TASK - 1) / SAMPLES_A_TASK);
}

static int64_t task_end(const idx_pass *p, uint32_t task)
{
  int64_t end = ((int64_t)task + 1) * SAMPLES_A_TASK;
  return end < p->count ? end : p->count;
}

/* Integer sums: exact, so their order does not matter. */
static void sum_task(void *arg, uint32_t task)
{
  idx_pass *p = arg;
  int64_t plane = p->height * p->width;
  for (int64_t i = (int64_t)task * SAMPLES_A_TASK; i < task_end(p, task); i++) {
    for (int64_t c = 0; c < p->channels; c++) {
      const uint8_t *x = p->samples + (i * p->channels + c) * plane;
      uint64_t *to = p->sums + ((int64_t)task * p->channels + c) * 2;
      for (int64_t from = 0; from < plane; from += 65536) { /* 65536 * 255^2 < 2^32 */
        int64_t end = from + 65536 < plane ? from + 65536 : plane;
        uint32_t sum = 0, squares = 0;
        for (int64_t k = from; k < end; k++) {
          sum += x[k];
          squares += (uint32_t)x[k] * x[k];
        }
        to[0] += sum;
        to[1] += squares;
      }
    }
  }
}

/* Mean and deviation of each channel of the train split, scaled to [0, 1]. A channel that never changes gets the
 * deviation 1: it is divided by. */
static dlc_status measure(const dlc_host *h, idx_images *images)
{
  const idx_split *train = &images->split[0];
  uint32_t tasks = n_tasks(train->count);
  int64_t channels = images->channels;
  idx_pass pass = {.samples = train->samples,
                   .count = train->count,
                   .channels = channels,
                   .height = images->height,
                   .width = images->width,
                   .sums = calloc((size_t)tasks * (size_t)channels, 2 * sizeof(uint64_t))};
  if (!pass.sums) return h->fail(h, DLC_NOMEM, "out of memory");
  run(h, tasks, sum_task, &pass);
  double n = (double)train->count * (double)images->height * (double)images->width;
  for (int64_t c = 0; c < channels; c++) {
    uint64_t sum = 0, squares = 0;
    for (uint32_t t = 0; t < tasks; t++) {
      sum += pass.sums[(t * channels + c) * 2];
      squares += pass.sums[(t * channels + c) * 2 + 1];
    }
    double mean = (double)sum / n, variance = (double)squares / n - mean * mean;
    images->mean[c] = (float)(mean / 255);
    images->std[c] = variance > 1e-6 ? (float)(sqrt(variance) / 255) : 1;
  }
  free(pass.sums);
  return DLC_OK;
}

/* Turns pictures that lie column by column. */
static void transpose_task(void *arg, uint32_t task)
{
  idx_pass *p = arg;
  int64_t rows = p->height, columns = p->width, plane = rows * columns;
  uint8_t *turned = malloc((size_t)plane);
  p->status[task] = turned ? DLC_OK : DLC_NOMEM;
  if (!turned) return;
  for (int64_t i = (int64_t)task * SAMPLES_A_TASK; i < task_end(p, task); i++) {
    uint8_t *x = p->samples + i * plane;
    for (int64_t r = 0; r < rows; r++)
      for (int64_t c = 0; c < columns; c++) turned[c * rows + r] = x[r * columns + c];
    memcpy(x, turned, (size_t)plane);
  }
  free(turned);
}

/* `images` has height and width as the file says; they change places. */
static dlc_status transpose(const dlc_host *h, idx_images *images)
{
  for (int i = 0; i < 2; i++) {
    idx_split *s = &images->split[i];
    int64_t planes = s->count * images->channels;
    uint32_t tasks = n_tasks(planes);
    idx_pass pass = {.samples = s->samples,
                     .count = planes,
                     .channels = 1,
                     .height = images->height,
                     .width = images->width,
                     .status = calloc(tasks, sizeof(dlc_status))};
    if (!pass.status) return h->fail(h, DLC_NOMEM, "out of memory");
    run(h, tasks, transpose_task, &pass);
    dlc_status status = DLC_OK;
    for (uint32_t t = 0; t < tasks; t++)
      if (pass.status[t] != DLC_OK) status = pass.status[t];
    free(pass.status);
    if (status != DLC_OK) return h->fail(h, status, "out of memory");
  }
  int64_t height = images->height;
  images->height = images->width;
  images->width = height;
  return DLC_OK;
}

/* ---- all of it ---- */

void idx_images_free(idx_images *images)
{
  for (int i = 0; i < 2; i++) {
    free(images->split[i].block);
    free(images->split[i].labels);
  }
  free(images->mean);
  free(images->std);
  memset(images, 0, sizeof *images);
}

static dlc_status scale(const dlc_host *h, const idx_kind *kind, idx_images *images)
{
  images->mean = malloc((size_t)images->channels * sizeof(float));
  images->std = malloc((size_t)images->channels * sizeof(float));
  if (!images->mean || !images->std) return h->fail(h, DLC_NOMEM, "out of memory");
  if (kind->std == 0) return measure(h, images);
  for (int64_t c = 0; c < images->channels; c++) {
    images->mean[c] = kind->mean;
    images->std[c] = kind->std;
  }
  return DLC_OK;
}

/* Moves the arrays into *images. */
static dlc_status assemble(const dlc_host *h, const idx_kind *kind, const idx_files *files, uint32_t classes,
                           idx_array *array, idx_images *images)
{
  dlc_status status = check_together(h, files, array);
  if (status != DLC_OK) return status;
  images->n_classes = kind->n_classes ? kind->n_classes : classes;
  if (images->n_classes == 0) {
    uint32_t a = largest(&array[IDX_TRAIN_LABELS]), b = largest(&array[IDX_TEST_LABELS]);
    images->n_classes = (a > b ? a : b) + 1;
  }
  for (int i = 0; i < 2; i++) {
    idx_split *s = &images->split[i];
    s->count = array[2 * i].dim[0];
    status =
        take_labels(h, files->name[2 * i + 1], &array[2 * i + 1], kind->first_label, images->n_classes, &s->labels);
    if (status != DLC_OK) return status;
  }
  images->channels = shape_of(&array[IDX_TRAIN_IMAGES], &images->height, &images->width);
  for (int i = 0; i < 2; i++) {
    idx_array *a = &array[2 * i];
    images->split[i].block = a->block;
    images->split[i].samples = a->data;
    a->block = NULL;
  }
  if (kind->transposed) status = transpose(h, images);
  return status == DLC_OK ? scale(h, kind, images) : status;
}

dlc_status idx_load(const dlc_host *h, const idx_kind *kind, const idx_files *files, uint32_t classes,
                    idx_images *images)
{
  memset(images, 0, sizeof *images);
  idx_reading *r = calloc(1, sizeof *r);
  if (!r) return h->fail(h, DLC_NOMEM, "out of memory");
  r->files = files;
  dlc_status status = DLC_OK;
  for (int i = 0; i < IDX_FILES && status == DLC_OK; i++) status = get_content(h, files, i, &r->content[i]);
  if (status == DLC_OK) run(h, IDX_FILES, read_one, r);
  for (int i = 0; i < IDX_FILES && status == DLC_OK; i++)
    if (r->status[i] != DLC_OK) status = h->fail(h, r->status[i], "%s", r->why[i].text);
  if (status == DLC_OK) status = assemble(h, kind, files, classes, r->array, images);
  for (int i = 0; i < IDX_FILES; i++) {
    free(r->content[i]);
    free(r->array[i].block);
  }
  free(r);
  if (status != DLC_OK) idx_images_free(images);
  return status;
}
