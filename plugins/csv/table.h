/* One CSV file that only ever holds whole rows. [main] */
#ifndef CSV_TABLE_H
#define CSV_TABLE_H
#include <dlcore/plugin.h>
#include <sys/types.h>

typedef struct csv_table {
  char *path;   /* owned */
  int fd;       /* -1: not open yet */
  int regular;  /* a file that can be cut; else a device or a pipe */
  off_t length; /* up to the end of the last whole row */
  int titled;   /* the header is there */
} csv_table;

/* What is there already is cut after its last whole row. Nothing is created yet. On failure nothing is left to close.
 */
dlc_status csv_table_open(const dlc_host *h, csv_table *t, const char *folder, const char *name);
/* Right after open: drops the rows at the end whose first number is above `last`. On failure as open. */
dlc_status csv_table_cut(const dlc_host *h, csv_table *t, int64_t last);
/* Before the first row: a file with this header goes on, one with another is kept as NAME.1 (or .2, ...) and a new one
 * begun. `header` ends with a newline. */
dlc_status csv_table_title(const dlc_host *h, csv_table *t, const char *header, size_t n);
/* Appends one row, all or nothing. `row` ends with a newline. */
dlc_status csv_table_append(const dlc_host *h, csv_table *t, const char *row, size_t n);
dlc_status csv_table_close(const dlc_host *h, csv_table *t);

#endif
