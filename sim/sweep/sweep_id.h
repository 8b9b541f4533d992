/*
 * Identity of a point: a hash of everything that determines its result. Program, scenario, content
 * of graph, platform, device profiles, traces, saved plan and strategy plugin.
 */
#ifndef EW_SWEEP_SWEEP_ID_H
#define EW_SWEEP_SWEEP_ID_H

#include "sweep/reproduce_point.h"
#include "sweep/sweep_context.h"

/** 128 bits in hexadecimal. */
enum { EW_SWEEP_ID_SIZE = 33 };

/** Hashes of combinations of files seen so far. Zero-initialise; free with ew_sweep_ids_fini. */
struct ew_sweep_ids {
    struct ew_repro_hashes hashes;
    struct ew_sweep_id_entry *entries; /* open addressing by key; key 0: free */
    size_t n_entries;
    size_t capacity;
};

struct ew_sweep_id_entry {
    uint64_t key;
    uint64_t files;
};

/** A file that cannot be read counts by the message about it: the point gets an identity, and fails
 *  when it is run. EW_ENOMEM. */
enum ew_status ew_sweep_id(char out[EW_SWEEP_ID_SIZE], struct ew_sweep_ids *ids,
                           const struct ew_sweep_context *context, uint64_t raw,
                           struct ew_error *err);

void ew_sweep_ids_fini(struct ew_sweep_ids *ids);

#endif
