/* Any bytes as a CIFAR pickle: read as a batch in each way of labelling and as class names. What is accepted must lie
 * in the input and within its ranges. */
#include "../../plugins/cifar/cifar.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every pixel and label, so that the sanitizer sees one that isn't there. */
static void check_batch(cifar_batch *b, const uint8_t *data, size_t size, const cifar_labels *labels)
{
  if (b->count < 1 || b->stride != CIFAR_PIXELS || b->pixels < data || (size_t)b->count > size / CIFAR_PIXELS) abort();
  const volatile uint8_t *pixels = b->pixels;
  for (int64_t i = 0; i < b->count; i++) {
    if (b->labels[i] < 0 || b->labels[i] >= (int32_t)labels->n_classes) abort();
    for (int k = 0; k < CIFAR_PIXELS; k++) (void)pixels[i * CIFAR_PIXELS + k];
  }
  free(b->labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static cifar_names names;
  cifar_reason why;
  for (uint32_t i = 0; i < cifar_n_layouts; i++) {
    for (int k = 0; k < 2; k++) {
      const cifar_labels *labels = cifar_layouts[i].labels[k];
      cifar_batch batch;
      if (cifar_layouts[i].binary || !labels) continue;
      why.text[0] = 0;
      if (cifar_read_batch(data, size, labels, &batch, &why) == DLC_OK) check_batch(&batch, data, size, labels);
      else if (!why.text[0] || batch.labels) abort();
      why.text[0] = 0;
      if (cifar_read_meta(data, size, labels, &names, &why) != DLC_OK && !why.text[0]) abort();
    }
  }
  return 0;
}
