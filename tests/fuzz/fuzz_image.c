/* Any bytes as the file of a picture: whatever comes out, every pixel of it was set, it is the same the second time,
 * and nothing asks for more memory than a picture of the permitted size needs. The length chooses between colour, grey
 * and upright. */
#include "../../plugins/imagefolder/decode.h"
#include "../picture_fixture.h"
#include <sanitizer/allocator_interface.h>
#include <stdio.h>

enum { MAX_PIXELS = 1 << 16, MAX_ALLOCATION = 1 << 24 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int decoding;

static void on_malloc(const volatile void *p, size_t n)
{
  (void)p;
  if (!decoding || n <= MAX_ALLOCATION) return;
  fprintf(stderr, "an allocation of %zu bytes\n", n);
  abort();
}

static void on_free(const volatile void *p)
{
  (void)p;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc, (void)argv;
  return __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const img_rules rules = {.channels = size % 3 == 1 ? 1 : 3, .max_pixels = MAX_PIXELS, .upright = size % 3 == 2};
  test_picture t[2] = {test_picture_make(0xaa), test_picture_make(0x55)};
  dlc_status status[2];
  for (int i = 0; i < 2; i++) {
    char reason[IMG_REASON] = "";
    decoding = 1;
    status[i] = img_decode(&rules, data, size, &t[i].picture, reason);
    decoding = 0;
    if ((status[i] == DLC_OK) != (reason[0] == '\0')) abort();
    if (strchr(reason, '\n')) abort();
  }
  if (status[0] != status[1]) abort();
  if (status[0] == DLC_OK || status[0] == DLC_DAMAGED) {
    const dlc_picture *p = &t[0].picture;
    if (p->channels != rules.channels || p->height * p->width > MAX_PIXELS) abort();
    if (test_picture_bytes(&t[0]) != test_picture_bytes(&t[1])) abort();
    if (memcmp(t[0].pixels, t[1].pixels, test_picture_bytes(&t[0])) != 0) abort();
  }
  test_picture_free(&t[0]);
  test_picture_free(&t[1]);
  img_channels(data, size);
  return 0;
}
