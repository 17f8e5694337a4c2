/* Interface "dlcore.backend/1": someone who computes nodes. A backend of this revision works on host memory that
 * dlcore owns: 64-byte aligned, planned once, at addresses that stay the same for the whole run. */
#ifndef DLCORE_BACKEND_H
#define DLCORE_BACKEND_H
#include "op.h"
#ifdef __cplusplus
extern "C" {
#endif

#define DLC_IFACE_BACKEND "dlcore.backend/1"

typedef struct dlc_device dlc_device; /* the backend's own */

/* How one node is computed. Filled by the backend; dlcore sets `size` and zeros the rest before the call. */
typedef struct dlc_kernel {
  uint32_t size;
  size_t workspace; /* bytes of scratch that launch() needs; allocated by dlcore before the first launch */
  void *state;      /* the backend's own */
  /* [main] in/out: the node's values in order; `workspace` is 64-byte aligned and its content is undefined. For
   * DLC_OP_UPDATE out[k] == in[k]; otherwise outputs never overlap inputs. Must not allocate. */
  dlc_status (*launch)(void *state, const void *const *in, void *const *out, void *workspace);
  void (*release)(void *state); /* [main] optional */
} dlc_kernel;

typedef struct dlc_backend dlc_backend;
struct dlc_backend {
  uint32_t size;
  const char *name; /* what --backend takes */
  const char *help; /* one line */
  const dlc_option *options;
  uint32_t n_options;
  /* [main] Opens the device. `values` follow `options`. */
  dlc_status (*open)(const dlc_backend *b, const dlc_host *h, const dlc_option_value *values, dlc_device **device);
  void (*close)(dlc_device *device); /* [main] */
  /* [main] The only compute call: prepare the node `node` of `g`. DLC_UNSUPPORTED gives it to the reference kernel. A
   * launch must give the same bytes for any number of threads. */
  dlc_status (*kernel)(dlc_device *device, const dlc_graph *g, uint32_t node, dlc_kernel *k);
  /* [main] One line on what was chosen for this machine (libraries, kernels, instruction sets), for `dlcore plugins`
   * and the log; lives until close(). Optional. */
  const char *(*describe)(dlc_device *device);
};

#ifdef __cplusplus
}
#endif
#endif
