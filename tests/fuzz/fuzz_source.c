/* Any bytes as an archive: what opens must give a sorted list of clean paths, and every entry's content or a reason. */
#include "fuzz_host.h"
#include "plugins/archive/archive.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int is_clean(const char *path)
{
  size_t n = strlen(path);
  char whole[AR_MAX_NAME + 2];
  snprintf(whole, sizeof whole, "/%s/", path);
  return n > 0 && n < AR_MAX_NAME && !strstr(whole, "//") && !strstr(whole, "/./") && !strstr(whole, "/../") &&
         !strpbrk(path, "\\\n");
}

static void read_entries(dlc_source *s)
{
  const dlc_entry *entries;
  uint32_t n;
  FUZZ_CHECK(s->list(s, &entries, &n) == DLC_OK);
  for (uint32_t i = 0; i < n; i++) {
    const dlc_entry *e = dlc_entry_at(entries, i);
    dlc_entry found = {.size = sizeof found};
    FUZZ_CHECK(is_clean(e->path) && e->bytes >= 0);
    FUZZ_CHECK(i == 0 || strcmp(dlc_entry_at(entries, i - 1)->path, e->path) < 0);
    FUZZ_CHECK(s->find(s, e->path, &found) == DLC_OK && found.id == e->id && found.bytes == e->bytes);
    if (e->bytes > 1 << 24 || i > 1000) continue;
    uint8_t *buffer = malloc((size_t)e->bytes);
    const uint8_t *bytes = DLC_HAS(s, bytes) ? s->bytes(s, e) : NULL;
    if (s->read(s, e, buffer) == DLC_OK && bytes) FUZZ_CHECK(memcmp(bytes, buffer, (size_t)e->bytes) == 0);
    free(buffer);
  }
}

static void read_archive(const uint8_t *data, size_t n)
{
  static const dlc_source_type *const types[] = {&tar_type, &zip_type};
  char path[64];
  int fd = memfd_create("archive", MFD_CLOEXEC);
  FUZZ_CHECK(fd >= 0 && write(fd, data, n) == (ssize_t)n);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  for (int i = 0; i < 2; i++) {
    dlc_source *s;
    if (!types[i]->match(path, data, n < 4096 ? n : 4096)) continue;
    if (types[i]->open(types[i], &fuzz_host, path, &s) == DLC_OK) {
      read_entries(s);
      s->close(s);
    }
    break;
  }
  close(fd);
}

/* Sets the checksums of tar headers, without which nothing else in them would ever be read. True: one was wrong. */
static int mend(uint8_t *data, size_t n)
{
  int mended = 0;
  for (size_t at = 0; at + 512 <= n; at += 512) {
    char text[8];
    uint32_t sum = 8 * ' ';
    if (memcmp(data + at + 257, "ustar", 5) != 0) continue;
    for (size_t i = 0; i < 512; i++) sum += i < 148 || i >= 156 ? data[at + i] : 0;
    snprintf(text, sizeof text, "%06o", sum);
    mended |= memcmp(data + at + 148, text, 7) != 0;
    memcpy(data + at + 148, text, 7);
  }
  return mended;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  setenv("DLCORE_ARCHIVE_MEMORY", "64", 1);
  read_archive(data, n);
  uint8_t *copy = malloc(n + 1);
  memcpy(copy, data, n);
  if (mend(copy, n)) read_archive(copy, n);
  free(copy);
  return 0;
}
