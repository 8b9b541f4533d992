/*
 * Emulated links against the shares that SimGrid gives, in logical time, without waiting for it.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "engine/exec/shaper.h"
#include "support/suite.h"

enum { MAX_FLOWS = 7 };

struct flow {
    uint32_t route[3];
    uint32_t n_route;
    double weight;
    double slowest_bytes_per_s;
    double start_s;
    double bytes;
    double end_s; /* found */
};

static struct ew_shaper *new_shaper(uint32_t n_links)
{
    char name[EW_SHAPER_NAME_BYTES];
    struct ew_shaper *shaper = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_shaper_new(&shaper, name, n_links, MAX_FLOWS, 3, &err) == EW_OK, "%s",
                  err.message);
    ew_shaper_unlink(name);
    return shaper;
}

static double begin(struct ew_shaper *shaper, const struct ew_exec_link *links, uint32_t id,
                    const struct flow *f)
{
    const struct ew_exec_flow_begin what = {.flow = {f->weight, f->slowest_bytes_per_s},
                                            .start_s = f->start_s,
                                            .bytes = f->bytes,
                                            .n_route = f->n_route,
                                            .route = f->route};
    return ew_shaper_begin(shaper, links, id, &what);
}

static void take_ends(struct ew_shaper *shaper, const struct ew_exec_link *links,
                      struct flow *flows, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct ew_exec_progress p = ew_shaper_progress(shaper, links, i, 1e9);
        ck_assert(p.is_over);
        ck_assert_double_eq(p.bytes, flows[i].bytes);
        flows[i].end_s = p.end_s;
    }
}

static void run_flows(struct flow *flows, uint32_t n, const struct ew_exec_link *links,
                      uint32_t n_links)
{
    struct ew_shaper *shaper = new_shaper(n_links);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_double_eq(begin(shaper, links, i, &flows[i]), 0);
    }
    take_ends(shaper, links, flows, n);
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

/* Two of 1 MB on 1 MB/s; of the second's worker nothing is seen between its beginning and 3 s. Both
 * have had the same share: half of it after 1 s, all after 2 s. */
START_TEST(who_sleeps_keeps_its_share)
{
    const struct ew_exec_link links[] = {{1e6, 1, 0}};
    struct flow flows[] = {
        {.route = {0}, .n_route = 1, .weight = 500, .slowest_bytes_per_s = 1e6, .bytes = 1e6},
        {.route = {0}, .n_route = 1, .weight = 500, .slowest_bytes_per_s = 1e6, .bytes = 1e6},
    };
    struct ew_shaper *shaper = new_shaper(1);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_double_eq(begin(shaper, links, i, &flows[i]), 0);
    }
    struct ew_exec_progress p = {0};
    for (int ms = 0; ms <= 1000; ms++) {
        const double before = p.bytes;
        p = ew_shaper_progress(shaper, links, 0, 1e-3 * ms);
        ck_assert(!p.is_over && p.bytes >= before && p.soon_s > 1e-3 * ms && p.soon_s < 2.001);
    }
    ck_assert_double_eq_tol(p.bytes, 0.5e6, 100);
    p = ew_shaper_progress(shaper, links, 1, 3);
    ck_assert(p.is_over);
    ck_assert_double_eq_tol(p.end_s, 2, 1e-4);
    p = ew_shaper_progress(shaper, links, 0, 3);
    ck_assert(p.is_over);
    ck_assert_double_eq_tol(p.end_s, 2, 1e-4);
    ew_shaper_close(shaper);
}
END_TEST

/* Seven equal ones from one device, as when a layer is scattered: all end together, after 7 x 10
 * ms, each within a round of chunks. */
START_TEST(equal_flows_end_together)
{
    const struct ew_exec_link links[] = {{12.5e6, 1, 0}};
    struct flow flows[MAX_FLOWS];
    for (uint32_t i = 0; i < MAX_FLOWS; i++) {
        flows[i] = (struct flow){.route = {0},
                                 .n_route = 1,
                                 .weight = 500,
                                 .slowest_bytes_per_s = 12.5e6,
                                 .start_s = 0.002,
                                 .bytes = 125e3};
    }
    run_flows(flows, MAX_FLOWS, links, 1);
    for (uint32_t i = 0; i < MAX_FLOWS; i++) {
        ck_assert_double_eq_tol(flows[i].end_s, 0.002 + 0.01 * MAX_FLOWS, 1e-4);
    }
}
END_TEST

/* 1 MB/s, taken by A until 0.5 s and by B from 1 s to 1.5 s. Then C begins, late: 0.25 MB from 0.5
 * s on find the link idle. D needs 1 MB from 0.5 s on, of which 0.25 s are left before B; E begins
 * later than anybody has asked for. */
START_TEST(who_begins_late_gets_what_was_idle)
{
    const struct ew_exec_link links[] = {{1e6, 1, 0}};
    const double starts_s[] = {0, 1, 0.5, 0.5, 4}, bytes[] = {0.5e6, 0.5e6, 0.25e6, 1e6, 1e6};
    const double ends_s[] = {0.5, 1.5, 0.75, 2.25, 5};
    struct ew_shaper *shaper = new_shaper(1);
    for (uint32_t i = 0; i < 5; i++) {
        const struct flow flow = {.route = {0},
                                  .n_route = 1,
                                  .weight = 500,
                                  .slowest_bytes_per_s = 1e6,
                                  .start_s = starts_s[i],
                                  .bytes = bytes[i]};
        const double late_s = begin(shaper, links, i, &flow);
        const struct ew_exec_progress p = ew_shaper_progress(shaper, links, i, 10);
        ck_assert(p.is_over);
        ck_assert_double_eq_tol(p.end_s, ends_s[i], 1e-4);
        ck_assert_double_eq_tol(late_s, i == 2 || i == 3 ? 1 : 0, 1e-3);
    }
    ew_shaper_close(shaper);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("shaper");
    TCase *tcase = tcase_create("reserve");
    tcase_add_test(tcase, latency_decides_the_share_of_a_link);
    tcase_add_test(tcase, equal_flows_share_equally);
    tcase_add_test(tcase, slowest_links_of_their_own_do_not_change_the_share);
    tcase_add_test(tcase, what_one_cannot_use_the_other_gets);
    tcase_add_test(tcase, fatpipes_and_relays);
    tcase_add_test(tcase, who_sleeps_keeps_its_share);
    tcase_add_test(tcase, equal_flows_end_together);
    tcase_add_test(tcase, who_begins_late_gets_what_was_idle);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
