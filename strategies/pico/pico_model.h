/*
 * PICO on plain numbers: cutting a row of blocks into pipeline stages for equal devices, handing
 * real devices out to the stages, and the mean latency of a stream of requests.
 *
 * PICO, "Towards Efficient Inference: Adaptively Cooperate in Heterogeneous IoT Edge Cluster",
 * ICDCS 2021. Knows no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_PICO_MODEL_H
#define EDGEWEAVE_STRATEGIES_PICO_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/** What is to be minimised. */
enum pico_objective {
    PICO_PERIOD,       /**< the slowest stage */
    PICO_LATENCY,      /**< the sum of the stages */
    PICO_MEAN_LATENCY, /**< waiting included, for requests at a given rate (APICO) */
};

/** Everything the dynamic program looks at. */
struct pico_problem {
    uint32_t n_blocks;
    uint32_t n_devices;   /**< equal ones */
    uint32_t most;        /**< devices per stage, 1 .. n_devices */
    const double *time_s; /**< [(first * n_blocks + last) * most + p - 1]: seconds of a stage of
                               blocks first..last on p devices; INFINITY: impossible */
    double limit_s;       /**< on the sum of the stages; INFINITY: none */
    enum pico_objective objective;
    double rate_per_s; /**< mean_latency: arrivals */
};

/** A stage of a pipeline. */
struct pico_stage {
    uint32_t first; /**< blocks */
    uint32_t last;
    uint32_t n_devices;
    double time_s;
};

/** Stages in order. `stages` belongs to the caller, with room for n_blocks. */
struct pico_pipeline {
    struct pico_stage *stages;
    uint32_t n_stages;
    double period_s;
    double latency_s;
};

/** Mean latency when requests arrive at random at `rate_per_s`: one server with fixed service time
 *  `period_s` (M/D/1), and `latency_s` on top, as published. INFINITY when overloaded. */
double pico_mean_latency_s(double period_s, double latency_s, double rate_per_s);

/** What the objective makes of a pipeline. */
double pico_value(enum pico_objective objective, double period_s, double latency_s,
                  double rate_per_s);

/** The best pipeline with a latency within the limit; of equal ones the smaller period, then
 *  the smaller latency, then fewer devices. n_stages is 0 when there is none. False when memory
 * runs out. */
bool pico_cut(struct pico_pipeline *out, const struct pico_problem *problem);

/** Hand n_devices devices, fastest first, to stages: each to the stage with a free place whose
 *  remaining need per free place is the largest; the first of equals. A device with capability c
 *  (1: the mean) takes c * period_s off a need of time_s * n_devices. stage_of[d]: UINT32_MAX when
 *  all places are taken. `need` has room for n_stages, `free_places` too. */
void pico_assign(uint32_t *stage_of, double *need, uint32_t *free_places,
                 const struct pico_pipeline *pipeline, const double *capability,
                 uint32_t n_devices);

#endif
