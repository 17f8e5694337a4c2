/* What is done to the colours of pixels; interleaved bytes, `n` pixels of 3 channels unless said otherwise. The numbers
 * are Pillow's (ImageEnhance, Image.convert), to the byte. All [any]; `out` may be `in`. */
#ifndef DLC_TRANSFORMS_COLOR_H
#define DLC_TRANSFORMS_COLOR_H
#include <stddef.h>
#include <stdint.h>

/* ITU-R 601-2 luma, one byte a pixel. */
void dlc_color_luma(const uint8_t *in, uint8_t *out, size_t n);
/* Sums, of those and of n bytes. */
uint64_t dlc_color_luma_sum(const uint8_t *in, size_t n);
uint64_t dlc_color_sum(const uint8_t *in, size_t n);
/* Between `grey` (factor 0) and the byte (factor 1), or beyond; `n` bytes of any number of channels. */
void dlc_color_blend(const uint8_t *in, uint8_t *out, size_t n, int grey, float factor);
/* The same towards each pixel's own luma. */
void dlc_color_saturate(const uint8_t *in, uint8_t *out, size_t n, float factor);
/* Turns the hue by `turn` / 255 of a circle, through HSV in bytes. */
void dlc_color_turn_hue(const uint8_t *in, uint8_t *out, size_t n, int turn);

#endif
