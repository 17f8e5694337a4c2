/* Any text as a configuration file. What is refused must say where; what is accepted must come back the same when it is
 * written and read again. */
#include "apps/dlcore/options.h"
#include "base/status.h"
#include "fuzz_host.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What options.c does with command lines, which are not fuzzed here. */
int cli_find_file(int which, const char *name, char **path)
{
  (void)which, (void)name;
  *path = NULL;
  return CLI_USAGE;
}

int cli_resume_find(cli_options *o)
{
  (void)o;
  return CLI_USAGE;
}

/* Defaults, then the file; its options as config.yaml would have them. */
static dlc_status read_config(const void *data, size_t size, dlc_str *text)
{
  char program[] = "dlcore", *argv[] = {program, NULL}, path[64];
  const char *warning = NULL;
  cli_options o;
  const int fd = memfd_create("config", MFD_CLOEXEC);
  FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  FUZZ_CHECK(cli_options_parse(1, argv, &o, &warning) == CLI_OK);
  dlc_status status = cli_config_read(path, &o);
  if (status < 0) FUZZ_CHECK(strncmp(dlc_reason(), path, strlen(path)) == 0 && !strchr(dlc_reason(), '\n'));
  else FUZZ_CHECK(cli_config_text(&o, text) == DLC_OK);
  cli_options_free(&o);
  close(fd);
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  dlc_str first = {0}, second = {0};
  if (read_config(data, size, &first) >= 0) {
    if (read_config(dlc_str_get(&first), first.length, &second) < 0) {
      fprintf(stderr, "%s\n%s\n", dlc_reason(), dlc_str_get(&first));
      abort();
    }
    FUZZ_CHECK(strcmp(dlc_str_get(&first), dlc_str_get(&second)) == 0);
  }
  dlc_str_free(&first);
  dlc_str_free(&second);
  return 0;
}
