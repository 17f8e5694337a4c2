/* Which parameters a recipe means. */
#include "train/recipe.h"
#include <fnmatch.h>

uint32_t dlc_recipe_group(const dlc_recipe *r, const char *parameter)
{
  uint32_t i = 0;
  while (i < r->n_groups && fnmatch(r->groups[i].match, parameter, 0) != 0) i++;
  return i;
}

bool dlc_recipe_frozen(const dlc_recipe *r, const char *parameter)
{
  for (uint32_t i = 0; i < r->n_frozen; i++)
    if (fnmatch(r->frozen[i], parameter, 0) == 0) return true;
  return false;
}
