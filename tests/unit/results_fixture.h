/*
 * A small world for tests of sim/results: three devices, a four-layer network with two exits and a
 * narrow variant, two hand-made plans with their task graphs, and short ways to write events.
 */
#ifndef EW_TESTS_RESULTS_FIXTURE_H
#define EW_TESTS_RESULTS_FIXTURE_H

#include "engine/engine.h"
#include "results/metrics.h"

/** A device of a test platform; node NULL: of its own. */
struct fixture_device {
    const char *name;
    const char *node;
    double off_w, idle_w, compute_w, tx_w, rx_w;
    bool lacks_power;
};

/** Platform with a link between every pair. Aborts the test on failure. */
struct ew_platform *fixture_platform(const struct fixture_device *devices, uint32_t n);

/* Layers of the test network (variant 0): conv1 and conv2 are 4 channels x 8 rows x 8 columns. */
enum { FIX_INPUT, FIX_CONV1, FIX_CONV2, FIX_FC, FIX_LAYERS };

/* Nodes of both plans' task graphs. */
enum {
    FIX_N_INPUT,
    FIX_N_CONV1,  /* on device 0 */
    FIX_N_SEND,   /* conv1's output from device 0 to device 1, read by conv2 */
    FIX_N_CONV2,  /* conv2 and fc, merged, on device 1 */
    FIX_N_ANSWER, /* fc's output from device 1 back to device 0 */
    FIX_N_RESULT,
    FIX_NODES
};

/** One workload named "camera" with a book of two plans ("wide": exit full, accuracy 0.8; "narrow":
 *  variant 1, exit full, accuracy 0.6). Fields may be changed before use. */
struct fixture {
    struct ew_platform *platform;
    struct ew_graph *graph;
    struct ew_plan_context context;
    struct ew_segment segments[2];
    struct ew_note note;
    struct ew_plan plans[2];
    struct ew_plan *plan_pointers[2];
    struct ew_book book;
    struct ew_task_node nodes[FIX_NODES];
    struct ew_task_info infos[FIX_NODES];
    struct ew_device_load loads[2][3];
    struct ew_task_graph task_graphs[2];
    const struct ew_task_graph *task_graph_pointers[2];
    struct ew_run_workload workloads[2]; /* the second one is a copy called "other" */
    struct ew_metrics_workload asked[2];
    struct ew_run run; /* n_workloads 1 */
    struct ew_run_labels labels;
};

void fixture_init(struct fixture *fixture);
void fixture_fini(struct fixture *fixture);

/** All ids EW_NONE, workload 0. */
struct ew_event fixture_event(enum ew_event_kind kind, double time_s);

/* One event into a sink. */
void fixture_arrive(struct ew_event_sink sink, double time_s, uint32_t workload, uint64_t request,
                    double deadline_s);
/** Ends a request: value is the latency. `job` and `plan` as given. */
void fixture_end(struct ew_event_sink sink, enum ew_event_kind kind, double time_s,
                 uint32_t workload, uint64_t request, uint64_t job, uint32_t plan,
                 double latency_s);
void fixture_job(struct ew_event_sink sink, enum ew_event_kind kind, double time_s,
                 uint32_t workload, uint64_t request, uint64_t n_requests, uint64_t job,
                 uint32_t plan);
/** Start and end of a computing node of the task graph. */
void fixture_task(struct ew_event_sink sink, const struct fixture *fixture, double start_s,
                  double end_s, uint32_t workload, uint64_t job, uint32_t plan, uint32_t node);
/** Start, flow and end of a message node. */
void fixture_transfer(struct ew_event_sink sink, const struct fixture *fixture, double start_s,
                      double flow_s, double end_s, uint32_t workload, uint64_t job, uint32_t plan,
                      uint32_t node);

/** A whole job of one request: conv1 [t, t+1], transfer starts t+1, flows [t+1.5, t+2.5], conv2
 *  [t+2.5, t+4.5], answer flows [t+4.5, t+5]; done at t+5, latency 5 s. */
void fixture_serve(struct ew_event_sink sink, const struct fixture *fixture, double time_s,
                   uint32_t workload, uint64_t request, uint64_t job, uint32_t plan);

#endif
