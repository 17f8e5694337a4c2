/* --profile: what is asked for, and what is left behind. [main] */
#ifndef DLCORE_APP_PROFILE_H
#define DLCORE_APP_PROFILE_H
#include "console.h"
#include "run/profile.h"
#include "run_folder.h"

/* *profile is NULL without --profile. CLI_USAGE when --profile-steps is no range. */
int cli_profile_open(const cli_options *o, dlc_profile **profile);
/* Removes what a former run left in the folder (--exist-ok): it says nothing about this one. */
void cli_profile_begin(const cli_run_folder *folder);
/* Says the table and, where there is a folder, writes profile.txt and profile.json. When no thread records any more. A
 * file that cannot be written is a warning. Does nothing without a profile. */
void cli_profile_report(dlc_profile *profile, const cli_options *o, cli_console *c, const cli_run_folder *folder);

#endif
