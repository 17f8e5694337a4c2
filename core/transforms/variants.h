/* Kernels that are worth compiling for AVX2 as well: chosen at every call by what the processor can do. Both variants
 * are the same C, without contraction, so they give the same bytes. */
#ifndef DLC_TRANSFORMS_VARIANTS_H
#define DLC_TRANSFORMS_VARIANTS_H

#define DLC_KERNEL_BODY static inline __attribute__((always_inline))

/* Defines the function `name` from `name_body`, an always-inline function with the same parameters. */
#if defined(__x86_64__) && defined(__GNUC__)
#define DLC_KERNEL(name, parameters, arguments)                                                                        \
  __attribute__((target("avx2"))) static void name##_avx2 parameters                                                   \
  {                                                                                                                    \
    name##_body arguments;                                                                                             \
  }                                                                                                                    \
  void name parameters                                                                                                 \
  {                                                                                                                    \
    if (__builtin_cpu_supports("avx2")) name##_avx2 arguments;                                                         \
    else name##_body arguments;                                                                                        \
  }
#else
#define DLC_KERNEL(name, parameters, arguments)                                                                        \
  void name parameters                                                                                                 \
  {                                                                                                                    \
    name##_body arguments;                                                                                             \
  }
#endif

#endif
