/* Every transform of dlcore, a line a file. */
#include "transforms/transforms.h"

/* clang-format off */
#define TRANSFORMS(X)        \
  X(resize)                  \
  X(center_crop)             \
  X(random_crop)             \
  X(random_resized_crop)     \
  X(random_horizontal_flip)  \
  X(random_vertical_flip)    \
  X(random_rotation)         \
  X(color_jitter)            \
  X(grayscale)               \
  X(random_erasing)          \
  X(to_float)                \
  X(normalize)
/* clang-format on */

#define DECLARE(name) extern const dlc_transform dlc_transform_##name;
TRANSFORMS(DECLARE)

#define ENTRY(name) &dlc_transform_##name,
const dlc_transform *const dlc_core_transforms[] = {TRANSFORMS(ENTRY) NULL};
