/* Some files of one folder, as a source. [main] */
#ifndef DLCORE_APP_PICKED_H
#define DLCORE_APP_PICKED_H
#include "data/source.h"

/* `paths`: n files of one folder. The source does not need them later. */
dlc_status cli_picked_open(const char *const *paths, uint32_t n, const dlc_sink *sink, dlc_source **source);
/* Bytes of the path up to its last '/', that included; 0: it has none. */
size_t cli_folder_length(const char *path);

#endif
