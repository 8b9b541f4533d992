/* AOFL: published regressions and ranking. */
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "aofl/aofl_model.h"
#include "support/suite.h"

START_TEST(conv_regression_gives_the_published_numbers)
{
    /* VGG-16 conv1_1: 3 x 224 x 224 elements, 3x3/1 with 64 filters:
     * 0.1049 + 8.736e-7 * 150528 + 4.246e-4 * 576 = 0.1049 + 0.1315013 + 0.2445696 */
    const struct aofl_conv_model *vgg = aofl_conv_model_find("vgg16");
    ck_assert_ptr_nonnull(vgg);
    ck_assert_double_eq_tol(aofl_conv_s(vgg, 150528, 576), 0.4809709, 1e-7);
    /* YOLOv2 conv1: 3 x 608 x 608, 3x3/1, 32 filters: -0.03344 + 0.7158543 + 0.0448992 */
    const struct aofl_conv_model *yolo = aofl_conv_model_find("yolov2");
    ck_assert_double_eq_tol(aofl_conv_s(yolo, 3.0 * 608 * 608, 9 * 32), 0.7273135, 1e-6);
}
END_TEST

START_TEST(pool_regression_gives_the_published_numbers)
{
    /* VGG-16 pool1: 0.0354664 - 2.746e-4 * 224^2 + 1.1031e-3 * 112^2 */
    ck_assert_double_eq_tol(aofl_pool_s(224.0 * 224, 112.0 * 112), 0.0944232, 1e-7);
}
END_TEST

START_TEST(regressions_never_go_below_zero)
{
    ck_assert_double_eq(aofl_conv_s(aofl_conv_model_find("alexnet"), 1, 1), 0.0);
    ck_assert_double_eq(aofl_pool_s(1e6, 1), 0.0);
}
END_TEST

START_TEST(unknown_sets_are_not_found)
{
    ck_assert_ptr_null(aofl_conv_model_find("resnet50"));
}
END_TEST

START_TEST(ranking_goes_by_clock_then_bandwidth_then_number)
{
    struct aofl_rank ranks[] = {
        {0, 1.0, INFINITY}, {1, 2.0, 50.0}, {2, 2.0, 300.0}, {3, 2.0, 50.0}, {4, 3.0, 1.0}};
    const uint32_t expected[] = {4, 2, 1, 3, 0};
    aofl_sort(ranks, 5);
    for (int i = 0; i < 5; i++) {
        ck_assert_uint_eq(ranks[i].device, expected[i]);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {conv_regression_gives_the_published_numbers,
                                  pool_regression_gives_the_published_numbers,
                                  regressions_never_go_below_zero, unknown_sets_are_not_found,
                                  ranking_goes_by_clock_then_bandwidth_then_number};
    return run_suite("aofl", tests, sizeof tests / sizeof *tests);
}
