#include <math.h>

#include "support/suite.h"
#include "support/tiny.h"
#include "sweep/override.h"

static struct ew_error err;

static struct ew_override set(enum ew_override_field field, const char *name, double value)
{
    return (struct ew_override){.field = field, .name = name, .value = value, .arg = -1};
}

START_TEST(figures_change_and_routes_follow)
{
    struct ew_platform *p = tiny_star(3);
    uint32_t bad = EW_NONE;
    const struct ew_override overrides[] = {
        set(EW_OVERRIDE_LINK_BANDWIDTH, "*", 5e6),
        set(EW_OVERRIDE_LINK_BANDWIDTH, p->links[0].name, 2e6), /* later ones win */
        set(EW_OVERRIDE_LINK_LATENCY, "*", 0),
        set(EW_OVERRIDE_DEVICE_SPEED, "d1", 4e9),
        set(EW_OVERRIDE_DEVICE_MEMORY, "d2", 12345),
        set(EW_OVERRIDE_DEVICE_OVERHEAD, "d2", 0.25),
        set(EW_OVERRIDE_DEVICE_COMPUTE_W, "*", 7),
    };
    ck_assert_int_eq(ew_platform_override(&p, 7, overrides, &bad, &err), EW_OK);
    ck_assert_double_eq(p->links[0].bandwidth_bytes_per_s, 2e6);
    ck_assert_double_eq(p->links[1].bandwidth_bytes_per_s, 5e6);
    ck_assert_double_eq(p->devices[1].profile->flops_per_s, 4e9); /* the default follows */
    ck_assert_double_eq(p->devices[0].profile->flops_per_s, 1e9);
    ck_assert_uint_eq(p->devices[2].memory_bytes, 12345);
    ck_assert_double_eq(p->devices[2].message_overhead_s, 0.25);
    ck_assert_double_eq(p->devices[0].compute_w, 7);
    for (uint32_t from = 0; from < 3; from++) {
        for (uint32_t to = 0; to < 3; to++) {
            const struct ew_route *route = ew_platform_route(p, from, to);
            ck_assert_uint_eq(route->n_links, from == to ? 0 : 2);
            ck_assert_double_eq(route->latency_s, 0);
        }
    }
    ew_platform_free(p);
}
END_TEST

START_TEST(unknown_names_are_refused_with_the_nearest)
{
    struct ew_platform *p = tiny_star(3);
    uint32_t bad = EW_NONE;
    const struct ew_override overrides[] = {set(EW_OVERRIDE_DEVICE_MEMORY, "d0", 1),
                                            set(EW_OVERRIDE_DEVICE_MEMORY, "d7", 1)};
    ck_assert_int_eq(ew_platform_override(&p, 2, overrides, &bad, &err), EW_EINPUT);
    ck_assert_uint_eq(bad, 1);
    ck_assert_ptr_nonnull(p); /* untouched */
    ck_assert_uint_ne(p->devices[0].memory_bytes, 1);
    ew_platform_free(p);
}
END_TEST

START_TEST(figures_that_do_not_fit_are_refused)
{
    struct ew_platform *p = tiny_star(2);
    uint32_t bad = EW_NONE;
    const struct ew_override idle = set(EW_OVERRIDE_DEVICE_IDLE_W, "d0", 9); /* above computing */
    ck_assert_int_eq(ew_platform_override(&p, 1, &idle, &bad, &err), EW_EINPUT);
    ck_assert_uint_eq(bad, EW_NONE);
    ew_platform_free(p);
}
END_TEST

START_TEST(no_override_changes_nothing)
{
    struct ew_platform *p = tiny_star(2), *same = p;
    uint32_t bad = EW_NONE;
    ck_assert_int_eq(ew_platform_override(&p, 0, NULL, &bad, &err), EW_OK);
    ck_assert_ptr_eq(p, same);
    ew_platform_free(p);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        figures_change_and_routes_follow,
        unknown_names_are_refused_with_the_nearest,
        figures_that_do_not_fit_are_refused,
        no_override_changes_nothing,
    };
    return run_suite("override", tests, sizeof tests / sizeof *tests);
}
