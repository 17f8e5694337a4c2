/* PNG by libpng, as Pillow's convert("RGB") sees it: palettes looked up, alpha dropped, the upper byte of 16 bits, no
 * gamma. libpng's simplified interface would blend alpha and apply gamma. libpng reports errors by longjmp: from here
 * to here only. [any] */
#include "codec.h"
#include <png.h>
#include <string.h>

typedef struct png_reader {
  img_job *job;
  size_t at; /* bytes read */
  png_structp png;
  png_infop info;
  bool begun; /* the picture has room, and all of it is set */
} png_reader;

static void on_read(png_structp png, png_bytep out, size_t n)
{
  png_reader *r = png_get_io_ptr(png);
  if (n > r->job->n - r->at) png_error(png, "the file ends too early");
  memcpy(out, r->job->bytes + r->at, n);
  r->at += n;
}

static void on_error(png_structp png, png_const_charp message)
{
  img_fail(png_get_error_ptr(png), DLC_INVALID, "PNG: %s", message);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
  (void)png, (void)message;
}

/* Of the picture that is to be made. */
static uint32_t choose_channels(const png_reader *r)
{
  bool coloured = png_get_color_type(r->png, r->info) & PNG_COLOR_MASK_COLOR; /* palettes included */
  return coloured || r->job->rules->channels == 3 ? 3 : 1;
}

static void set_transformations(png_reader *r, uint32_t channels)
{
  png_set_expand_gray_1_2_4_to_8(r->png);
  png_set_palette_to_rgb(r->png);
  png_set_strip_16(r->png);
  png_set_strip_alpha(r->png);
  if (channels == 3) png_set_gray_to_rgb(r->png);
}

static dlc_status read_picture(png_reader *r)
{
  if (setjmp(png_jmpbuf(r->png))) return r->begun ? DLC_DAMAGED : DLC_INVALID;
  png_set_read_fn(r->png, r, on_read);
  /* All but header, palette, transparency and pixels is passed over: libpng allocates what a chunk says it has, up to
   * 2 GiB, before it sees that the file ends. */
  png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_compression_buffer_size(r->png, 1024); /* what is lost at most where a file is cut */
  png_read_info(r->png, r->info);
  uint32_t height = png_get_image_height(r->png, r->info), width = png_get_image_width(r->png, r->info);
  uint32_t channels = choose_channels(r);
  dlc_status status = img_room(r->job, height, width, channels);
  if (status != DLC_OK) return status;
  size_t row = (size_t)width * channels;
  uint8_t *pixels = r->job->picture->pixels;
  memset(pixels, 0, row * height);
  r->begun = true;
  if (r->job->rules->upright) r->job->orientation = img_exif_of_png(r->job->bytes, r->job->n);
  set_transformations(r, channels);
  int passes = png_set_interlace_handling(r->png);
  png_read_update_info(r->png, r->info);
  if (png_get_rowbytes(r->png, r->info) != row) png_error(r->png, "unexpected kind of pixels");
  for (int pass = 0; pass < passes; pass++)
    for (uint32_t y = 0; y < height; y++) png_read_row(r->png, pixels + y * row, NULL);
  return DLC_OK;
}

dlc_status img_png(img_job *job)
{
  png_reader r = {.job = job};
  r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
  if (r.png) r.info = png_create_info_struct(r.png);
  dlc_status status = r.info ? read_picture(&r) : img_fail(job, DLC_NOMEM, "out of memory: a PNG decoder");
  png_destroy_read_struct(&r.png, &r.info, NULL);
  return status;
}

uint32_t img_png_channels(const uint8_t *bytes, size_t n)
{
  /* Signature 8, length and name of IHDR 8, width and height 8, depth 1, colour type. */
  return n < 26 ? 0 : bytes[25] & PNG_COLOR_MASK_COLOR ? 3 : 1;
}
