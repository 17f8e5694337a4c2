/* The host table: what a plugin may ask of dlcore. All [any]. */
#include "base/random.h"
#include "base/status.h"
#include "host/registry.h"
#include <string.h>

static void host_log(const dlc_host *h, int level, const char *message)
{
  const dlc_host_context *c = h->ctx;
  if (c->id) dlc_say(c->sink, level, "%s: %s", c->id, message);
  else dlc_say(c->sink, level, "%s", message);
}

static dlc_status host_fail(const dlc_host *h, dlc_status code, const char *format, ...)
{
  (void)h;
  va_list args;
  va_start(args, format);
  dlc_vfail(code, format, args);
  va_end(args);
  return code;
}

static const void *host_service(const dlc_host *h, const char *name)
{
  const dlc_host_context *c = h->ctx;
  if (strcmp(name, DLC_SERVICE_THREADS) == 0) return c->pool ? dlc_pool_threads(c->pool) : NULL;
  if (strcmp(name, DLC_SERVICE_RANDOM) == 0) return dlc_random_service();
  for (uint32_t i = 0; i < c->registry->n_services; i++)
    if (strcmp(name, c->registry->services[i].name) == 0) return c->registry->services[i].table;
  return NULL;
}

void dlc_host_fill(dlc_host *host, dlc_host_context *context)
{
  *host = (dlc_host){.size = sizeof *host,
                     .abi_major = DLC_ABI_MAJOR,
                     .abi_minor = DLC_ABI_MINOR,
                     .ctx = context,
                     .log = host_log,
                     .fail = host_fail,
                     .service = host_service};
}
