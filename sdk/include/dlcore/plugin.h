/* The dlcore plugin SDK: include this one header, link nothing.
 *
 *   #include <dlcore/plugin.h>
 *   static const void *get(const char *iface, uint32_t i)
 *   {
 *     return strcmp(iface, DLC_IFACE_OP) == 0 && i == 0 ? &softplus : NULL;
 *   }
 *   static const dlc_plugin plugin = {DLC_PLUGIN("acme", "1.0.0", "MIT"), .get = get};
 *   DLC_EXPORT const dlc_plugin *dlcore_plugin(void) { return &plugin; }
 *
 *   cc -shared -fPIC -fvisibility=hidden acme.c -o dlcore-acme.so
 *
 * A plugin is a file dlcore-ID.so. dlcore looks for it in --plugin-path, $DLCORE_PLUGIN_PATH, ~/.local/lib/dlcore,
 * <program>/../lib/dlcore and its own library folder, in that order. C11, C17, C++17.
 */
#ifndef DLCORE_PLUGIN_H
#define DLCORE_PLUGIN_H
#include "backend.h"
#include "base.h"
#include "dataset.h"
#include "graph.h"
#include "logger.h"
#include "op.h"
#include "ops.h"
#include "picture.h"
#include "source.h"
#include "transform.h"
#ifdef __cplusplus
extern "C" {
#endif

#define DLC_MAGIC     0x50434c44u /* "DLCP" */
#define DLC_ABI_MAJOR 2           /* must be equal on both sides */
#define DLC_ABI_MINOR 2           /* informative: what was appended since */

/* The leading fields of dlc_plugin, so that no author fills a size or a version by hand. */
#define DLC_PLUGIN(id, version, license)                                                                               \
  DLC_MAGIC, sizeof(dlc_plugin), DLC_ABI_MAJOR, DLC_ABI_MINOR, id, version, license

typedef struct dlc_plugin {
  uint32_t magic, size;
  uint16_t abi_major, abi_minor;
  const char *id;      /* as in the file name dlcore-ID.so */
  const char *version; /* the plugin's own */
  const char *license; /* SPDX */
  /* [main] The i-th object of an interface ("dlcore.op/1"), or NULL past the last. Pure. Mandatory. */
  const void *(*get)(const char *iface, uint32_t i);
  /* [scan] How well this plugin fits this machine: of two plugins with one id the higher score wins. <= 0: not here,
   * and `why` (one line, at most n bytes) says what is missing. Optional: absent = 1. */
  int (*probe)(const dlc_host *h, char *why, size_t n);
  /* [main] Once, before the first use of anything it provides. Optional. */
  dlc_status (*init)(const dlc_host *h);
} dlc_plugin;

/* The one exported symbol: pure, returns a static struct. */
DLC_EXPORT const dlc_plugin *dlcore_plugin(void);

#ifdef __cplusplus
}
#endif
#endif
