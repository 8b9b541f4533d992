/*
 * Which devices of a group to try: all of them, ever fewer of the most capable ones, the source
 * alone. For strategies whose own rule lets everybody take part although fewer may be faster.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_SUBSETS_H
#define EDGEWEAVE_STRATEGIES_COMMON_SUBSETS_H

#include "common/devices.h"

/** A walk over subsets. */
struct kit_subsets {
    const struct kit_group *group;
    uint32_t source; /**< device */
    bool is_wide;    /**< false: only all of them */
    uint32_t k;      /**< members of the last subset of the most capable; 0: none given yet */
    bool is_over;
};

/** The next subset: takes_part[chain position]. First all members, then the k most capable for ever
 *  smaller k, one by one up to 16 and halving above (the first of equals), then the source alone if
 *  it is a member. False when there is none left. */
bool kit_subsets_next(bool *takes_part, struct kit_subsets *subsets);

#endif
