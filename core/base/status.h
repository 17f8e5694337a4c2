/* Errors are values: a dlc_status, and one line of text that the calling thread keeps, like errno or dlerror. */
#ifndef DLC_BASE_STATUS_H
#define DLC_BASE_STATUS_H
#include "dlcore/base.h"
#include <stdarg.h>

/* Keeps the thread's reason (printf format, one line, cut at 2 KiB) and returns `code`. */
dlc_status dlc_fail(dlc_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));
dlc_status dlc_vfail(dlc_status code, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* Puts "CONTEXT: " before the reason that is there; returns `code`. */
dlc_status dlc_fail_in(dlc_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* DLC_NOMEM with the reason "out of memory". */
dlc_status dlc_fail_nomem(void);
/* The thread's last reason; never NULL. Valid until its next failure. */
const char *dlc_reason(void);

#define DLC_TRY(call)                                                                                                  \
  do {                                                                                                                 \
    dlc_status status_ = (call);                                                                                       \
    if (status_ < 0) return status_;                                                                                   \
  } while (0)

#endif
