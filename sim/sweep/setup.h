/*
 * Setup: a scenario with its files open and its names resolved. Platform, graphs, network model,
 * arrivals; everything a point needs but strategies and engine. One setup serves many points.
 */
#ifndef EW_SWEEP_SETUP_H
#define EW_SWEEP_SETUP_H

#include "engine/engine.h"
#include "model/scenario.h"
#include "plugin/host.h"
#include "results/energy.h"
#include "results/report.h"
#include "sweep/platform_load.h"

/** One workload, opened. */
struct ew_setup_workload {
    const struct ew_workload_spec *spec; /**< the scenario's */
    const char *name;                    /**< "main" when the scenario does not say */
    struct ew_graph *graph;              /**< owned by the first workload that names the file */
    bool owns_graph;
    uint64_t graph_hash;       /**< FNV-1a of what ew_graph_load_file says */
    struct ew_problem problem; /**< what strategies are asked */
    struct ew_arrival arrival;
    double *times_s; /**< of a trace, owned */
    uint64_t n_requests;
};

/** Zero-initialise before ew_setup_open. */
struct ew_setup {
    const struct ew_scenario *scenario; /**< borrowed */
    struct ew_platform *platform;       /**< the shelf's when there is one */
    bool owns_platform;
    struct ew_platform *base; /**< what a supposition was made from, else NULL */
    const struct ew_net_model *net;
    struct ew_dynamics *dynamics; /**< owned; NULL: nothing changes */
    enum ew_energy_rule energy_rule;
    uint32_t n_workloads;
    struct ew_setup_workload *workloads;
};

/** What a failure of ew_setup_open is about, so that a caller can point at it. */
enum ew_setup_part {
    EW_SETUP_PLATFORM,
    EW_SETUP_OVERRIDE,
    EW_SETUP_GRAPH,
    EW_SETUP_SOURCE,
    EW_SETUP_SINK,
    EW_SETUP_ARRIVAL,
    EW_SETUP_COUNTS,
    EW_SETUP_NET,
    EW_SETUP_ENERGY_RULE,
    EW_SETUP_DYNAMICS,
};

struct ew_setup_blame {
    enum ew_setup_part part;
    uint32_t override; /**< EW_SETUP_OVERRIDE: which one; EW_NONE: all of them */
};

/** Open everything. `scenario` must name a platform and graphs by path. EW_EINPUT with what is
 *  wrong and where; EW_EUSAGE when something is not said. Free with ew_setup_fini in any case. */
enum ew_status ew_setup_open(struct ew_setup *setup, const struct ew_scenario *scenario,
                             const struct ew_platform_source *source, struct ew_setup_blame *blame,
                             struct ew_error *err);

/** Accepts a zeroed one. */
void ew_setup_fini(struct ew_setup *setup);

/** Id of a device by name. EW_EINPUT, beginning with `what`, with the nearest name. */
enum ew_status ew_setup_find_device(uint32_t *out, const struct ew_platform *platform,
                                    const char *what, const char *name, struct ew_error *err);

#endif
