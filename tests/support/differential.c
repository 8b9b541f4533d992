#include "support/differential.h"

#include <check.h>
#include <math.h>

#include "results/energy.h"

#define REL_TOLERANCE 1e-6

static void ignore(void *ctx, const struct ew_event *event)
{
    (void)ctx;
    (void)event;
}

struct dynamic_scenario dynamic_scenario_new(struct random_scenario *scenario, uint64_t seed,
                                             bool with_noise)
{
    struct dynamic_scenario s = {.scenario = scenario};
    struct ew_rng rng = ew_rng_make(seed, "dynamics");
    struct ew_run_facts facts = {0};
    struct ew_error err = {0};
    s.scenario->run.sink = (struct ew_event_sink){NULL, ignore};
    ck_assert_int_eq(ew_engine_fast.run(&facts, &s.scenario->run, &err), EW_OK);
    s.dynamics = random_dynamics(&rng, s.scenario->platform, facts.end_s, with_noise);
    if (random_chance(&rng, 0.5)) {
        for (uint32_t w = 0; w < s.scenario->run.n_workloads; w++) {
            s.scenario->workloads[w].deadline_s = facts.end_s * random_scale(&rng, 0.01, 1);
        }
    }
    s.scenario->run.dynamics = s.dynamics;
    return s;
}

void dynamic_scenario_free(struct dynamic_scenario *s)
{
    random_scenario_free(s->scenario);
    random_dynamics_free(s->dynamics);
}

/* --- what holds of every run --- */

static void check_counts(uint64_t seed, const char *engine, const struct collect *c)
{
    const uint64_t *n = c->count;
    ck_assert_msg(
        n[EW_EVENT_REQUEST_ARRIVE] == n[EW_EVENT_REQUEST_DONE] + n[EW_EVENT_REQUEST_LATE] +
                                          n[EW_EVENT_REQUEST_DROPPED] + n[EW_EVENT_REQUEST_FAILED],
        "seed %llu: %s: %llu came; %llu done, %llu late, %llu dropped, %llu failed",
        (unsigned long long)seed, engine, (unsigned long long)n[EW_EVENT_REQUEST_ARRIVE],
        (unsigned long long)n[EW_EVENT_REQUEST_DONE], (unsigned long long)n[EW_EVENT_REQUEST_LATE],
        (unsigned long long)n[EW_EVENT_REQUEST_DROPPED],
        (unsigned long long)n[EW_EVENT_REQUEST_FAILED]);
    ck_assert_uint_eq(n[EW_EVENT_JOB_START],
                      n[EW_EVENT_JOB_END] + n[EW_EVENT_JOB_FAILED] + n[EW_EVENT_JOB_MOVED]);
    ck_assert_uint_eq(n[EW_EVENT_TASK_START], n[EW_EVENT_TASK_END] + n[EW_EVENT_TASK_ABORT]);
    ck_assert_uint_eq(n[EW_EVENT_TRANSFER_START],
                      n[EW_EVENT_TRANSFER_END] + n[EW_EVENT_TRANSFER_ABORT]);
    ck_assert_msg(c->n_disorders == 0 && c->n_overlaps == 0,
                  "seed %llu: %s: %llu events out of order, %llu overlaps",
                  (unsigned long long)seed, engine, (unsigned long long)c->n_disorders,
                  (unsigned long long)c->n_overlaps);
}

void run_checked(struct collect *c, const struct ew_engine *engine, uint64_t seed,
                 const struct ew_run *run)
{
    struct ew_error err = {0};
    ck_assert_msg(collect_run(c, engine, *run, &err) == EW_OK, "seed %llu: %s: %s",
                  (unsigned long long)seed, engine->id, err.message);
    check_counts(seed, engine->id, c);
}

/* --- engines --- */

static bool is_close(double a, double b, double scale)
{
    return fabs(a - b) <= REL_TOLERANCE * fmax(scale, fmax(fabs(a), fabs(b))) ||
           (isnan(a) && isnan(b));
}

void expect_same_requests(uint64_t seed, const struct collect *fast, const struct collect *simgrid)
{
    for (uint64_t i = 0; i < fast->first_request[fast->n_workloads]; i++) {
        ck_assert_msg(is_close(fast->latency_s[i], simgrid->latency_s[i], 0) &&
                          is_close(fast->arrival_s[i], simgrid->arrival_s[i], 0),
                      "seed %llu: request %llu: fast %.15g s from %.15g s, simgrid %.15g s from "
                      "%.15g s",
                      (unsigned long long)seed, (unsigned long long)i, fast->latency_s[i],
                      fast->arrival_s[i], simgrid->latency_s[i], simgrid->arrival_s[i]);
    }
}

void expect_same_run(uint64_t seed, const struct collect *fast, const struct collect *simgrid)
{
    expect_same_requests(seed, fast, simgrid);
    for (uint32_t d = 0; d < fast->n_devices; d++) {
        ck_assert_msg(is_close(fast->busy_s[d], simgrid->busy_s[d], fast->facts.end_s),
                      "seed %llu: device %u: busy %.15g s on fast, %.15g s on simgrid",
                      (unsigned long long)seed, d, fast->busy_s[d], simgrid->busy_s[d]);
    }
    /* What ends at the very instant at which its attempt fails may end or be stopped. */
    const bool has_failures = fast->count[EW_EVENT_JOB_FAILED] > 0;
    for (int k = 0; k < EW_EVENT_COUNT; k++) {
        if (has_failures && k >= EW_EVENT_TASK_START && k <= EW_EVENT_TRANSFER_ABORT &&
            k != EW_EVENT_DEVICE_CHANGE && k != EW_EVENT_LINK_CHANGE) {
            continue;
        }
        ck_assert_msg(fast->count[k] == simgrid->count[k],
                      "seed %llu: %llu events %s on fast, %llu on simgrid",
                      (unsigned long long)seed, (unsigned long long)fast->count[k],
                      ew_event_name((enum ew_event_kind)k), (unsigned long long)simgrid->count[k]);
    }
}

void expect_engines_agree(const struct ew_engine *other, struct random_scenario *(*make)(uint64_t),
                          uint64_t n)
{
    uint64_t n_failures = 0, n_lost = 0;
    for (uint64_t seed = 0; seed < n; seed++) {
        struct dynamic_scenario s = dynamic_scenario_new(make(seed), seed, seed % 4 == 3);
        struct collect fast = {0}, simgrid = {0};
        run_checked(&fast, &ew_engine_fast, seed, &s.scenario->run);
        run_checked(&simgrid, other, seed, &s.scenario->run);
        expect_same_run(seed, &fast, &simgrid);
        n_failures += fast.count[EW_EVENT_JOB_FAILED];
        n_lost += fast.count[EW_EVENT_REQUEST_FAILED] + fast.count[EW_EVENT_REQUEST_DROPPED];
        collect_fini(&fast);
        collect_fini(&simgrid);
        dynamic_scenario_free(&s);
    }
    ck_assert_uint_gt(n_failures, n / 2); /* the test meets them */
    ck_assert_uint_gt(n_lost, n / 10);
}

/* --- conservation --- */

struct digest {
    uint64_t hash;
    struct ew_energy *meter;
    double booked_j; /* to tasks and transfers */
    double last_s;
    uint64_t n_early; /* events before their time */
};

static void take_event(void *ctx, const struct ew_event *event)
{
    struct digest *digest = ctx;
    const unsigned char *bytes = (const unsigned char *)event;
    for (size_t i = 0; i < sizeof *event; i++) {
        digest->hash = (digest->hash ^ bytes[i]) * 0x100000001b3u;
    }
    const struct ew_joules joules = ew_energy_event(digest->meter, event);
    digest->booked_j += joules.own_j + joules.peer_j;
    digest->n_early += event->time_s < digest->last_s - EW_GRAIN_S || joules.busy_s < -EW_GRAIN_S;
    digest->last_s = fmax(digest->last_s, event->time_s);
}

static struct digest digest_of(const struct random_scenario *scenario)
{
    struct digest digest = {.hash = 0xcbf29ce484222325u};
    struct ew_error err = {0};
    struct ew_run_facts facts = {0};
    struct ew_run run = scenario->run;
    ck_assert_int_eq(ew_energy_new(&digest.meter, scenario->platform, EW_ENERGY_BOTH, &err), EW_OK);
    run.sink = (struct ew_event_sink){&digest, take_event};
    ck_assert_msg(ew_engine_fast.run(&facts, &run, &err) == EW_OK, "%s", err.message);
    return digest;
}

static void check_energy(uint64_t seed, const struct random_scenario *scenario,
                         const struct digest *digest)
{
    double total_j[EW_POWER_STATE_COUNT], sum_j = 0, dynamic_j = 0, parts_j = 0;
    ew_energy_total(total_j, digest->meter);
    for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
        sum_j += total_j[i];
        dynamic_j += i == EW_POWER_OFF || i == EW_POWER_IDLE ? 0 : total_j[i];
        ck_assert_msg(total_j[i] >= -1e-12, "seed %llu: state %d: %g J", (unsigned long long)seed,
                      i, total_j[i]);
    }
    for (uint32_t d = 0; d < scenario->platform->n_devices; d++) {
        const struct ew_device_meter meter = ew_energy_device(digest->meter, d);
        for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
            parts_j += meter.energy_j[i];
        }
    }
    ck_assert_msg(fabs(sum_j - parts_j) <= 1e-9 * sum_j, "seed %llu: %.15g J, parts %.15g J",
                  (unsigned long long)seed, sum_j, parts_j);
    ck_assert_msg(fabs(dynamic_j - digest->booked_j) <= 1e-9 * sum_j,
                  "seed %llu: above idle %.15g J, booked %.15g J", (unsigned long long)seed,
                  dynamic_j, digest->booked_j);
}

void expect_conservation(struct random_scenario *(*make)(uint64_t), uint64_t n)
{
    for (uint64_t seed = 10000; seed < 10000 + n; seed++) {
        struct dynamic_scenario s = dynamic_scenario_new(make(seed), seed, true);
        struct collect c = {0};
        run_checked(&c, &ew_engine_fast, seed, &s.scenario->run);
        const struct digest a = digest_of(s.scenario), b = digest_of(s.scenario);
        ck_assert_msg(a.hash == b.hash, "seed %llu: two runs differ", (unsigned long long)seed);
        ck_assert_uint_eq(a.n_early, 0);
        check_energy(seed, s.scenario, &a);
        ew_energy_free(a.meter);
        ew_energy_free(b.meter);
        collect_fini(&c);
        dynamic_scenario_free(&s);
    }
}
