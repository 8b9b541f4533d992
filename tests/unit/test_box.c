#include "model/box.h"

#include "base/rng.h"
#include "support/suite.h"

static struct ew_box rows(int32_t lo, int32_t hi)
{
    return (struct ew_box){{0, 0, lo, 0}, {1, 3, hi, 10}};
}

START_TEST(volume_is_the_product_and_zero_when_empty)
{
    const struct ew_box box = rows(2, 5), empty = rows(4, 4), reversed = rows(5, 2);
    ck_assert_uint_eq(ew_box_volume(&box), 3 * 3 * 10);
    ck_assert_uint_eq(ew_box_volume(&empty), 0);
    ck_assert_uint_eq(ew_box_volume(&reversed), 0);
}
END_TEST

START_TEST(subtraction_of_a_hole_leaves_its_surroundings)
{
    const struct ew_box whole = {{0, 0, 0, 0}, {2, 2, 10, 10}};
    const struct ew_box hole = {{0, 0, 3, 4}, {1, 2, 5, 6}};
    struct ew_box out[2 * EW_DIMS];
    const size_t n = ew_box_subtract(out, &whole, &hole);
    uint64_t volume = 0;
    for (size_t i = 0; i < n; i++) {
        struct ew_box common;
        ck_assert(!ew_box_intersect(&common, &out[i], &hole));
        volume += ew_box_volume(&out[i]);
        for (size_t k = 0; k < i; k++) {
            ck_assert(!ew_box_intersect(&common, &out[i], &out[k]));
        }
    }
    ck_assert_uint_eq(volume, 2 * 2 * 100 - 2 * 2 * 2);
}
END_TEST

START_TEST(subtraction_of_nothing_and_of_everything)
{
    const struct ew_box a = rows(0, 4), apart = rows(6, 8), wide = rows(0, 9);
    struct ew_box out[2 * EW_DIMS];
    ck_assert_uint_eq(ew_box_subtract(out, &a, &apart), 1);
    ck_assert(ew_box_equal(&out[0], &a));
    ck_assert_uint_eq(ew_box_subtract(out, &a, &wide), 0);
}
END_TEST

START_TEST(hull_ignores_empty_operands)
{
    const struct ew_box a = rows(1, 3), b = rows(6, 8), empty = rows(0, 0);
    const struct ew_box both = ew_box_hull(&a, &b), same = ew_box_hull(&empty, &a);
    ck_assert_int_eq(both.lo[EW_H], 1);
    ck_assert_int_eq(both.hi[EW_H], 8);
    ck_assert(ew_box_equal(&same, &a));
}
END_TEST

/* Against counting elements one by one on a 2x3x4x5 grid. */
START_TEST(a_set_of_random_boxes_has_the_volume_of_their_union)
{
    struct ew_rng rng = ew_rng_make(1, "boxes");
    const int32_t shape[EW_DIMS] = {2, 3, 4, 5};
    for (int round = 0; round < 300; round++) {
        bool covered[2][3][4][5] = {0};
        struct ew_box_set set = {0};
        for (int k = 0; k < 8; k++) {
            struct ew_box box;
            for (int d = 0; d < EW_DIMS; d++) {
                box.lo[d] = (int32_t)ew_rng_below(&rng, (uint64_t)shape[d]);
                box.hi[d] = (int32_t)ew_rng_below(&rng, (uint64_t)shape[d] + 1);
            }
            const bool adds = ew_rng_below(&rng, 4) > 0;
            ck_assert(adds ? ew_box_set_add(&set, &box) : ew_box_set_remove(&set, &box));
            for (int32_t n = box.lo[0]; n < box.hi[0]; n++) {
                for (int32_t c = box.lo[1]; c < box.hi[1]; c++) {
                    for (int32_t h = box.lo[2]; h < box.hi[2]; h++) {
                        for (int32_t w = box.lo[3]; w < box.hi[3]; w++) {
                            covered[n][c][h][w] = adds;
                        }
                    }
                }
            }
        }
        uint64_t expected = 0;
        for (int i = 0; i < 2 * 3 * 4 * 5; i++) {
            expected += (&covered[0][0][0][0])[i];
        }
        ck_assert_uint_eq(ew_box_set_volume(&set), expected);
        ew_box_set_fini(&set);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        volume_is_the_product_and_zero_when_empty,
        subtraction_of_a_hole_leaves_its_surroundings,
        subtraction_of_nothing_and_of_everything,
        hull_ignores_empty_operands,
        a_set_of_random_boxes_has_the_volume_of_their_union,
    };
    return run_suite("box", tests, sizeof tests / sizeof *tests);
}
