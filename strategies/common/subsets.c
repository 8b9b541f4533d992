#include "common/subsets.h"

static void take_most_capable(bool *takes_part, const struct kit_group *group, uint32_t k)
{
    for (uint32_t i = 0; i < group->n; i++) {
        uint32_t n_better = 0;
        for (uint32_t j = 0; j < group->n; j++) {
            n_better += group->capability[j] > group->capability[i] ||
                        (group->capability[j] == group->capability[i] && j < i);
        }
        takes_part[i] = n_better < k;
    }
}

static bool take_only(bool *takes_part, const struct kit_group *group, uint32_t device)
{
    bool is_member = false;
    for (uint32_t i = 0; i < group->n; i++) {
        takes_part[i] = group->device[i] == device;
        is_member = is_member || takes_part[i];
    }
    return is_member;
}

bool kit_subsets_next(bool *takes_part, struct kit_subsets *subsets)
{
    enum { ONE_BY_ONE = 16 };
    if (subsets->is_over) {
        return false;
    }
    if (subsets->k != 1 && (subsets->k == 0 || subsets->is_wide)) {
        subsets->k = subsets->k == 0           ? subsets->group->n
                     : subsets->k > ONE_BY_ONE ? subsets->k / 2
                                               : subsets->k - 1;
        take_most_capable(takes_part, subsets->group, subsets->k);
        return subsets->k > 0;
    }
    subsets->is_over = true;
    return subsets->is_wide && take_only(takes_part, subsets->group, subsets->source);
}
