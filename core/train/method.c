/* Whether a method can be, and which parameters it means. */
#include "train/method.h"
#include "base/status.h"
#include <fnmatch.h>

dlc_status dlc_method_check(const dlc_method *method)
{
  if (method->n_groups > DLC_MAX_GROUPS)
    return dlc_fail(DLC_INVALID, "%u groups of parameters, at most %d are possible", method->n_groups, DLC_MAX_GROUPS);
  if (dlc_schedule_moves_momentum(&method->schedule) && !(method->optimizer->flags & DLC_OP_MOMENTUM))
    return dlc_fail(DLC_INVALID, "%s moves the momentum, and %s has none; %s:cycle_momentum=false leaves it alone",
                    method->schedule.kind->name, method->optimizer->name, method->schedule.kind->name);
  return DLC_OK;
}

uint32_t dlc_method_group(const dlc_method *method, const char *parameter)
{
  uint32_t i = 0;
  while (i < method->n_groups && fnmatch(method->groups[i].match, parameter, 0) != 0) i++;
  return i;
}

bool dlc_method_frozen(const dlc_method *method, const char *parameter)
{
  for (uint32_t i = 0; i < method->n_frozen; i++)
    if (fnmatch(method->frozen[i], parameter, 0) == 0) return true;
  return false;
}
