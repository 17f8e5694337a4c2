/* Names of entries. [main] */
#include "archive.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dlc_status out_of_memory(const ar_listing *l)
{
  return l->h->fail(l->h, DLC_NOMEM, "%s: out of memory for a listing of %u entries", l->origin, l->n);
}

/* ---- names ---- */

/* Writes the path that `name` stands for: "." parts and doubled slashes left out. 0: it is none that can be trusted
 * (absolute, "..", a backslash, a control character, too long); otherwise its length. */
static size_t clean(const char *name, size_t length, char path[AR_MAX_NAME])
{
  size_t used = 0;
  if (length == 0 || length >= AR_MAX_NAME || *name == '/') return 0;
  for (size_t at = 0; at < length;) {
    size_t n = 0;
    const char *part = name + at;
    for (; at + n < length && part[n] != '/'; n++)
      if ((unsigned char)part[n] < ' ' || part[n] == 0x7f || part[n] == '\\') return 0;
    at += n + 1;
    if (n == 0 || (n == 1 && *part == '.')) continue;
    if (n == 2 && part[0] == '.' && part[1] == '.') return 0;
    if (used) path[used++] = '/';
    memcpy(path + used, part, n);
    used += n;
  }
  path[used] = 0;
  return used;
}

ar_name ar_printable(const char *name, size_t length)
{
  ar_name p;
  size_t n = length < sizeof p.text - 4 ? length : sizeof p.text - 4;
  for (size_t i = 0; i < n; i++) p.text[i] = (unsigned char)name[i] < ' ' || name[i] == 0x7f ? '?' : name[i];
  strcpy(p.text + n, n < length ? "..." : "");
  return p;
}

/* Only the first is named: an archive can have a million of them. */
static void refuse(ar_listing *l, const char *name, size_t length)
{
  if (l->n_refused++ == 0) l->refused = ar_printable(name, length);
}

/* ---- growing ---- */

static dlc_status make_room(ar_listing *l, size_t name)
{
  if (l->n == AR_MAX_ENTRIES)
    return l->h->fail(l->h, DLC_INVALID, "%s: more than the %u entries allowed", l->origin, AR_MAX_ENTRIES);
  if (l->n == l->room) {
    uint32_t room = l->room ? 2 * l->room : 256;
    dlc_entry *entries = realloc(l->entries, room * sizeof *entries);
    if (!entries) return out_of_memory(l);
    l->entries = entries;
    ar_place *places = realloc(l->places, room * sizeof *places);
    if (!places) return out_of_memory(l);
    l->places = places;
    l->room = room;
  }
  if (name > l->names_room - l->names_used) {
    size_t room = 2 * l->names_room + AR_MAX_NAME;
    char *names = realloc(l->names, room);
    if (!names) return out_of_memory(l);
    l->names = names;
    l->names_room = room;
  }
  return DLC_OK;
}

static dlc_status append(ar_listing *l, const char *path, size_t length, int64_t bytes, const ar_place *place)
{
  dlc_status status = make_room(l, length + 1);
  if (status != DLC_OK) return status;
  memcpy(l->names + l->names_used, path, length + 1);
  l->entries[l->n] = (dlc_entry){
      .size = sizeof(dlc_entry), .path = (const char *)(uintptr_t)l->names_used, .bytes = bytes, .id = l->n};
  l->places[l->n] = *place;
  l->names_used += length + 1;
  l->n++;
  return DLC_OK;
}

dlc_status ar_listing_add(ar_listing *l, const char *name, size_t length, uint64_t bytes, const ar_place *place)
{
  char path[AR_MAX_NAME];
  size_t n = clean(name, length, path);
  if (n > 0) return append(l, path, n, (int64_t)bytes, place);
  refuse(l, name, length);
  return DLC_OK;
}

/* tar writes a link soon after what it links to, so the search goes backwards. */
dlc_status ar_listing_add_link(ar_listing *l, const char *name, const char *target)
{
  enum {
    FAR = 100000
  }; /* entries to go back: an archive made of links alone must not take the square of their number */
  char path[AR_MAX_NAME];
  size_t n = clean(target, strlen(target), path);
  for (uint32_t i = l->n; n > 0 && i > 0 && l->n - i < FAR; i--) {
    const dlc_entry *e = &l->entries[i - 1];
    if (strcmp(l->names + (uintptr_t)e->path, path) != 0) continue;
    ar_place place = l->places[i - 1];
    return ar_listing_add(l, name, strlen(name), (uint64_t)e->bytes, &place);
  }
  l->n_links++;
  return DLC_OK;
}

/* ---- order ---- */

static int by_path(const void *a, const void *b)
{
  const dlc_entry *x = a, *y = b;
  int order = strcmp(x->path, y->path);
  return order ? order : (x->id > y->id) - (x->id < y->id);
}

static int is_sorted(const ar_listing *l)
{
  for (uint32_t i = 1; i < l->n; i++)
    if (by_path(&l->entries[i - 1], &l->entries[i]) > 0) return 0;
  return 1;
}

static void say(const ar_listing *l, int level, uint64_t n, const char *one, const char *many, const char *more)
{
  char line[AR_MAX_NAME + 512];
  snprintf(line, sizeof line, "%s: %llu %s%s", l->origin, (unsigned long long)n, n == 1 ? one : many, more);
  l->h->log(l->h, level, line);
}

/* Of entries with one path the last one counts, as when the archive is extracted. */
static void drop_repeated(ar_listing *l)
{
  uint32_t kept = 0, dropped = 0;
  char more[AR_MAX_NAME + 64];
  for (uint32_t i = 0; i < l->n; i++) {
    if (i + 1 < l->n && strcmp(l->entries[i].path, l->entries[i + 1].path) == 0) {
      if (dropped++ == 0) snprintf(more, sizeof more, " (%s)", l->entries[i].path);
    } else {
      l->entries[kept++] = l->entries[i];
    }
  }
  l->n = kept;
  if (dropped)
    say(l, DLC_LOG_WARN, dropped, "entry is replaced by a later one of the same name",
        "entries are replaced by later ones of the same name", more);
}

dlc_status ar_listing_finish(ar_listing *l)
{
  char more[sizeof l->refused.text + 8];
  for (uint32_t i = 0; i < l->n; i++) l->entries[i].path = l->names + (uintptr_t)l->entries[i].path;
  if (!is_sorted(l)) qsort(l->entries, l->n, sizeof *l->entries, by_path);
  drop_repeated(l);
  snprintf(more, sizeof more, " (%s)", l->refused.text);
  if (l->n_refused)
    say(l, DLC_LOG_WARN, l->n_refused, "entry is left out for its name: absolute, with '..', '\\' or unprintable",
        "entries are left out for their names: absolute, with '..', '\\' or unprintable", more);
  if (l->n_links) say(l, DLC_LOG_INFO, l->n_links, "link is not followed", "links are not followed", "");
  return DLC_OK;
}

dlc_status ar_listing_lookup(const ar_listing *l, const char *path, dlc_entry *entry)
{
  uint32_t low = 0, high = l->n;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    const dlc_entry *e = &l->entries[middle];
    int order = strcmp(e->path, path);
    if (order == 0) {
      entry->path = e->path;
      entry->bytes = e->bytes;
      entry->id = e->id;
      return DLC_OK;
    }
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return DLC_NOT_FOUND;
}

void ar_listing_free(ar_listing *l)
{
  free(l->entries);
  free(l->places);
  free(l->names);
}
