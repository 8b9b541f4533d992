#include "model/box.h"

#include "base/vec.h"

struct ew_box ew_box_hull(const struct ew_box *a, const struct ew_box *b)
{
    if (ew_box_is_empty(a)) {
        return *b;
    }
    if (ew_box_is_empty(b)) {
        return *a;
    }
    struct ew_box out;
    for (int d = 0; d < EW_DIMS; d++) {
        out.lo[d] = a->lo[d] < b->lo[d] ? a->lo[d] : b->lo[d];
        out.hi[d] = a->hi[d] > b->hi[d] ? a->hi[d] : b->hi[d];
    }
    return out;
}

/* Peel slabs off `a`, one dimension after the other, until only the intersection is left. */
size_t ew_box_subtract(struct ew_box out[2 * EW_DIMS], const struct ew_box *a,
                       const struct ew_box *b)
{
    if (ew_box_is_empty(a)) {
        return 0;
    }
    struct ew_box common;
    if (!ew_box_intersect(&common, a, b)) {
        out[0] = *a;
        return 1;
    }
    size_t n = 0;
    struct ew_box rest = *a;
    for (int d = 0; d < EW_DIMS; d++) {
        if (rest.lo[d] < common.lo[d]) {
            out[n] = rest;
            out[n++].hi[d] = common.lo[d];
        }
        if (common.hi[d] < rest.hi[d]) {
            out[n] = rest;
            out[n++].lo[d] = common.hi[d];
        }
        rest.lo[d] = common.lo[d];
        rest.hi[d] = common.hi[d];
    }
    return n;
}

void ew_box_set_fini(struct ew_box_set *set)
{
    ew_vec_fini(set);
}

bool ew_box_set_remove(struct ew_box_set *set, const struct ew_box *box)
{
    if (ew_box_is_empty(box)) {
        return true;
    }
    for (size_t i = 0; i < set->count;) {
        struct ew_box common;
        if (!ew_box_intersect(&common, &set->items[i], box)) {
            i++;
            continue;
        }
        struct ew_box pieces[2 * EW_DIMS];
        const size_t n = ew_box_subtract(pieces, &set->items[i], box);
        if (!ew_vec_reserve(set, set->count + n)) {
            return false;
        }
        set->items[i] = set->items[--set->count]; /* pieces do not touch `box`: append them */
        for (size_t k = 0; k < n; k++) {
            set->items[set->count++] = pieces[k];
        }
    }
    return true;
}

bool ew_box_set_add(struct ew_box_set *set, const struct ew_box *box)
{
    if (ew_box_is_empty(box)) {
        return true;
    }
    return ew_box_set_remove(set, box) && ew_vec_push(set, *box);
}

uint64_t ew_box_set_volume(const struct ew_box_set *set)
{
    uint64_t v = 0;
    for (size_t i = 0; i < set->count; i++) {
        v += ew_box_volume(&set->items[i]);
    }
    return v;
}
