/* Any text as a JSON string. */
#ifndef DLCORE_APP_JSON_TEXT_H
#define DLCORE_APP_JSON_TEXT_H
#include <jansson.h>

/* JSON is UTF-8, which a path need not be: then all but ASCII becomes '?'. NULL without memory. */
json_t *cli_json_text(const char *text);

#endif
