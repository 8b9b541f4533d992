/*
 * Random scenarios for differential tests, property tests and benches: DAG graphs, platforms, valid
 * plans, arrivals. Everything follows from one seed. Whatever cannot be made ends the program with
 * a message, since it is a bug of the generator or of what it calls.
 */
#ifndef EW_TESTS_RANDOM_SCENARIO_H
#define EW_TESTS_RANDOM_SCENARIO_H

#include <stdbool.h>

#include "base/rng.h"
#include "engine/engine.h"
#include "plan/builder.h"

/* --- parts (random_graph.c, random_platform.c, random_plan.c) --------------------------------- */

/** Convolutions (strided, padded, grouped, dilated), pools, branches with add and concat, fc tails,
 *  and whatever else imported files may have; one to three exits. Tensors of a few hundred
 * elements. Free with ew_graph_free. */
struct ew_graph *random_graph(struct ew_rng *rng);

/** As above with the ops of convolutional networks only, which kernels exist for. */
struct ew_graph *random_plain_graph(struct ew_rng *rng);

/** 2 to 8 devices, all pairs connected: stars, shared media, chains of links, meshes, with equal,
 *  unequal, zero and mixed latencies, equal and unequal speeds, message overheads, fatpipes. All
 *  devices have power. Free with ew_platform_free. */
struct ew_platform *random_platform(struct ew_rng *rng);

/** A valid book of 1 to 3 plans in a random style: single device, row bands, equal bands, columns,
 *  tiles, channels, layer pipelines, fused volumes, images shared out, partial sums, or a mixture;
 *  with random exchange modes, barriers, wire formats and weights modes. Free with ew_book_free. */
struct ew_book *random_book(struct ew_rng *rng, const struct ew_plan_context *context);

/** Uniform integer in [lo, hi]. */
int32_t random_int(struct ew_rng *rng, int32_t lo, int32_t hi);

/** True with the given probability. */
bool random_chance(struct ew_rng *rng, double probability);

/** Between lo and hi (both > 0), uniform in the logarithm. */
double random_scale(struct ew_rng *rng, double lo, double hi);

/** End the program with a message unless is_true. */
void random_insist(bool is_true, const char *what);

/* --- whole scenarios -------------------------------------------------------------------------- */

enum { RANDOM_MAX_WORKLOADS = 2 };

/** One workload with everything it owns. */
struct random_workload {
    struct ew_graph *graph;
    struct ew_plan_context context;
    struct ew_book *book;
    const struct ew_task_graph **task_graphs; /**< per plan, owned */
    double *times_s;                          /**< of a trace, or NULL */
};

/** A scenario that is ready to run; set run.sink. */
struct random_scenario {
    uint64_t seed;
    struct ew_platform *platform;
    struct random_workload parts[RANDOM_MAX_WORKLOADS];
    struct ew_run_workload workloads[RANDOM_MAX_WORKLOADS];
    struct ew_run run; /**< preset ideal */
};

struct random_scenario *random_scenario_new(uint64_t seed);
/** As above, with plain graphs. */
struct random_scenario *random_scenario_new_plain(uint64_t seed);
void random_scenario_free(struct random_scenario *scenario);

#endif
