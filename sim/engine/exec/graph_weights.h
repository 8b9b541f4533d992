/*
 * Weights of one graph for who computes it whole on this machine: those of its file, or random
 * ones.
 */
#ifndef EW_ENGINE_EXEC_GRAPH_WEIGHTS_H
#define EW_ENGINE_EXEC_GRAPH_WEIGHTS_H

#include "engine/exec/model_weights.h"
#include "engine/exec/random_weights.h"

/** Zero-initialised is valid and closed. Must stay where it is while sources are used. */
struct ew_graph_weights {
    struct ew_random_weights random;
    struct ew_arena arena;
    struct ew_weight_table table;
    struct ew_model_weights *model; /**< NULL: random */
};

/** What a run with these options would compute with: see ew_exec_options.has_random_weights and
 *  weights_path. Close also after a failure. */
enum ew_status ew_graph_weights_open(struct ew_graph_weights *out, const struct ew_graph *graph,
                                     bool is_random, const char *path, uint64_t seed,
                                     struct ew_error *err);

/** A source that borrows `weights`. */
struct ew_weight_source ew_graph_weights_source(const struct ew_graph_weights *weights);

void ew_graph_weights_close(struct ew_graph_weights *weights);

#endif
