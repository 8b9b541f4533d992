#include "support/random_scenario.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "plan/lower.h"

void random_insist(bool is_true, const char *what)
{
    if (!is_true) {
        (void)fprintf(stderr, "random scenario: %s\n", what);
        abort();
    }
}

int32_t random_int(struct ew_rng *rng, int32_t lo, int32_t hi)
{
    return lo + (int32_t)ew_rng_below(rng, (uint64_t)(hi - lo) + 1);
}

bool random_chance(struct ew_rng *rng, double probability)
{
    return ew_rng_unit(rng) < probability;
}

double random_scale(struct ew_rng *rng, double lo, double hi)
{
    return lo * pow(hi / lo, ew_rng_unit(rng));
}

/* --- arrivals
 * ------------------------------------------------------------------------------------- */

static double *random_times(struct ew_rng *rng, uint64_t n, double rate_per_s)
{
    double *times_s = malloc(n * sizeof *times_s);
    random_insist(times_s != NULL, "out of memory");
    double at_s = 0;
    for (uint64_t i = 0; i < n; i++) {
        /* bursts: some requests arrive together */
        at_s += random_chance(rng, 0.3) ? 0 : ew_rng_exponential(rng, 1 / rate_per_s);
        times_s[i] = at_s;
    }
    return times_s;
}

static void random_arrival(struct ew_rng *rng, struct random_workload *part,
                           struct ew_run_workload *workload)
{
    struct ew_arrival *arrival = &workload->arrival;
    arrival->rate_per_s = random_scale(rng, 5, 5000);
    switch (random_int(rng, 0, 5)) {
    case 0:
        arrival->kind = EW_ARRIVAL_POISSON;
        break;
    case 1:
        arrival->kind = EW_ARRIVAL_PERIODIC;
        break;
    case 2:
        arrival->kind = EW_ARRIVAL_TRACE;
        arrival->n_times = (uint64_t)random_int(rng, 1, (int32_t)workload->n_requests);
        part->times_s = random_times(rng, arrival->n_times, arrival->rate_per_s);
        arrival->times_s = part->times_s;
        break;
    default:
        arrival->kind = EW_ARRIVAL_CLOSED;
        arrival->outstanding = (uint32_t)random_int(rng, 1, 4);
        break;
    }
}

/* --- workloads
 * ------------------------------------------------------------------------------------ */

static void lower_book(struct random_workload *part, bool merge_chains)
{
    struct ew_lower *lower = ew_lower_new();
    part->task_graphs = calloc(part->book->n_plans, sizeof(struct ew_task_graph *));
    random_insist(lower && part->task_graphs, "out of memory");
    const struct ew_lower_options options = {.merge_chains = merge_chains};
    for (uint32_t p = 0; p < part->book->n_plans; p++) {
        struct ew_task_graph *graph = NULL;
        struct ew_error err = {0};
        random_insist(ew_lower_plan(&graph, lower, &part->context, part->book->plans[p], &options,
                                    &err) == EW_OK,
                      err.message);
        part->task_graphs[p] = graph;
    }
    ew_lower_free(lower);
}

static void make_workload(struct ew_rng *rng, struct random_scenario *scenario, uint32_t w,
                          bool is_alone, bool is_plain)
{
    static const char *const names[] = {"first", "second"};
    struct random_workload *part = &scenario->parts[w];
    struct ew_run_workload *workload = &scenario->workloads[w];
    part->graph = is_plain ? random_plain_graph(rng) : random_graph(rng);
    part->context =
        (struct ew_plan_context){part->graph, scenario->platform, ew_element_bytes_of(part->graph)};
    part->book = random_book(rng, &part->context);
    *workload = (struct ew_run_workload){
        .name = names[w],
        .book = part->book,
        .n_requests = (uint64_t)random_int(rng, 1, 8),
        .requests_per_job = random_chance(rng, 0.5) ? (uint32_t)part->book->plans[0]->batch : 1,
        .deadline_s = random_chance(rng, 0.5) ? INFINITY : random_scale(rng, 1e-3, 1),
    };
    random_arrival(rng, part, workload);
    /* merging is sound with one job in flight only */
    const bool has_one_job = is_alone && workload->arrival.kind == EW_ARRIVAL_CLOSED &&
                             workload->arrival.outstanding == 1;
    lower_book(part, has_one_job && random_chance(rng, 0.5));
    workload->task_graphs = part->task_graphs;
}

static struct random_scenario *make_scenario(uint64_t seed, bool is_plain)
{
    struct random_scenario *scenario = calloc(1, sizeof *scenario);
    random_insist(scenario != NULL, "out of memory");
    struct ew_rng rng = ew_rng_make(seed, "random scenario");
    scenario->seed = seed;
    scenario->platform = random_platform(&rng);
    const uint32_t n = random_chance(&rng, 0.75) ? 1 : RANDOM_MAX_WORKLOADS;
    for (uint32_t w = 0; w < n; w++) {
        make_workload(&rng, scenario, w, n == 1, is_plain);
    }
    scenario->run = (struct ew_run){
        .platform = scenario->platform,
        .net = ew_net_model_find("ideal"),
        .n_workloads = n,
        .workloads = scenario->workloads,
        .seed = seed,
    };
    return scenario;
}

struct random_scenario *random_scenario_new(uint64_t seed)
{
    return make_scenario(seed, false);
}

struct random_scenario *random_scenario_new_plain(uint64_t seed)
{
    return make_scenario(seed, true);
}

void random_scenario_free(struct random_scenario *scenario)
{
    for (uint32_t w = 0; scenario && w < scenario->run.n_workloads; w++) {
        struct random_workload *part = &scenario->parts[w];
        for (uint32_t p = 0; p < part->book->n_plans; p++) {
            ew_task_graph_free((struct ew_task_graph *)part->task_graphs[p]);
        }
        free(part->task_graphs);
        free(part->times_s);
        ew_book_free(part->book);
        ew_graph_free(part->graph);
    }
    if (scenario) {
        ew_platform_free(scenario->platform);
    }
    free(scenario);
}
