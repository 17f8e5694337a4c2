/* A backend that computes relu, its gradient and add, and leaves everything else to dlcore's reference kernels. Run
 *   dlcore --backend tiny
 * A backend answers one question, kernel(node); the rest of this file is what the answer needs. */
#include <dlcore/plugin.h>
#include <stdlib.h>
#include <string.h>

struct dlc_device {
  const dlc_host *host;
  const dlc_threads *threads; /* dlcore's pool: a backend starts no threads of its own */
};

/* What a launch needs to know, found out once, when the kernel is prepared. */
typedef struct elementwise {
  const dlc_threads *threads;
  void (*apply)(const float *a, const float *b, float *y, int64_t n);
  int64_t count;
  const float *a, *b; /* of the launch in progress */
  float *y;
} elementwise;

static void relu(const float *x, const float *unused, float *y, int64_t n)
{
  (void)unused;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i]; /* NaN stays NaN, so that it is noticed */
}

static void relu_grad(const float *dy, const float *y, float *dx, int64_t n)
{
  for (int64_t i = 0; i < n; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}

static void add(const float *a, const float *b, float *y, int64_t n)
{
  for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

static const struct {
  const char *op;
  void (*apply)(const float *a, const float *b, float *y, int64_t n);
} table[] = {{"relu", relu}, {"relu_grad", relu_grad}, {"add", add}};

#define CHUNK 4096 /* elements a task: by the work alone, never by the number of threads */

static void chunk(void *arg, uint32_t i)
{
  const elementwise *e = arg;
  int64_t at = (int64_t)i * CHUNK, n = e->count - at < CHUNK ? e->count - at : CHUNK;
  e->apply(e->a + at, e->b + at, e->y + at, n);
}

static dlc_status launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  elementwise *e = state;
  (void)workspace;
  e->a = in[0];
  e->b = e->apply == relu ? in[0] : in[1];
  e->y = out[0];
  e->threads->run(e->threads, (uint32_t)((e->count + CHUNK - 1) / CHUNK), chunk, e);
  return DLC_OK;
}

static dlc_status kernel(dlc_device *device, const dlc_graph *g, uint32_t index, dlc_kernel *k)
{
  const dlc_node *node = dlc_node_at(g, index);
  const dlc_value *x = dlc_value_at(g, node->in[0]);
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    if (strcmp(node->op->name, table[i].op) != 0 || node->op->version != 1 || x->dtype != DLC_F32) continue;
    elementwise *e = malloc(sizeof *e);
    if (!e) return device->host->fail(device->host, DLC_NOMEM, "tiny: out of memory");
    *e = (elementwise){.threads = device->threads, .apply = table[i].apply, .count = dlc_count(x)};
    k->state = e;
    k->launch = launch;
    k->release = free;
    return DLC_OK;
  }
  return DLC_UNSUPPORTED;
}

static dlc_status open_device(const dlc_backend *b, const dlc_host *h, const dlc_option_value *values,
                              dlc_device **device)
{
  (void)b, (void)values;
  dlc_device *d = malloc(sizeof *d);
  if (!d) return h->fail(h, DLC_NOMEM, "tiny: out of memory");
  *d = (dlc_device){h, h->service(h, DLC_SERVICE_THREADS)};
  *device = d;
  return DLC_OK;
}

static void close_device(dlc_device *device)
{
  free(device);
}

static const char *describe(dlc_device *device)
{
  return device->threads->count > 1 ? "plain C loops, several threads" : "plain C loops, one thread";
}

static const dlc_backend backend = {.size = sizeof(dlc_backend),
                                    .name = "tiny",
                                    .help = "relu and add, to start from",
                                    .open = open_device,
                                    .close = close_device,
                                    .kernel = kernel,
                                    .describe = describe};

static const void *get(const char *iface, uint32_t i)
{
  return strcmp(iface, DLC_IFACE_BACKEND) == 0 && i == 0 ? &backend : NULL;
}

static const dlc_plugin plugin = {DLC_PLUGIN("tiny", "1.0.0", "MIT"), .get = get};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
