/* Being asked to stop: SIGINT, SIGTERM and SIGHUP end a run after the step that is under way; a second one ends the
 * process at once. SIGUSR1 asks for a checkpoint. */
#ifndef DLCORE_APP_STOP_H
#define DLCORE_APP_STOP_H
#include <stdbool.h>

void cli_stop_install(void); /* [main] a signal that the parent made us ignore (nohup) stays ignored */
int cli_stop_signal(void);   /* [any] the signal that came, or 0 */
bool cli_save_asked(void);   /* [main] whether SIGUSR1 has come since the last call */

#endif
