/* The platform as it is at a moment of a run with dynamics. */
#include <math.h>

#include "model/profile_scale.h"
#include "model/world.h"
#include "support/hand.h"
#include "support/suite.h"

static struct ew_error err;

/* Two devices, one link for both directions: 1 MB/s, 1 ms. */
static struct ew_platform *pair(void)
{
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    (void)hand_device(p, 0);
    const uint32_t link = hand_link(p, 1e6, 1e-3);
    hand_route(p, 0, 1, 1, &link);
    hand_route(p, 1, 0, 1, &link);
    return hand_platform_finish(p);
}

static struct ew_signal signal_of(enum ew_quantity quantity, uint32_t target, uint32_t n,
                                  const double *times_s, const double *values)
{
    return (struct ew_signal){
        .quantity = quantity, .target = target, .n_steps = n, .times_s = times_s, .values = values};
}

START_TEST(world_follows_its_signals)
{
    const double bandwidth_times[] = {0, 2, 5}, bandwidths[] = {4e6, 0, 2e6};
    const double latency_times[] = {3}, latencies[] = {0.5};
    const double up_times[] = {6, 7}, ups[] = {0, 1};
    const double speed_times[] = {1, 8}, speeds[] = {0.5, 1};
    const struct ew_signal signals[] = {
        signal_of(EW_QUANTITY_LINK_BANDWIDTH, 0, 3, bandwidth_times, bandwidths),
        signal_of(EW_QUANTITY_LINK_LATENCY, 0, 1, latency_times, latencies),
        signal_of(EW_QUANTITY_DEVICE_UP, 1, 2, up_times, ups),
        signal_of(EW_QUANTITY_DEVICE_SPEED, 0, 2, speed_times, speeds),
    };
    const struct ew_dynamics dynamics = {.n_signals = 4, .signals = signals};
    struct ew_platform *nominal = pair();
    struct ew_world *world = NULL;
    ck_assert_int_eq(ew_world_new(&world, nominal, &dynamics, &err), EW_OK);
    const struct ew_platform *now = NULL;
    ck_assert_int_eq(ew_world_platform(&now, world, &err), EW_OK);
    const double times[] = {1, 2, 3, 5, 6, 7, 8};
    const struct {
        double bandwidth, latency, speed;
        bool has_route;
    } then[] = {{4e6, 1e-3, 0.5, true}, {4e6, 1e-3, 0.5, false}, {4e6, 0.5, 0.5, false},
                {2e6, 0.5, 0.5, true},  {2e6, 0.5, 0.5, false},  {2e6, 0.5, 0.5, true},
                {2e6, 0.5, 1, true}};
    ck_assert_double_eq(now->links[0].bandwidth_bytes_per_s, 4e6);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        ck_assert_double_eq(ew_world_next_s(world), times[i]);
        ew_world_advance(world, times[i]);
        ck_assert_int_eq(ew_world_platform(&now, world, &err), EW_OK);
        const struct ew_route *route = ew_platform_route(now, 0, 1);
        ck_assert_double_eq(now->links[0].bandwidth_bytes_per_s, then[i].bandwidth);
        ck_assert_double_eq(now->links[0].latency_s, then[i].latency);
        ck_assert_int_eq(route->n_links > 0, then[i].has_route);
        if (then[i].has_route) {
            ck_assert_double_eq(route->bottleneck_bytes_per_s, then[i].bandwidth);
            ck_assert_double_eq(route->latency_s, then[i].latency);
        }
        ck_assert_double_eq(now->devices[0].speed_flops_per_s,
                            nominal->devices[0].speed_flops_per_s * then[i].speed);
        ck_assert_double_eq(now->devices[0].profile->flops_per_s,
                            nominal->devices[0].profile->flops_per_s * then[i].speed);
    }
    ck_assert(isinf(ew_world_next_s(world)));
    ck_assert_uint_eq(ew_world_state(world).n_switches, 2);
    ew_world_free(world);
    ew_platform_free(nominal);
}
END_TEST

START_TEST(scaled_profile_takes_the_inverse_of_the_time)
{
    /* Loading has a fixed part and a rate: both count. */
    struct ew_profile *profile = ew_profile_make_rate("p", 1e9);
    struct ew_profile *half = NULL;
    struct ew_term terms[] = {{EW_FEATURE_ONE, 0.25}, {EW_FEATURE_MACS, 1e-9}};
    profile->load_overhead_s = 0.1;
    profile->load_bytes_per_s = 1e6;
    profile->regression[EW_OP_CONV] = (struct ew_regression){2, terms};
    ck_assert_int_eq(ew_profile_scale(&half, profile, 0.5, &err), EW_OK);
    ck_assert_double_eq_tol(ew_cost_load_s(half, 1000000), 2 * ew_cost_load_s(profile, 1000000),
                            1e-12);
    ck_assert_double_eq(half->flops_per_s, 0.5e9);
    ck_assert_double_eq(half->regression[EW_OP_CONV].terms[0].coefficient_s, 0.5);
    ck_assert_double_eq(terms[0].coefficient_s, 0.25);
    ew_profile_free(half);
    ew_profile_free(profile);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        world_follows_its_signals,
        scaled_profile_takes_the_inverse_of_the_time,
    };
    return run_suite("world", tests, sizeof tests / sizeof *tests);
}
