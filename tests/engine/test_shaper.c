/*
 * Emulated links against the shares that SimGrid gives: flows take chunk after chunk as workers do,
 * in logical time, without waiting for it.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "engine/exec/shaper.h"

enum { MAX_FLOWS = 6, MAX_LINKS = 4 };

struct flow {
    uint32_t route[3];
    uint32_t n_route;
    double weight;
    double slowest_bytes_per_s;
    double start_s;
    double bytes;
    /* state */
    double left;
    double at_s;
    double end_s;
};

static struct ew_exec_flow flow_of(const struct flow *f)
{
    return (struct ew_exec_flow){f->weight, f->slowest_bytes_per_s};
}

/* Always the flow whose last chunk is through first asks for its next one. */
static void run_flows(struct flow *flows, uint32_t n, const struct ew_exec_link *links,
                      uint32_t n_links)
{
    char name[EW_SHAPER_NAME_BYTES];
    struct ew_shaper *shaper = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_shaper_new(&shaper, name, n_links, &err) == EW_OK, "%s", err.message);
    ew_shaper_unlink(name);
    for (uint32_t i = 0; i < n; i++) {
        flows[i].left = flows[i].bytes;
        flows[i].at_s = flows[i].start_s;
    }
    for (;;) {
        struct flow *next = NULL;
        for (uint32_t i = 0; i < n; i++) {
            if (flows[i].left > 0 && (!next || flows[i].at_s < next->at_s)) {
                next = &flows[i];
            }
        }
        if (!next) {
            break;
        }
        const struct ew_exec_flow flow = flow_of(next);
        if (next->left == next->bytes) {
            ew_shaper_join(shaper, links, next->n_route, next->route, flow);
        }
        const double bytes =
            fmin(next->left,
                 ew_shaper_chunk(shaper, links, next->n_route, next->route, flow, 0.5e-3).bytes);
        next->at_s =
            ew_shaper_reserve(shaper, links, next->n_route, next->route, next->at_s, bytes);
        next->left -= bytes;
        if (next->left <= 0) {
            next->end_s = next->at_s;
            ew_shaper_leave(shaper, links, next->n_route, next->route, flow);
        }
    }
    ew_shaper_close(shaper);
}

static void check_end(const struct flow *flow, double expected_s, double tolerance)
{
    ck_assert_msg(fabs(flow->end_s - expected_s) <= tolerance * expected_s,
                  "expected %g s, found %g s", expected_s, flow->end_s);
}

/* Two flows of 1 MB on 1 MB/s, latencies 1 and 10 ms: weights 10 : 1. The first ends after 1.1 s,
 * when the second has moved 0.1 MB; that has the link for itself then and ends at 2 s. */
START_TEST(latency_decides_the_share_of_a_link)
{
    const struct ew_exec_link links[] = {{1e6, 1, 0}};
    struct flow flows[] = {
        {.route = {0}, .n_route = 1, .weight = 1e3, .slowest_bytes_per_s = 1e6, .bytes = 1e6},
        {.route = {0}, .n_route = 1, .weight = 1e2, .slowest_bytes_per_s = 1e6, .bytes = 1e6},
    };
    run_flows(flows, 2, links, 1);
    check_end(&flows[0], 1.1, 0.01);
    check_end(&flows[1], 2.0, 0.01);
}
END_TEST

/* Equal weights, each 1 MB: both at half the rate, both through at 2 s. */
START_TEST(equal_flows_share_equally)
{
    const struct ew_exec_link links[] = {{1e6, 1, 0}};
    struct flow flows[] = {
        {.route = {0}, .n_route = 1, .weight = 500, .slowest_bytes_per_s = 1e6, .bytes = 1e6},
        {.route = {0}, .n_route = 1, .weight = 500, .slowest_bytes_per_s = 1e6, .bytes = 1e6},
    };
    run_flows(flows, 2, links, 1);
    check_end(&flows[0], 2.0, 0.01);
    check_end(&flows[1], 2.0, 0.01);
}
END_TEST

/* A: 10 and then 5 MB/s; B: 5 and then 4 MB/s; they meet on the 5. Neither is held up elsewhere, so
 * each gets 2.5 MB/s, although their own slowest links differ: 1 MB takes 0.4 s. */
START_TEST(slowest_links_of_their_own_do_not_change_the_share)
{
    const struct ew_exec_link links[] = {{10e6, 1, 0}, {5e6, 1, 0}, {4e6, 1, 0}};
    struct flow flows[] = {
        {.route = {0, 1}, .n_route = 2, .weight = 500, .slowest_bytes_per_s = 5e6, .bytes = 1e6},
        {.route = {1, 2}, .n_route = 2, .weight = 500, .slowest_bytes_per_s = 4e6, .bytes = 1e6},
    };
    run_flows(flows, 2, links, 3);
    check_end(&flows[0], 0.4, 0.01);
    check_end(&flows[1], 0.4, 0.01);
}
END_TEST

/* B is held to 1 MB/s by a link of its own; A gets the other 4 of the 5 MB/s that they share:
 * A: 4 MB in 1 s; B: 1 MB in 1 s. */
START_TEST(what_one_cannot_use_the_other_gets)
{
    const struct ew_exec_link links[] = {{5e6, 1, 0}, {1e6, 1, 0}};
    struct flow flows[] = {
        {.route = {0}, .n_route = 1, .weight = 500, .slowest_bytes_per_s = 5e6, .bytes = 4e6},
        {.route = {0, 1}, .n_route = 2, .weight = 500, .slowest_bytes_per_s = 1e6, .bytes = 1e6},
    };
    run_flows(flows, 2, links, 2);
    check_end(&flows[0], 1.0, 0.02);
    check_end(&flows[1], 1.0, 0.02);
}
END_TEST

/* A fatpipe is for everyone alone; a link named twice carries every byte twice. */
START_TEST(fatpipes_and_relays)
{
    const struct ew_exec_link links[] = {{1e6, 0, 0}, {1e6, 1, 0}};
    struct flow flows[] = {
        {.route = {0}, .n_route = 1, .weight = 500, .slowest_bytes_per_s = 1e6, .bytes = 1e6},
        {.route = {0}, .n_route = 1, .weight = 500, .slowest_bytes_per_s = 1e6, .bytes = 1e6},
        {.route = {1, 1}, .n_route = 2, .weight = 500, .slowest_bytes_per_s = 5e5, .bytes = 1e6},
    };
    run_flows(flows, 3, links, 2);
    check_end(&flows[0], 1.0, 0.01);
    check_end(&flows[1], 1.0, 0.01);
    check_end(&flows[2], 2.0, 0.01);
}
END_TEST

/* 1 MB/s. Taken from 1 s to 1.5 s; then somebody who is late asks for 0.25 s from 0.5 s on: it was
 * idle. For another second from 0.5 s on 0.25 s are left before, the rest comes after 1.5 s. */
START_TEST(who_asks_late_gets_what_was_idle)
{
    const struct ew_exec_link links[] = {{1e6, 1, 0}};
    const uint32_t route[] = {0};
    char name[EW_SHAPER_NAME_BYTES];
    struct ew_shaper *shaper = NULL;
    struct ew_error err = {0};
    ck_assert(ew_shaper_new(&shaper, name, 1, &err) == EW_OK);
    ew_shaper_unlink(name);
    ck_assert_double_eq_tol(ew_shaper_reserve(shaper, links, 1, route, 1.0, 0.5e6), 1.5, 1e-12);
    ck_assert_double_eq_tol(ew_shaper_reserve(shaper, links, 1, route, 0.5, 0.25e6), 0.75, 1e-12);
    ck_assert_double_eq_tol(ew_shaper_reserve(shaper, links, 1, route, 0.5, 1e6), 2.25, 1e-12);
    ck_assert_double_eq_tol(ew_shaper_reserve(shaper, links, 1, route, 0.0, 0.5e6), 0.5, 1e-12);
    for (int i = 0; i < 100; i++) { /* more gaps than are kept */
        const double end_s = ew_shaper_reserve(shaper, links, 1, route, 10 + i, 0.5e6);
        ck_assert_double_eq_tol(end_s, 10.5 + i, 1e-12);
    }
    ck_assert_double_eq_tol(ew_shaper_reserve(shaper, links, 1, route, 108.5, 0.5e6), 109, 1e-12);
    ew_shaper_close(shaper);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shaper");
    TCase *tcase = tcase_create("reserve");
    tcase_add_test(tcase, latency_decides_the_share_of_a_link);
    tcase_add_test(tcase, equal_flows_share_equally);
    tcase_add_test(tcase, slowest_links_of_their_own_do_not_change_the_share);
    tcase_add_test(tcase, what_one_cannot_use_the_other_gets);
    tcase_add_test(tcase, fatpipes_and_relays);
    tcase_add_test(tcase, who_asks_late_gets_what_was_idle);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
