/* What tests of checkpoints write and find: generation g, whose every number says so. */
#ifndef TESTS_CHECKPOINT_FIXTURE_H
#define TESTS_CHECKPOINT_FIXTURE_H
#include "base/status.h"
#include "suite.h"
#include "train/checkpoint_file.h"

enum { NUMBERS = 70 };

typedef struct generation {
  float weight[NUMBERS];
  double slot[3];
  int64_t batches;
  char step[16];
  dlc_tensor tensors[3];
  const char *metadata[4];
} generation;

static inline dlc_checkpoint make_generation(generation *g, int number)
{
  for (int i = 0; i < NUMBERS; i++) g->weight[i] = (float)(1000 * number + i);
  for (int i = 0; i < 3; i++) g->slot[i] = number + 0.25 * i;
  g->batches = number;
  snprintf(g->step, sizeof g->step, "%d", number);
  g->tensors[0] = (dlc_tensor){"bn1.num_batches_tracked", DLC_I64, 0, {0}, &g->batches};
  g->tensors[1] = (dlc_tensor){"conv1.weight", DLC_F32, 2, {7, NUMBERS / 7}, g->weight};
  g->tensors[2] = (dlc_tensor){"__optim__/exp_avg/conv1.weight", DLC_F64, 1, {3}, g->slot};
  g->metadata[0] = "step";
  g->metadata[1] = g->step;
  g->metadata[2] = "format";
  g->metadata[3] = "pt";
  return (dlc_checkpoint){g->tensors, 3, g->metadata, 2};
}

static inline dlc_status write_generation(const char *where, int number)
{
  generation g;
  const dlc_checkpoint c = make_generation(&g, number);
  return dlc_checkpoint_write(where, &c);
}

/* Which generation the file is; it must be exactly that one. */
static inline int generation_of(const dlc_tensor_file *file)
{
  generation g;
  const dlc_tensor *batches = dlc_tensor_find(file, "bn1.num_batches_tracked");
  ck_assert_ptr_nonnull(batches);
  const int number = (int)*(const int64_t *)batches->data;
  const dlc_checkpoint c = make_generation(&g, number);
  ck_assert_uint_eq(file->n, c.n);
  for (uint32_t i = 0; i < c.n; i++) {
    const dlc_tensor *t = dlc_tensor_find(file, c.tensors[i].name);
    ck_assert_msg(t != NULL, "no %s", c.tensors[i].name);
    ck_assert_uint_eq(t->dtype, c.tensors[i].dtype);
    ck_assert_uint_eq(t->rank, c.tensors[i].rank);
    ck_assert_mem_eq(t->dim, c.tensors[i].dim, t->rank * sizeof *t->dim);
    ck_assert_mem_eq(t->data, c.tensors[i].data, dlc_tensor_bytes(t));
  }
  ck_assert_str_eq(dlc_metadata_find(file, "step"), g.step);
  return number;
}

static inline int generation_at(const char *path)
{
  dlc_tensor_file file;
  ck_assert_msg(dlc_safetensors_read(path, &file) == DLC_OK, "%s", dlc_reason());
  const int number = generation_of(&file);
  dlc_safetensors_free(&file);
  return number;
}

/* What dlc_checkpoint_find() said, one line after the other. */
static char found_lines[8192];

static inline void keep_line(void *ctx, int level, const char *text)
{
  (void)ctx, (void)level;
  ck_assert_ptr_null(strchr(text, '\n'));
  strncat(found_lines, text, sizeof found_lines - strlen(found_lines) - 2);
  strcat(found_lines, "\n");
}

/* The generation that is found; the negative status where none is. */
static inline int find_generation(const char *where)
{
  const dlc_sink sink = {.level = DLC_LOG_INFO, .line = keep_line};
  dlc_tensor_file file;
  char *path;
  found_lines[0] = 0;
  const dlc_status status = dlc_checkpoint_find(where, &sink, &path, &file);
  if (status < 0) {
    ck_assert_ptr_null(path);
    return status;
  }
  const int number = generation_of(&file);
  dlc_safetensors_free(&file);
  free(path);
  return number;
}

#endif
