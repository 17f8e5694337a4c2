/* What is known of plugins, as one JSON value that `dlcore plugins` prints as text or as it is. [main] */
#ifndef DLCORE_APP_PLUGIN_LIST_H
#define DLCORE_APP_PLUGIN_LIST_H
#include "job.h"
#include <jansson.h>

/* {version, abi, folders: [{path, exists}], built_in: [OBJECT], files: [FILE]}
 * FILE    {path, taken: true, id, version, license, score, provides: [OBJECT]} or {path, taken: false, reason}
 * OBJECT  {kind, name, help, version (ops), options: [{name, type, default, range, help}], used: false (hidden),
 *          and of a backend that was opened: describe or error}; the kinds schedule and initialisation are built in
 * alone
 *
 * `name`: only what it names, with backends opened; NULL: everything. The caller owns the result; NULL without memory.
 */
json_t *cli_plugin_list(cli_job *job, const char *name);
/* The name of a plugin or an object that was probably meant, owned by the caller; NULL: none is near. */
char *cli_plugin_nearest(cli_job *job, const char *name);

#endif
