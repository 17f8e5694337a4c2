/* The plugin as dlcore sees it. */
#include "archive.h"
#include <string.h>

static const void *get(const char *iface, uint32_t i)
{
  /* zip last: it also takes files by their name */
  static const dlc_source_type *const types[] = {&tar_type, &zip_type};
  return strcmp(iface, DLC_IFACE_SOURCE) == 0 && i < sizeof types / sizeof *types ? types[i] : NULL;
}

static const dlc_plugin plugin = {DLC_PLUGIN("archive", "0.1.0", "MIT"), .get = get};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
