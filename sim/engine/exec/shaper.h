/*
 * Shaper: emulated links on one machine. Every link has a clock, "free at", shared by all workers;
 * a message reserves its next chunk on all links of its route and may put it on the wire until
 * then. Flows that share a link take turns chunk by chunk, and their chunks are as their weights,
 * so they share it as a fluid model says, to the grain of a chunk. Times are logical.
 */
#ifndef EW_ENGINE_EXEC_SHAPER_H
#define EW_ENGINE_EXEC_SHAPER_H

#include "model/platform.h"

enum { EW_SHAPER_NAME_BYTES = 64 };

/** A link as it is emulated. */
struct ew_exec_link {
    double bandwidth_bytes_per_s;
    uint32_t is_shared; /**< 0: every flow has it for itself */
    uint32_t reserved;
};

/** The clocks, mapped into every local process. */
struct ew_shaper;

/** Make the shared clocks of `n_links` links, all free at 0; `name` receives what
 *  ew_shaper_open needs. EW_EIO. */
enum ew_status ew_shaper_new(struct ew_shaper **out, char name[EW_SHAPER_NAME_BYTES],
                             uint32_t n_links, struct ew_error *err);

/** Map the clocks made by another process. */
enum ew_status ew_shaper_open(struct ew_shaper **out, const char *name, uint32_t n_links,
                              struct ew_error *err);

/** Take the name away: nobody can open it any more, those who have it keep it. */
void ew_shaper_unlink(const char *name);

void ew_shaper_close(struct ew_shaper *shaper);

/** A message under way, as others on its links must know it. */
struct ew_exec_flow {
    double weight;              /**< > 0: its share of a contended link, relative to others */
    double slowest_bytes_per_s; /**< what its route carries alone */
};

/** The flow takes part in sharing from now on. Not more than a few per link are noticed. */
void ew_shaper_join(struct ew_shaper *shaper, const struct ew_exec_link *links, uint32_t n_route,
                    const uint32_t *route, struct ew_exec_flow flow);

/** It does no more. */
void ew_shaper_leave(struct ew_shaper *shaper, const struct ew_exec_link *links, uint32_t n_route,
                     const uint32_t *route, struct ew_exec_flow flow);

/** What a flow that takes part should reserve next. */
struct ew_exec_chunk {
    double bytes;
    bool is_contended; /**< others take part on one of its links */
};

/** As much as the slowest of the flows that it meets moves in `grain_s` alone, less in proportion
 * when it meets one of more weight. */
struct ew_exec_chunk ew_shaper_chunk(struct ew_shaper *shaper, const struct ew_exec_link *links,
                                     uint32_t n_route, const uint32_t *route,
                                     struct ew_exec_flow flow, double grain_s);

/** Set all clocks back to 0 and forget all flows. */
void ew_shaper_reset(struct ew_shaper *shaper);

/** Reserve `bytes` from `time_s` on on every link of a route (a link named twice is used twice);
 *  returns when the last of them is through. */
double ew_shaper_reserve(struct ew_shaper *shaper, const struct ew_exec_link *links,
                         uint32_t n_route, const uint32_t *route, double time_s, double bytes);

#endif
