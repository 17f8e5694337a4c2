/* The binary version: records of one or two label bytes and 3072 pixels, and class names one a line. [any] */
#include "cifar.h"
#include <stdlib.h>
#include <string.h>

dlc_status cifar_read_records(const uint8_t *bytes, size_t n, const cifar_layout *layout, const cifar_labels *labels,
                              cifar_batch *batch, cifar_reason *why)
{
  size_t record = layout->record_labels + CIFAR_PIXELS, count = n / record;
  memset(batch, 0, sizeof *batch);
  if (count == 0 || n % record != 0)
    return cifar_fail(why, DLC_INVALID, "%zu bytes, which is not a number of records of %zu", n, record);
  int32_t *to = malloc(count * sizeof *to);
  if (!to) return cifar_fail(why, DLC_NOMEM, "out of memory: %zu labels", count);
  for (size_t i = 0; i < count; i++) {
    const uint8_t *label = bytes + i * record;
    for (uint32_t k = 0; k < layout->record_labels; k++) {
      if (label[k] >= layout->record_classes[k]) {
        free(to);
        return cifar_fail(why, DLC_INVALID, "label %u at offset %zu, expected 0..%u", label[k], i * record + k,
                          layout->record_classes[k] - 1u);
      }
    }
    to[i] = label[labels->byte];
  }
  *batch =
      (cifar_batch){.count = (int64_t)count, .pixels = bytes + layout->record_labels, .stride = record, .labels = to};
  return DLC_OK;
}

/* Line ends may be those of Windows; empty lines, as at the end of the real files, don't count. */
dlc_status cifar_read_lines(const uint8_t *bytes, size_t n, const cifar_labels *labels, cifar_names *names,
                            cifar_reason *why)
{
  uint32_t k = 0;
  const uint8_t *end = bytes + n;
  while (bytes < end) {
    const uint8_t *stop = memchr(bytes, '\n', (size_t)(end - bytes));
    const uint8_t *next = stop ? stop + 1 : end;
    if (!stop) stop = end;
    if (stop > bytes && stop[-1] == '\r') stop--;
    if (stop > bytes) {
      if (k == labels->n_classes) return cifar_fail(why, DLC_INVALID, "more than %u class names", labels->n_classes);
      dlc_status status = cifar_take_name(names, k++, bytes, (size_t)(stop - bytes), why);
      if (status != DLC_OK) return status;
    }
    bytes = next;
  }
  if (k != labels->n_classes) return cifar_fail(why, DLC_INVALID, "%u class names, expected %u", k, labels->n_classes);
  return DLC_OK;
}
