/* Interface "dlcore.transform/1": one step of what is done to a picture before the network sees it. */
#ifndef DLCORE_TRANSFORM_H
#define DLCORE_TRANSFORM_H
#include "attr.h"
#include "base.h"
#include "graph.h"
#ifdef __cplusplus
extern "C" {
#endif

#define DLC_IFACE_TRANSFORM "dlcore.transform/1"

/* A picture between two transforms: channels interleaved, bytes 0..255 or float. */
typedef struct dlc_image {
  uint32_t size;
  uint32_t dtype; /* DLC_U8 or DLC_F32 */
  int64_t height, width, channels;
  void *data;
} dlc_image;

/* One application. Filled by dlcore. */
typedef struct dlc_transform_call dlc_transform_call;
struct dlc_transform_call {
  uint32_t size;
  const dlc_host *host;
  const void *attr;
  const dlc_image *in;
  /* Shape and type as shape() said, data allocated; never overlaps `in`. A transform that leaves the picture as it is
   * may say so instead of copying: out->data = in->data. */
  dlc_image *out;
  /* The draw-th random number in [0, 1) with 24 bits: a pure function of (seed, epoch, sample, position in the list,
   * draw). */
  float (*random)(const dlc_transform_call *c, uint32_t draw);
  /* One block, aligned for any type, valid until it is asked for again or the call ends; NULL: out of memory. */
  void *(*scratch)(const dlc_transform_call *c, size_t n);
};

typedef struct dlc_transform dlc_transform;
struct dlc_transform {
  uint32_t size;
  const char *name; /* torchvision's in snake case; "vendor.name" for third parties */
  const char *help; /* one line */
  uint32_t attr_size;
  const dlc_attr *attrs;
  uint32_t n_attrs;
  /* [any] Checks the attributes and the input, and sets what is different in `out`: it comes with the input's dtype,
   * height, width and channels. Called before training, where height and width are 0 when pictures differ in size (and
   * out's stay 0 when they still do), and then for every picture. */
  dlc_status (*shape)(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out);
  dlc_status (*apply)(const dlc_transform_call *call); /* [any] */
};

#ifdef __cplusplus
}
#endif
#endif
