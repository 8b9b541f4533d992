/*
 * Setup: what a worker is told before anything runs: which device it is, which kernels and weights
 * to use, and the network it emulates.
 */
#ifndef EW_ENGINE_EXEC_SETUP_H
#define EW_ENGINE_EXEC_SETUP_H

#include "base/arena.h"
#include "base/text.h"
#include "engine/exec/shaper.h"

enum { EW_KERNELS_ID_BYTES = 32 };

/** The way to another device. */
struct ew_exec_route {
    double latency_s;
    struct ew_exec_flow flow; /**< of a message on it */
    uint32_t n_links;         /**< 0: none */
    const uint32_t *links;
};

struct ew_exec_setup {
    uint32_t device;
    uint32_t n_devices;
    uint32_t n_programs;
    uint32_t is_emulated;      /**< links are paced; else they are what they are */
    uint32_t has_kernel_links; /**< bytes are paced by the kernel, and arrive when they arrive */
    uint32_t is_survivor; /**< the loss of another worker is survived: a new run follows this one */
    uint32_t processor;   /**< that computes; EW_NONE: whichever is free */
    uint64_t weight_seed;
    uint64_t input_seed; /**< the source makes the inputs of jobs */
    char kernels[EW_KERNELS_ID_BYTES];
    char shaper[EW_SHAPER_NAME_BYTES]; /**< "" when not emulated */
    uint32_t n_links;
    const struct ew_exec_link *links;
    const struct ew_exec_route *routes; /**< per device, from this one */
};

/** Append as bytes. Check out->failed. */
void ew_exec_setup_put(struct ew_str *out, const struct ew_exec_setup *setup);

/** From bytes; arrays live in `arena`. EW_EINPUT when they are not a setup. */
enum ew_status ew_exec_setup_get(struct ew_exec_setup *out, struct ew_arena *arena,
                                 const char *bytes, size_t size, struct ew_error *err);

#endif
