/* The files of a data set into two blocks of samples. Files are read, decoded and copied on the host's threads; what
 * comes out does not depend on how many there are. [main], but for the tasks. */
#include "cifar.h"
#include <stdlib.h>
#include <string.h>

enum { PICTURES_A_TASK = 1024 };

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

/* ---- reading and decoding ---- */

typedef struct cifar_file {
  uint8_t *room;        /* for entry->bytes: where its pictures will go, or a little further on */
  const uint8_t *bytes; /* in the source, or `room` */
  dlc_status status;
  cifar_reason why; /* when it was read, but is not right */
} cifar_file;

typedef struct cifar_loading {
  const cifar_files *files;
  cifar_file file[CIFAR_MAX_FILES];
  cifar_batch batch[CIFAR_MAX_BATCHES];
  uint8_t *names_file; /* owned */
  cifar_names *names;
} cifar_loading;

static dlc_status check_size(const dlc_host *h, const cifar_files *files, uint32_t i)
{
  int64_t bytes = files->entry[i].bytes;
  if (bytes >= 0 && bytes <= CIFAR_MAX_BYTES) return DLC_OK;
  return h->fail(h, DLC_INVALID, "%s/%s: %lld bytes, more than any CIFAR file has", files->source->origin,
                 files->entry[i].path, (long long)bytes);
}

/* Room for n files one after the other, which is a little more than their pictures need. */
static dlc_status make_room(const dlc_host *h, cifar_loading *l, uint32_t first, uint32_t n, uint8_t **block)
{
  size_t size = 0;
  for (uint32_t i = first; i < first + n; i++) {
    dlc_status status = check_size(h, l->files, i);
    if (status != DLC_OK) return status;
    size += (size_t)l->files->entry[i].bytes;
  }
  *block = malloc(size ? size : 1);
  if (!*block) return h->fail(h, DLC_NOMEM, "out of memory: %zu bytes", size);
  uint8_t *at = *block;
  for (uint32_t i = first; i < first + n; at += l->files->entry[i++].bytes) l->file[i].room = at;
  return DLC_OK;
}

/* Where the source has the content in memory it is used there. */
static dlc_status get_bytes(dlc_source *source, const dlc_entry *entry, cifar_file *file)
{
  if (DLC_HAS(source, bytes)) file->bytes = source->bytes(source, entry);
  if (file->bytes) return DLC_OK;
  dlc_status status = source->read(source, entry, file->room);
  if (status == DLC_OK) file->bytes = file->room;
  return status;
}

static void read_file(void *arg, uint32_t i)
{
  cifar_loading *l = arg;
  const cifar_layout *layout = l->files->layout;
  const cifar_labels *labels = l->files->labels;
  const dlc_entry *entry = &l->files->entry[i];
  cifar_file *file = &l->file[i];
  size_t n = (size_t)entry->bytes;
  file->status = get_bytes(l->files->source, entry, file);
  if (file->status != DLC_OK) return;
  if (i == layout->n_batches)
    file->status = (layout->binary ? cifar_read_lines : cifar_read_meta)(file->bytes, n, labels, l->names, &file->why);
  else if (layout->binary) file->status = cifar_read_records(file->bytes, n, layout, labels, &l->batch[i], &file->why);
  else file->status = cifar_read_batch(file->bytes, n, labels, &l->batch[i], &file->why);
}

/* Hands on the reason of a failure. The source leaves its own with the thread that read: reading once more brings it
 * here. */
static dlc_status check_file(const dlc_host *h, cifar_loading *l, uint32_t i)
{
  cifar_file *file = &l->file[i];
  if (file->status != DLC_OK && !file->why.text[0]) read_file(l, i);
  if (file->status == DLC_OK || !file->why.text[0]) return file->status;
  return h->fail(h, file->status, "%s/%s: %s", l->files->source->origin, l->files->entry[i].path, file->why.text);
}

/* ---- into one block ---- */

typedef struct cifar_copy {
  const cifar_batch *from;
  uint8_t *to;
} cifar_copy;

static void copy_task(void *arg, uint32_t task)
{
  const cifar_copy *c = arg;
  const cifar_batch *b = c->from;
  int64_t i = (int64_t)task * PICTURES_A_TASK, end = i + PICTURES_A_TASK;
  if (end > b->count) end = b->count;
  for (; i < end; i++) memcpy(c->to + i * CIFAR_PIXELS, b->pixels + (size_t)i * b->stride, CIFAR_PIXELS);
}

/* Pictures that lie further on in the block they belong into: one after the other, because they overlap. */
static void move_down(const cifar_batch *b, uint8_t *to)
{
  for (int64_t i = 0; i < b->count; i++)
    memmove(to + i * CIFAR_PIXELS, b->pixels + (size_t)i * b->stride, CIFAR_PIXELS);
}

static void release(const cifar_files *files, uint32_t i)
{
  if (DLC_HAS(files->source, release)) files->source->release(files->source, &files->entry[i]);
}

/* Puts n batches one after the other to the beginning of split->samples. What has been copied is released at once: the
 * source and the samples do not lie in memory side by side. */
static dlc_status join(const dlc_host *h, const cifar_loading *l, uint32_t first, uint32_t n, cifar_split *split)
{
  int64_t count = 0;
  for (uint32_t i = first; i < first + n; i++) count += l->batch[i].count;
  split->labels = malloc((size_t)count * sizeof *split->labels);
  if (!split->labels) return h->fail(h, DLC_NOMEM, "out of memory: %lld labels", (long long)count);
  for (uint32_t i = first; i < first + n; i++) {
    const cifar_batch *b = &l->batch[i];
    cifar_copy copy = {.from = b, .to = split->samples + split->count * CIFAR_PIXELS};
    if (l->file[i].bytes == l->file[i].room) move_down(b, copy.to);
    else run(h, (uint32_t)((b->count + PICTURES_A_TASK - 1) / PICTURES_A_TASK), copy_task, &copy);
    release(l->files, i);
    memcpy(split->labels + split->count, b->labels, (size_t)b->count * sizeof *b->labels);
    split->count += b->count;
  }
  return DLC_OK;
}

void cifar_images_free(cifar_images *images)
{
  for (int i = 0; i < 2; i++) {
    free(images->split[i].samples);
    free(images->split[i].labels);
  }
  memset(images, 0, sizeof *images);
}

static dlc_status load(const dlc_host *h, cifar_loading *l, cifar_images *images)
{
  uint32_t train = l->files->layout->n_train, batches = l->files->layout->n_batches;
  dlc_status status = make_room(h, l, 0, train, &images->split[0].samples);
  if (status == DLC_OK) status = make_room(h, l, train, batches - train, &images->split[1].samples);
  if (status == DLC_OK) status = make_room(h, l, batches, 1, &l->names_file);
  if (status != DLC_OK) return status;
  run(h, batches + 1, read_file, l);
  for (uint32_t i = 0; i <= batches && status == DLC_OK; i++) status = check_file(h, l, i);
  if (status == DLC_OK) status = join(h, l, 0, train, &images->split[0]);
  if (status == DLC_OK) status = join(h, l, train, batches - train, &images->split[1]);
  return status;
}

dlc_status cifar_load(const dlc_host *h, const cifar_files *files, cifar_images *images)
{
  memset(images, 0, sizeof *images);
  cifar_loading *l = calloc(1, sizeof *l);
  if (!l) return h->fail(h, DLC_NOMEM, "out of memory");
  l->files = files;
  l->names = &images->names;
  dlc_status status = load(h, l, images);
  for (uint32_t i = 0; i < CIFAR_MAX_BATCHES; i++) free(l->batch[i].labels);
  free(l->names_file);
  free(l);
  if (status != DLC_OK) cifar_images_free(images);
  return status;
}
