/* Which parameters a method means. */
#include "train/method.h"
#include <fnmatch.h>

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
