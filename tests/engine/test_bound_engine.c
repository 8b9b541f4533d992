/*
 * The lower bound against simulation: on random scenarios no request is faster and no job cheaper
 * than the bound says, whatever the plan.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "plan/bound.h"
#include "results/energy.h"
#include "support/random_pools.h"
#include "support/random_scenario.h"
#include "support/suite.h"

static uint64_t n_scenarios(void)
{
    return test_count(400, 5000, 200);
}

/* What one plan of a scenario did when run alone. */
struct run_facts {
    double latency_s;
    double makespan_s; /* of all jobs */
    double dynamic_j;
    double total_j;
    struct ew_energy *energy;
};

static void watch(void *ctx, const struct ew_event *event)
{
    struct run_facts *facts = ctx;
    (void)ew_energy_event(facts->energy, event);
    if (event->kind == EW_EVENT_REQUEST_DONE || event->kind == EW_EVENT_REQUEST_LATE) {
        facts->latency_s = fmin(facts->latency_s, event->value);
        facts->makespan_s = event->time_s;
    }
}

static struct run_facts simulate(const struct random_scenario *scenario, uint32_t part,
                                 uint32_t plan, const struct ew_net_model *net, uint32_t n_jobs,
                                 uint32_t outstanding)
{
    const struct ew_book *whole = scenario->parts[part].book;
    struct ew_plan *const plans[1] = {whole->plans[plan]};
    const struct ew_book book = {
        .strategy = "", .pick = EW_PICK_ONLY, .n_plans = 1, .plans = plans};
    const struct ew_run_workload workload = {
        .name = "bound",
        .book = &book,
        .task_graphs = &scenario->parts[part].task_graphs[plan],
        .arrival = {.kind = EW_ARRIVAL_CLOSED, .outstanding = outstanding},
        .n_requests = n_jobs,
        .requests_per_job = 1,
        .deadline_s = INFINITY,
    };
    struct run_facts facts = {.latency_s = INFINITY};
    struct ew_error err = {0};
    random_insist(ew_energy_new(&facts.energy, scenario->platform, EW_ENERGY_BOTH, &err) == EW_OK,
                  err.message);
    const struct ew_run run = {
        .platform = scenario->platform,
        .net = net,
        .n_workloads = 1,
        .workloads = &workload,
        .sink = {&facts, watch},
    };
    struct ew_run_facts engine_facts = {0};
    random_insist(ew_engine_fast.run(&engine_facts, &run, &err) == EW_OK, err.message);
    double state_j[EW_POWER_STATE_COUNT];
    ew_energy_total(state_j, facts.energy);
    for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
        facts.total_j += state_j[i];
        facts.dynamic_j += i == EW_POWER_OFF || i == EW_POWER_IDLE ? 0 : state_j[i];
    }
    ew_energy_free(facts.energy);
    return facts;
}

/* Tasks below the grain take no time; each may undercut the bound by a grain. */
static double grain_allowance_s(const struct ew_task_graph *graph)
{
    double sum_s = 1e-8;
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        sum_s += graph->nodes[i].work_s > 0 && graph->nodes[i].work_s < EW_GRAIN_S ? EW_GRAIN_S : 0;
    }
    return sum_s;
}

static uint32_t narrowest_wire(const struct ew_plan *plan, const struct ew_graph *graph)
{
    uint32_t bits = 0;
    for (uint32_t v = 0; v < plan->n_boundary_variants; v++) {
        const uint32_t n = graph->variants[v].graph->n_layers;
        for (uint32_t l = 0; plan->boundaries[v] && l < n; l++) {
            const uint32_t here = plan->boundaries[v][l].wire_bits;
            bits = here && (!bits || here < bits) ? here : bits;
        }
    }
    return bits;
}

static struct ew_bound bound_of(const struct random_scenario *scenario, uint32_t part,
                                uint32_t plan, const struct ew_net_model *net)
{
    const struct ew_plan *subject = scenario->parts[part].book->plans[plan];
    const struct ew_bound_problem problem = {
        .context = &scenario->parts[part].context,
        .batch = subject->batch,
        .source_device = subject->source_device,
        .sink_device = subject->sink_device,
        .latency_factor = net->latency_factor,
        .bandwidth_factor = net->bandwidth_factor,
        .wire_bits = narrowest_wire(subject, scenario->parts[part].graph),
    };
    struct ew_bound bound;
    struct ew_error err = {0};
    random_insist(ew_bound_compute(&bound, &problem, &err) == EW_OK, err.message);
    return bound;
}

/* Gaps, to see on request how tight the bounds are. */
struct tally {
    uint64_t n;
    uint64_t n_tight; /* within 1 % */
    double latency_sum;
    double energy_sum;
};

static void check_plan(const struct random_scenario *scenario, uint32_t part, uint32_t plan,
                       const char *net_id, struct tally *tally)
{
    const struct ew_net_model *net = ew_net_model_find(net_id);
    const struct ew_bound bound = bound_of(scenario, part, plan, net);
    const struct ew_task_graph *graph = scenario->parts[part].task_graphs[plan];
    const double allowance_s = grain_allowance_s(graph);
    const unsigned long long seed = scenario->seed;
    const struct run_facts one = simulate(scenario, part, plan, net, 1, 1);
    double watts = 0;
    for (uint32_t d = 0; d < scenario->platform->n_devices; d++) {
        const struct ew_device *device = &scenario->platform->devices[d];
        watts += device->compute_w + device->tx_w + device->rx_w;
    }
    ck_assert_msg(bound.latency_s <= one.latency_s + allowance_s,
                  "seed %llu plan %u %s: bound %.12g s above latency %.12g s", seed, plan, net_id,
                  bound.latency_s, one.latency_s);
    ck_assert_msg(bound.dynamic_energy_j <= one.dynamic_j + watts * allowance_s,
                  "seed %llu plan %u %s: bound %.12g J above dynamic energy %.12g J", seed, plan,
                  net_id, bound.dynamic_energy_j, one.dynamic_j);
    ck_assert_msg(bound.energy_j <= one.total_j + watts * allowance_s,
                  "seed %llu plan %u %s: bound %.12g J above energy %.12g J", seed, plan, net_id,
                  bound.energy_j, one.total_j);
    const struct run_facts many = simulate(scenario, part, plan, net, 6, 3);
    ck_assert_msg(6 * bound.period_s <= many.makespan_s + 6 * allowance_s,
                  "seed %llu plan %u %s: period bound %.12g s above %.12g s", seed, plan, net_id,
                  bound.period_s, many.makespan_s / 6);
    ck_assert_msg(6 * bound.energy_j <= many.total_j + 6 * watts * allowance_s,
                  "seed %llu plan %u %s: bound %.12g J above energy %.12g J of one of 6 jobs", seed,
                  plan, net_id, bound.energy_j, many.total_j / 6);
    ck_assert_msg(bound.latency_s <= many.latency_s + allowance_s,
                  "seed %llu plan %u %s: bound above latency with 3 jobs in flight", seed, plan,
                  net_id);
    tally->n++;
    tally->n_tight += one.latency_s <= 1.01 * bound.latency_s + 1e-9;
    tally->latency_sum += bound.latency_s / one.latency_s;
    tally->energy_sum += bound.energy_j / one.total_j;
}

/* Frees the scenario. */
static void check_scenario(struct random_scenario *scenario, struct tally *tally)
{
    for (uint32_t part = 0; part < scenario->run.n_workloads; part++) {
        for (uint32_t p = 0; p < scenario->parts[part].book->n_plans; p++) {
            check_plan(scenario, part, p, scenario->seed % 3 ? "ideal" : "tcp", tally);
        }
    }
    random_scenario_free(scenario);
}

START_TEST(bound_is_below_every_simulated_result)
{
    struct tally tally = {0};
    for (uint64_t seed = 1; seed <= n_scenarios(); seed++) {
        check_scenario(random_scenario_new(seed), &tally);
        check_scenario(random_pool_scenario_new(seed), &tally);
    }
    if (getenv("EW_VERBOSE")) {
        printf("%llu plans, %llu within 1 %% of the bound; mean bound/latency %.3f, "
               "bound/energy %.3f\n",
               (unsigned long long)tally.n, (unsigned long long)tally.n_tight,
               tally.latency_sum / (double)tally.n, tally.energy_sum / (double)tally.n);
    }
    ck_assert_uint_gt(tally.n_tight, 0);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("bound_engine");
    TCase *random = tcase_create("random scenarios");
    tcase_set_timeout(random, 600);
    tcase_add_test(random, bound_is_below_every_simulated_result);
    suite_add_tcase(suite, random);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? 0 : 1;
}
