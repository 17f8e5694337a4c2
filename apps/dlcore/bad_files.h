/* --on-bad-image, and bad_files.txt: the pictures that could not be read as they should. [main] */
#ifndef DLCORE_APP_BAD_FILES_H
#define DLCORE_APP_BAD_FILES_H
#include "console.h"
#include "run_folder.h"

typedef struct cli_bad_files {
  char *path; /* owned */
  FILE *file; /* NULL until there is one to write about */
  uint32_t count;
  bool failed;
} cli_bad_files;

int cli_bad_policy(const cli_options *o); /* DLC_BAD_... */

/* Takes away the list of a former run (--exist-ok). An exit code. */
int cli_bad_files_begin(cli_bad_files *b, const cli_run_folder *folder);
/* One line more: name, tab, reason. The first few are also shown. */
void cli_bad_files_add(cli_bad_files *b, cli_console *c, const char *name, const char *reason);
void cli_bad_files_say(const cli_bad_files *b, cli_console *c); /* how many, if any */
void cli_bad_files_close(cli_bad_files *b);

#endif
