/* The cpu backend's entry: options, probe, opening, and the one question of a backend. */
#include "cpu.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_ISA, OPTION_BLAS_KERNELS };
static const dlc_option options[] = {
    {sizeof(dlc_option), DLC_OPTION_STRING, "isa", "auto", "auto|baseline|avx2|avx512",
     "instruction set of the kernels; auto: the widest that processor and system allow"},
    {sizeof(dlc_option), DLC_OPTION_STRING, "blas-kernels", "auto",
     "auto|nehalem|sandybridge|haswell|zen|skylakex|cooperlake",
     "OpenBLAS's kernels; auto: $OPENBLAS_CORETYPE, or the fastest for this processor"}};

static void close_device(dlc_device *device)
{
  free(device);
}

static dlc_status open_device(const dlc_backend *b, const dlc_host *h, const dlc_option_value *values,
                              dlc_device **device)
{
  (void)b;
  dlc_device *d = calloc(1, sizeof *d);
  if (!d) return h->fail(h, DLC_NOMEM, "cpu: out of memory");
  d->host = h;
  d->threads = h->service(h, DLC_SERVICE_THREADS);
  d->isa = cpu_isa_choose(values[OPTION_ISA].s);
  dlc_status status = DLC_OK;
  if (!d->threads) status = h->fail(h, DLC_UNSUPPORTED, "cpu: this dlcore has no %s", DLC_SERVICE_THREADS);
  else if (!d->isa)
    status =
        h->fail(h, DLC_UNSUPPORTED, "cpu: isa=%s, which this processor or system does not allow", values[OPTION_ISA].s);
  else status = cpu_blas_load(h, values[OPTION_BLAS_KERNELS].s, &d->blas);
  if (status < 0) {
    free(d);
    return status;
  }
  snprintf(d->description, sizeof d->description,
           "%s kernels, OpenBLAS %s with %s kernels (asked for: %s), %u thread%s", d->isa->name, d->blas.version,
           d->blas.got, d->blas.asked, d->threads->count, d->threads->count == 1 ? "" : "s");
  *device = d;
  return DLC_OK;
}

/* float32 is what the kernels are written for. */
static bool has_double(const dlc_graph *g, const dlc_node *node)
{
  for (uint32_t i = 0; i < node->n_in; i++)
    if (dlc_value_at(g, node->in[i])->dtype == DLC_F64) return true;
  for (uint32_t i = 0; i < node->n_out; i++)
    if (dlc_value_at(g, node->out[i])->dtype == DLC_F64) return true;
  return false;
}

static dlc_status kernel(dlc_device *device, const dlc_graph *g, uint32_t index, dlc_kernel *k)
{
  const dlc_node *node = dlc_node_at(g, index);
  if (has_double(g, node)) return DLC_UNSUPPORTED;
  for (const cpu_op *op = device->isa->ops; op->name; op++)
    if (op->version == node->op->version && strcmp(op->name, node->op->name) == 0)
      return op->prepare(device, g, node, k);
  return DLC_UNSUPPORTED;
}

static const char *describe(dlc_device *device)
{
  return device->description;
}

static const dlc_backend backend = {.size = sizeof(dlc_backend),
                                    .name = "cpu",
                                    .help = "this machine's processors: own kernels and OpenBLAS",
                                    .options = options,
                                    .n_options = sizeof options / sizeof options[0],
                                    .open = open_device,
                                    .close = close_device,
                                    .kernel = kernel,
                                    .describe = describe};

static const void *get(const char *iface, uint32_t i)
{
  return strcmp(iface, DLC_IFACE_BACKEND) == 0 && i == 0 ? &backend : NULL;
}

static int probe(const dlc_host *h, char *why, size_t n)
{
  (void)h;
  return cpu_blas_found(why, n) ? 10 : 0;
}

static const dlc_plugin plugin = {DLC_PLUGIN("cpu", "0.1.0", "MIT"), .get = get, .probe = probe};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
