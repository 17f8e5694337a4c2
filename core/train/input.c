/* Bytes or floats, of which shape, normalised by what. */
#include "train/input.h"
#include "base/status.h"
#include <string.h>

/* Both lists end in the same normalisation of bytes: the graph does it, on a quarter of the memory. */
static void move_normalization(const dlc_dataset_info *info, dlc_pipeline *train, dlc_pipeline *eval, dlc_input *input)
{
  float other[2][4] = {{0}};
  if (!train || !eval || info->channels > 4) return;
  if (!dlc_pipeline_tail(train, info->channels, input->own[0], input->own[1])) return;
  if (!dlc_pipeline_tail(eval, info->channels, other[0], other[1])) return;
  if (memcmp(input->own, other, sizeof other) != 0) return;
  dlc_pipeline_drop_tail(train);
  dlc_pipeline_drop_tail(eval);
  input->mean = input->own[0];
  input->std = input->own[1];
}

dlc_status dlc_input_plan(const dlc_dataset_info *info, dlc_pipeline *train, dlc_pipeline *eval, dlc_input *input)
{
  dlc_sample_format other;
  *input = (dlc_input){.mean = DLC_HAS(info, mean) ? info->mean : NULL, .std = DLC_HAS(info, std) ? info->std : NULL};
  move_normalization(info, train, eval, input);
  if (dlc_sample_format_make(info, train, &input->format) < 0) return dlc_fail_in(DLC_INVALID, "train-transforms");
  if (dlc_sample_format_make(info, eval, &other) < 0) return dlc_fail_in(DLC_INVALID, "eval-transforms");
  if (other.channels != input->format.channels || other.height != input->format.height ||
      other.width != input->format.width)
    return dlc_fail(DLC_INVALID,
                    "train-transforms give %lldx%lldx%lld, eval-transforms %lldx%lldx%lld; they must agree",
                    (long long)input->format.channels, (long long)input->format.height, (long long)input->format.width,
                    (long long)other.channels, (long long)other.height, (long long)other.width);
  if (other.dtype != input->format.dtype)
    return dlc_fail(DLC_INVALID, "train-transforms give %s, eval-transforms %s: end both with normalize or to_float",
                    input->format.dtype == DLC_U8 ? "bytes" : "floats", other.dtype == DLC_U8 ? "bytes" : "floats");
  return DLC_OK;
}
