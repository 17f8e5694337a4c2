/* Being asked to stop: SIGINT, SIGTERM and SIGHUP end a run after the step that is under way; a second one ends the
 * process at once. */
#ifndef DLCORE_APP_STOP_H
#define DLCORE_APP_STOP_H

void cli_stop_install(void); /* [main] a signal that the parent made us ignore (nohup) stays ignored */
int cli_stop_signal(void);   /* [any] the signal that came, or 0 */

#endif
