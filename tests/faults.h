/* System calls that fail, or in which the process is killed, one after the other. faults.c is linked into a test, whose
 * calls it then stands in for, or preloaded into a program: LD_PRELOAD=BUILD/tests/faults.so
 * DLCORE_FAULTS=KIND:N:FOLDER. Only calls that have to do with FOLDER, by path or by descriptor, are counted. */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H
#include <stdbool.h>

/* What happens at call N. An errno, or: */
enum {
  FAULT_KILL = -1,      /* the process is killed in front of the call */
  FAULT_HALF = -2,      /* a write writes half of what it should, which it may */
  FAULT_HALF_KILL = -3, /* the same, and then the process is killed */
};

typedef struct fault {
  int kind;
  long at;         /* the number of the call, from 1 */
  bool ever_after; /* all later ones as well */
  bool no_links;   /* the file system has no hard links; not counted */
} fault;

/* From now on nothing waits for the disk: fsync() does nothing but being counted. */
void faults_without_disk(void);
void faults_begin(const char *folder, fault f);
/* The calls since faults_begin(). */
long faults_end(void);

#endif
