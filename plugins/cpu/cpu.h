/* The parts of the cpu backend: what plugin.c, blas.c, isa.c and parallel.c give each other and the kernels.
 *
 *   plugin.c    the entry: options, probe, open, the question kernel(node)
 *   isa.c       which instruction set this processor and system allow
 *   blas.c      loading OpenBLAS with the kernels of this processor
 *   parallel.c  work on the host's threads
 *   kernels/    the ops, compiled once for each instruction set */
#ifndef CPU_H
#define CPU_H
#include <dlcore/plugin.h>
#include <stdbool.h>

/* ---- OpenBLAS ---- */
/* cblas_sgemm: CPU_ROW_MAJOR is its order, CPU_NO_TRANS and CPU_TRANS its transpositions. */
enum { CPU_ROW_MAJOR = 101, CPU_NO_TRANS = 111, CPU_TRANS = 112 };
typedef void cpu_sgemm(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda,
                       const float *b, int ldb, float beta, float *c, int ldc);

typedef struct cpu_blas {
  cpu_sgemm *sgemm;
  char version[32];
  char asked[32];  /* the core type that was asked for: "Haswell", or "auto" */
  const char *got; /* the one that OpenBLAS says it uses */
} cpu_blas;

/* Loads libopenblas.so.0, single-threaded. `kernels`: the option blas-kernels. [main] */
dlc_status cpu_blas_load(const dlc_host *host, const char *kernels, cpu_blas *blas);
/* Whether the library can be found, without opening it where that can be avoided; else writes why not. [scan] */
bool cpu_blas_found(char *why, size_t n);

/* ---- instruction sets ---- */
/* Prepares one node: fills `k`, or DLC_UNSUPPORTED. [main] */
typedef dlc_status cpu_prepare(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k);
typedef struct cpu_op {
  const char *name;
  uint32_t version; /* of the op, that this kernel computes */
  cpu_prepare *prepare;
} cpu_op;

typedef struct cpu_isa {
  const char *name;  /* as the option isa takes it */
  const cpu_op *ops; /* ends with a NULL name */
} cpu_isa;

extern const cpu_isa cpu_isa_baseline, cpu_isa_avx2, cpu_isa_avx512; /* kernels/table.c; the latter two on x86-64 */

/* The widest that this processor and system allow, or the one that was named. NULL: not allowed here. */
const cpu_isa *cpu_isa_choose(const char *name);

/* ---- the device ---- */
struct dlc_device {
  const dlc_host *host;
  const dlc_threads *threads;
  const cpu_isa *isa;
  cpu_blas blas;
  char description[256];
};

/* ---- parallel.c ---- */
/* How many tasks to cut a node into: one for every `grain` of `work`, from 1 to `limit` (the number of pieces there
 * are). A function of the shape alone. */
uint32_t cpu_task_count(double work, double grain, int64_t limit);
/* Grains that keep a task near 5 microseconds, several times what handing it over costs. */
#define CPU_GRAIN_FLOPS 5e5
#define CPU_GRAIN_BYTES 1.28e5

/* Piece `i` of `n` pieces of [0, total), as even as can be. */
typedef struct cpu_range {
  int64_t begin, end;
} cpu_range;
static inline cpu_range cpu_piece(int64_t total, uint32_t n, uint32_t i)
{
  return (cpu_range){total * i / n, total * (i + 1) / n};
}

/* Runs task(arg, i) for every i of n. Denormal numbers count as zero in the tasks, on every thread: a training run that
 * drifts into them would become a hundred times slower. */
void cpu_run(const dlc_device *device, uint32_t n, void (*task)(void *arg, uint32_t i), void *arg);

/* ---- a kernel's state ---- */
/* Zeroed memory for k->state, released by free(). NULL with the reason kept: out of memory. */
void *cpu_state(const dlc_device *device, dlc_kernel *k, size_t bytes);

#endif
