/* Any bytes as a safetensors file. Those that begin as dlcore's own get a right checksum first, for otherwise nothing
 * behind it would be reached. What is accepted must lie in memory, and reads the same once written again. */
#include "base/status.h"
#include "fuzz_host.h"
#include "train/safetensors_checksum.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char *copy_of(const uint8_t *data, size_t n)
{
  char *bytes = malloc(n ? n : 1);
  FUZZ_CHECK(bytes);
  if (n) memcpy(bytes, data, n);
  return bytes;
}

static void sign(char *bytes, size_t n)
{
  if (n < DLC_DIGITS_AT + DLC_DIGITS || memcmp(bytes + 8, DLC_SIGNED_START, DLC_DIGITS_AT - 8) != 0) return;
  memset(bytes + DLC_DIGITS_AT, '0', DLC_DIGITS);
  dlc_safetensors_sign(bytes, n, NULL, 0);
}

static void check_reason(dlc_status status)
{
  FUZZ_CHECK(status == DLC_INVALID && strncmp(dlc_reason(), "F: ", 3) == 0 && !strchr(dlc_reason(), '\n'));
}

/* Every name, text and number, so that the sanitizer sees one that isn't there. Returns whether all can be written. */
static int check_file(const dlc_tensor_file *f)
{
  int writable = 1;
  volatile uint8_t sum = 0;
  for (uint32_t i = 0; i < f->n; i++) {
    const dlc_tensor *t = &f->tensors[i];
    FUZZ_CHECK(t->rank <= DLC_MAX_RANK && t->dtype <= DLC_U8 && dlc_tensor_find(f, t->name) == t);
    FUZZ_CHECK(i == 0 || strcmp(f->tensors[i - 1].name, t->name) < 0);
    FUZZ_CHECK(t->dtype == 0 || (uintptr_t)t->data % dlc_dtype_bytes(t->dtype) == 0);
    const uint8_t *bytes = t->data;
    for (size_t k = 0; k < dlc_tensor_bytes(t); k++) sum ^= bytes[k];
    writable &= t->dtype != 0;
  }
  for (uint32_t i = 0; i < 2 * f->n_metadata; i++) FUZZ_CHECK(f->metadata[i]);
  return writable;
}

/* Written to memory instead of a disk. */
static char *write_again(const dlc_tensor_file *f, size_t *n)
{
  dlc_atomic_file out = {.fd = memfd_create("fuzz", 0)};
  FUZZ_CHECK(out.fd >= 0);
  FUZZ_CHECK(dlc_safetensors_put(&out, f->tensors, f->n, f->metadata, f->n_metadata) == DLC_OK);
  *n = (size_t)lseek(out.fd, 0, SEEK_END);
  char *bytes = malloc(*n);
  FUZZ_CHECK(bytes && pread(out.fd, bytes, *n, 0) == (ssize_t)*n);
  close(out.fd);
  return bytes;
}

static void check_again(const dlc_tensor_file *f)
{
  dlc_tensor_file again;
  size_t n;
  char *bytes = write_again(f, &n);
  FUZZ_CHECK(dlc_safetensors_parse("F", bytes, n, &again) == DLC_OK);
  FUZZ_CHECK(again.n == f->n);
  for (uint32_t i = 0; i < f->n; i++) {
    const dlc_tensor *a = &f->tensors[i], *b = &again.tensors[i];
    FUZZ_CHECK(strcmp(a->name, b->name) == 0 && a->dtype == b->dtype && a->rank == b->rank);
    FUZZ_CHECK(memcmp(a->dim, b->dim, sizeof a->dim) == 0);
    FUZZ_CHECK(dlc_tensor_bytes(a) == 0 || memcmp(a->data, b->data, dlc_tensor_bytes(a)) == 0);
  }
  dlc_safetensors_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  dlc_tensor_file file;
  char *bytes = copy_of(data, n);
  sign(bytes, n);
  const dlc_status status = dlc_safetensors_parse("F", bytes, n, &file);
  if (status < 0) {
    check_reason(status);
    FUZZ_CHECK(!file.memory && !file.tensors && file.n == 0);
    return 0;
  }
  if (check_file(&file)) check_again(&file);
  dlc_safetensors_free(&file);
  return 0;
}
