/* Checksums of safetensors files: in memory, and of a file that is too large to be in memory twice. */
#include "train/safetensors_checksum.h"
#include "base/status.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { BUFFER_BYTES = 1 << 18 };
static const char zeros[] = "0000000000000000";
_Static_assert(sizeof zeros == DLC_DIGITS + 1, "one zero a digit");

typedef struct digits {
  char text[DLC_DIGITS + 1];
} digits;

static digits digits_of(const XXH3_state_t *state)
{
  digits d;
  snprintf(d.text, sizeof d.text, "%016llx", (unsigned long long)XXH3_64bits_digest(state));
  return d;
}

void dlc_safetensors_sign(char *head, size_t n, const dlc_tensor *const *tensors, uint32_t n_tensors)
{
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, head, n);
  for (uint32_t i = 0; i < n_tensors; i++) XXH3_64bits_update(&state, tensors[i]->data, dlc_tensor_bytes(tensors[i]));
  const digits d = digits_of(&state);
  memcpy(head + DLC_DIGITS_AT, d.text, DLC_DIGITS);
}

/* Whether the first bytes of a file say that it has a checksum. */
static bool is_signed(const char *bytes, size_t length)
{
  return length >= DLC_DIGITS_AT + DLC_DIGITS && memcmp(bytes + 8, DLC_SIGNED_START, DLC_DIGITS_AT - 8) == 0;
}

static dlc_status compare(const char *path, const XXH3_state_t *state, const char *expected, uint64_t length)
{
  const digits d = digits_of(state);
  if (memcmp(d.text, expected, DLC_DIGITS) == 0) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s: damaged: the checksum of its %llu bytes is %s, it should be %.*s", path,
                  (unsigned long long)length, d.text, DLC_DIGITS, expected);
}

dlc_status dlc_safetensors_verify(const char *path, const char *bytes, size_t length, bool *has)
{
  XXH3_state_t state;
  *has = is_signed(bytes, length);
  if (!*has) return DLC_OK;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, bytes, DLC_DIGITS_AT);
  XXH3_64bits_update(&state, zeros, DLC_DIGITS);
  XXH3_64bits_update(&state, bytes + DLC_DIGITS_AT + DLC_DIGITS, length - DLC_DIGITS_AT - DLC_DIGITS);
  return compare(path, &state, bytes + DLC_DIGITS_AT, length);
}

/* ---- of a file on the disk ---- */

/* Up to BUFFER_BYTES, less only at the end of the file. */
static dlc_status read_block(int fd, const char *path, char *buffer, size_t *n)
{
  for (*n = 0; *n < BUFFER_BYTES;) {
    const ssize_t more = read(fd, buffer + *n, BUFFER_BYTES - *n);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return dlc_fail(DLC_IO, "cannot read %s: %s", path, strerror(errno));
    if (more == 0) break;
    *n += (size_t)more;
  }
  return DLC_OK;
}

static dlc_status check_fd(int fd, const char *path, char *buffer)
{
  XXH3_state_t state;
  char expected[DLC_DIGITS];
  size_t n;
  DLC_TRY(read_block(fd, path, buffer, &n));
  if (!is_signed(buffer, n)) return dlc_fail(DLC_INVALID, "%s: damaged: it does not begin with a checksum", path);
  memcpy(expected, buffer + DLC_DIGITS_AT, DLC_DIGITS);
  memcpy(buffer + DLC_DIGITS_AT, zeros, DLC_DIGITS);
  XXH3_64bits_reset(&state);
  uint64_t length = 0;
  while (n > 0) {
    XXH3_64bits_update(&state, buffer, n);
    length += n;
    DLC_TRY(read_block(fd, path, buffer, &n));
  }
  return compare(path, &state, expected, length);
}

dlc_status dlc_safetensors_check(const char *path)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return dlc_fail(DLC_IO, "cannot read %s: %s", path, strerror(errno));
  char *buffer = malloc(BUFFER_BYTES);
  /* Of the disk, not of what the system remembers having written. */
  (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  dlc_status status = buffer ? check_fd(fd, path, buffer) : dlc_fail_nomem();
  free(buffer);
  close(fd);
  return status;
}
