/*
 * Boxes: half-open intervals in the four dimensions of a tensor, batch x channels x rows x columns.
 * Everything a plan says is said in boxes; this is their arithmetic and nothing else.
 */
#ifndef EW_MODEL_BOX_H
#define EW_MODEL_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Index of a dimension in shapes and boxes. */
enum ew_dim { EW_N, EW_C, EW_H, EW_W, EW_DIMS };

/** lo <= x < hi per dimension. Empty when lo >= hi anywhere. */
struct ew_box {
    int32_t lo[EW_DIMS];
    int32_t hi[EW_DIMS];
};

/** The box [0, shape) . */
static inline struct ew_box ew_box_full(const int32_t shape[EW_DIMS])
{
    struct ew_box b = {{0, 0, 0, 0}, {shape[0], shape[1], shape[2], shape[3]}};
    return b;
}

static inline bool ew_box_is_empty(const struct ew_box *b)
{
    return b->lo[0] >= b->hi[0] || b->lo[1] >= b->hi[1] || b->lo[2] >= b->hi[2] ||
           b->lo[3] >= b->hi[3];
}

/** Number of elements; 0 when empty. Never overflows for boxes inside a valid graph's tensors. */
static inline uint64_t ew_box_volume(const struct ew_box *b)
{
    if (ew_box_is_empty(b)) {
        return 0;
    }
    uint64_t v = 1;
    for (int d = 0; d < EW_DIMS; d++) {
        v *= (uint64_t)(b->hi[d] - b->lo[d]);
    }
    return v;
}

static inline bool ew_box_equal(const struct ew_box *a, const struct ew_box *b)
{
    for (int d = 0; d < EW_DIMS; d++) {
        if (a->lo[d] != b->lo[d] || a->hi[d] != b->hi[d]) {
            return false;
        }
    }
    return true;
}

/** Intersection; false (and an empty `out`) when there is none. */
static inline bool ew_box_intersect(struct ew_box *out, const struct ew_box *a,
                                    const struct ew_box *b)
{
    bool is_nonempty = true;
    for (int d = 0; d < EW_DIMS; d++) {
        out->lo[d] = a->lo[d] > b->lo[d] ? a->lo[d] : b->lo[d];
        out->hi[d] = a->hi[d] < b->hi[d] ? a->hi[d] : b->hi[d];
        is_nonempty = is_nonempty && out->lo[d] < out->hi[d];
    }
    return is_nonempty;
}

/** True when `inner` (non-empty) lies inside `outer`. */
static inline bool ew_box_contains(const struct ew_box *outer, const struct ew_box *inner)
{
    for (int d = 0; d < EW_DIMS; d++) {
        if (inner->lo[d] < outer->lo[d] || inner->hi[d] > outer->hi[d]) {
            return false;
        }
    }
    return true;
}

/** True when the box has all channels, rows and columns of the tensor, of whichever images. */
static inline bool ew_box_is_whole_image(const struct ew_box *b, const int32_t shape[EW_DIMS])
{
    for (int d = EW_C; d < EW_DIMS; d++) {
        if (b->lo[d] != 0 || b->hi[d] != shape[d]) {
            return false;
        }
    }
    return true;
}

/** Smallest box that holds both; an empty operand does not count. */
struct ew_box ew_box_hull(const struct ew_box *a, const struct ew_box *b);

/** a minus b as at most eight disjoint boxes; returns how many were written to `out`. */
size_t ew_box_subtract(struct ew_box out[2 * EW_DIMS], const struct ew_box *a,
                       const struct ew_box *b);

/** A growing set of disjoint boxes. Zero-initialised is valid and empty; reuse it by setting
 *  count to 0. */
struct ew_box_set {
    struct ew_box *items;
    size_t count;
    size_t capacity;
};

void ew_box_set_fini(struct ew_box_set *set);

/** Add the part of `box` not yet in the set, so that items stay disjoint. false: out of memory. */
bool ew_box_set_add(struct ew_box_set *set, const struct ew_box *box);

/** Remove `box` from the set. false: out of memory. */
bool ew_box_set_remove(struct ew_box_set *set, const struct ew_box *box);

/** Elements in the set. */
uint64_t ew_box_set_volume(const struct ew_box_set *set);

#endif
