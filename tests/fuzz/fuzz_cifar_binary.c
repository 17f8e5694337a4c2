/* Any bytes as a file of the binary version of CIFAR: records in each way of labelling, and class names. */
#include "../../plugins/cifar/cifar.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_batch(cifar_batch *b, const uint8_t *data, size_t size, const cifar_labels *labels)
{
  size_t end = (size_t)(b->pixels - data) + (size_t)(b->count - 1) * b->stride + CIFAR_PIXELS;
  if (b->count < 1 || end != size) abort();
  for (int64_t i = 0; i < b->count; i++)
    if (b->labels[i] < 0 || b->labels[i] >= (int32_t)labels->n_classes) abort();
  free(b->labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static cifar_names names;
  cifar_reason why;
  for (uint32_t i = 0; i < cifar_n_layouts; i++) {
    for (int k = 0; k < 2; k++) {
      const cifar_layout *layout = &cifar_layouts[i];
      const cifar_labels *labels = layout->labels[k];
      cifar_batch batch;
      if (!layout->binary || !labels) continue;
      why.text[0] = 0;
      if (cifar_read_records(data, size, layout, labels, &batch, &why) == DLC_OK)
        check_batch(&batch, data, size, labels);
      else if (!why.text[0] || batch.labels) abort();
      why.text[0] = 0;
      memset(&names, 0, sizeof names);
      if (cifar_read_lines(data, size, labels, &names, &why) != DLC_OK && !why.text[0]) abort();
      for (uint32_t c = 0; c < labels->n_classes; c++)
        if (memchr(names.name[c], 0, sizeof names.name[c]) == NULL) abort();
    }
  }
  return 0;
}
