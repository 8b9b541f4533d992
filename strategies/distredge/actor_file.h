/*
 * Trained actors in files: actor and critic, the best split they came with, and the key of the
 * problem they were trained for. Text, one value per line, so that files can be read and compared.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_ACTOR_FILE_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_ACTOR_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "distredge/osds.h"

/** What a file holds. When loaded, the arrays are owned. */
struct actor_record {
    uint64_t key; /**< of problem, options and seed */
    uint32_t n_volumes;
    uint32_t n_parts;
    double latency_s;
    struct osds_history history;
    uint32_t n_evaluated; /**< how often the host evaluated for it */
    int32_t *cuts;        /**< [volume][part + 1] */
    uint32_t n_actor;
    float *actor; /**< as in struct mlp, for osds_actor_shape(n_parts) */
    uint32_t n_critic;
    float *critic; /**< likewise, for osds_critic_shape */
};

enum actor_outcome {
    ACTOR_OK,
    ACTOR_MISSING, /**< there is no such file */
    ACTOR_FAILED,  /**< the reason is given */
};

/** Write a file, all or nothing. */
enum actor_outcome actor_save(const char *path, const struct actor_record *record, char *reason,
                              size_t reason_size);

/** Remove the actors (files *.actor) of a folder that were written longest ago until at most `keep`
 *  are left. What cannot be removed stays. */
void actor_prune(const char *folder, size_t keep);

/** Read a file. Release with actor_record_fini when ACTOR_OK. */
enum actor_outcome actor_load(struct actor_record *out, const char *path, char *reason,
                              size_t reason_size);
void actor_record_fini(struct actor_record *record);

#endif
