/* The folder that a run leaves behind, and its removal when the run came to nothing. [main] */
#ifndef DLCORE_APP_RUN_FOLDER_H
#define DLCORE_APP_RUN_FOLDER_H
#include "options.h"

typedef struct cli_run_folder {
  char *path;    /* owned */
  bool made;     /* by this run; else it was there and --exist-ok was given */
  int lock;      /* descriptor that keeps other runs out; 0: none */
  char *topmost; /* of the folders above it that were made as well; NULL: they were all there. Owned */
} cli_run_folder;

/* Before anything else is opened: CLI_USAGE when --name is no name or its folder exists and may not be used. */
int cli_run_folder_check(const cli_options *o);
/* Makes the folder (a default name gets -2, -3, ... where it is taken) and its weights/. */
int cli_run_folder_make(const cli_options *o, const char *model, cli_run_folder *folder);
/* A path in it, owned by the caller; NULL without memory. */
char *cli_run_folder_file(const cli_run_folder *folder, const char *name);
/* Removes the folder with all that is in it, and the empty ones above it, as far as this run made them. */
void cli_run_folder_undo(cli_run_folder *folder, const char *output);
void cli_run_folder_free(cli_run_folder *folder);

#endif
