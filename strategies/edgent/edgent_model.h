/*
 * Edgent on plain numbers: the paper's latency regressions, the latency of a partition point, and
 * Algorithm 1 (joint choice of exit and partition point).
 *
 * Li, Zhou, Chen: "Edge Intelligence: On-Demand Deep Learning Model Co-Inference with Device-Edge
 * Synergy", MECOMM 2018, arXiv:1806.07840v2. Knows no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_EDGENT_MODEL_H
#define EDGEWEAVE_STRATEGIES_EDGENT_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* ------------------------------------------------------------------ Table II */

/** Layer types with a regression. */
enum edgent_op {
    EDGENT_CONV,
    EDGENT_RELU,
    EDGENT_POOL,
    EDGENT_LRN,
    EDGENT_DROPOUT,
    EDGENT_FC,
    EDGENT_OP_COUNT
};

/** Who computes. */
enum edgent_side { EDGENT_SERVER, EDGENT_DEVICE, EDGENT_SIDE_COUNT };

/** What the size variables count. */
enum edgent_unit { EDGENT_BYTES, EDGENT_ELEMENTS };

/** One layer as the regressions see it. */
struct edgent_layer {
    enum edgent_op op;
    double input_elements;
    double output_elements;
    double filter_ratio; /**< conv: (filter size / stride)^2 */
    double filters;      /**< conv: number of filters */
};

/** Predicted seconds of a layer (Table II, with its two column heads exchanged); never negative. */
double edgent_layer_s(const struct edgent_layer *layer, enum edgent_side side,
                      enum edgent_unit unit);

/** Predicted seconds for loading a model. */
double edgent_load_s(double model_bytes, enum edgent_side side);

/* ------------------------------------------------------------------ Algorithm 1 */

/** The sub-model of one exit. Arrays are borrowed; layer k (from 0) is the paper's layer k + 1. */
struct edgent_exit {
    uint32_t n_layers;
    const double *layer_s[EDGENT_SIDE_COUNT]; /**< n_layers each */
    const double *output_bytes;               /**< n_layers: what layer k puts on the wire */
    const bool *can_cut; /**< n_layers: cutting behind layer k severs one tensor */
    double answer_bytes; /**< to the device when the server ends; 0: neglected, as in the paper */
    /** n_layers + 1: seconds for loading weights when the first k layers run on the front side. */
    const double *load_s[EDGENT_SIDE_COUNT];
};

/** Seconds of a message of `bytes`: message_s + bytes * byte_s. */
struct edgent_wire {
    double message_s;
    double byte_s;
};

/** Which partition point of an exit is taken. */
enum edgent_selection {
    EDGENT_ARGMIN,         /**< the fastest (the paper's Algorithm 1) */
    EDGENT_FIRST_FEASIBLE, /**< the first that meets the deadline, from p = 1 */
};

/** Everything Algorithm 1 looks at. */
struct edgent_problem {
    uint32_t n_exits; /**< ascending accuracy */
    const struct edgent_exit *exits;
    double input_bytes;
    struct edgent_wire up;   /**< device to server */
    struct edgent_wire down; /**< server to device */
    bool is_device_first;    /**< false (the paper): the server runs layers 1..p-1 */
    bool is_alone;           /**< there is no server: only the device can compute */
    double deadline_s;       /**< INFINITY: none */
    enum edgent_selection selection;
    double
        device_only_exit1_s; /**< forced latency of the first exit on the device alone; 0: none */
};

/** A decision. */
struct edgent_choice {
    uint32_t exit;
    uint32_t p; /**< 1..n_layers + 1 */
    double latency_s;
    bool meets_deadline;
};

/** Latency A(exit, p); INFINITY when the network cannot be cut there, or needs a server that is not
 *  there. p in 1..n_layers + 1. */
double edgent_latency_s(const struct edgent_problem *problem, uint32_t exit, uint32_t p);

/** Algorithm 1. When no exit meets the deadline (the paper's NULL): the first exit at its fastest
 *  point, meets_deadline false. */
struct edgent_choice edgent_choose(const struct edgent_problem *problem);

#endif
