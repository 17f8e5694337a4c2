/* Any bytes as an idx file, plain or gzip: labels when the first byte is even, images when it is odd. What is accepted
 * must be as large as its header says. */
#include "fuzz_host.h"
#include "plugins/idx/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  if (n == 0) return 0;
  const int labels = data[0] % 2 == 0;
  idx_array array;
  idx_reason why = {""};
  uint8_t *content = idx_alloc(n);
  memcpy(content, data + 1, n - 1);
  dlc_status status = idx_read("file", content, n - 1, labels, &array, &why);
  if (status < 0) {
    FUZZ_CHECK(strncmp(why.text, "file", 4) == 0 && !strchr(why.text, '\n'));
    return 0;
  }
  uint32_t sum = 0;
  int64_t bytes = 1;
  FUZZ_CHECK(labels ? array.rank == 1 : array.rank == 3 || array.rank == 4);
  for (uint32_t i = 0; i < array.rank; i++) {
    FUZZ_CHECK(array.dim[i] > 0);
    bytes *= array.dim[i];
  }
  for (int64_t i = 0; i < bytes; i++) sum += array.data[i];
  FUZZ_CHECK(sum <= (uint64_t)bytes * 255);
  free(array.block);
  return 0;
}
