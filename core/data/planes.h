/* Between pixels (channels interleaved) and planes (channel by channel). All [any]. */
#ifndef DLC_DATA_PLANES_H
#define DLC_DATA_PLANES_H
#include <stddef.h>
#include <stdint.h>

/* `n` pixels of `channels` bytes to planes, one after the other, and back. */
void dlc_planes_split(const uint8_t *pixels, uint8_t *planes, size_t n, size_t channels);
void dlc_planes_join(const uint8_t *planes, uint8_t *pixels, size_t n, size_t channels);
/* Of three channels. */
void dlc_planes_split3(const uint8_t *pixels, uint8_t *planes, size_t n);
/* The same for floats. */
void dlc_planes_split_f32(const float *pixels, float *planes, size_t n, size_t channels);

#endif
