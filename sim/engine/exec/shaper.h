/*
 * Shaper: emulated links on one machine. Every link has a clock, "free at"; a message under way
 * reserves its next chunk on all links of its route and may put it on the wire until then. Flows
 * that share a link take turns chunk by chunk, and their chunks are as their weights, so they share
 * it as a fluid model says, to the grain of a chunk. Times are logical.
 *
 * Clocks and flows are in memory that all workers share. Whoever looks first takes the turns of all
 * flows that are due, in the order of time, so a worker that sleeps does not lose its share. Only
 * one that begins a message late, when others have taken turns after its beginning, does.
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

/** What all local processes map. */
struct ew_shaper;

/** Make the shared clocks of `n_links` links, all free at 0, for flows 0 to `n_flows` - 1 with
 *  routes of at most `n_route` links; `name` receives what ew_shaper_open needs. EW_EIO. */
enum ew_status ew_shaper_new(struct ew_shaper **out, char name[EW_SHAPER_NAME_BYTES],
                             uint32_t n_links, uint32_t n_flows, uint32_t n_route,
                             struct ew_error *err);

/** Map the clocks made by another process. */
enum ew_status ew_shaper_open(struct ew_shaper **out, const char *name, uint32_t n_links,
                              uint32_t n_flows, struct ew_error *err);

/** Take the name away: nobody can open it any more, those who have it keep it. */
void ew_shaper_unlink(const char *name);

void ew_shaper_close(struct ew_shaper *shaper);

/** How a message takes part in sharing, as others on its links must know it. */
struct ew_exec_flow {
    double weight;              /**< > 0: its share of a contended link, relative to others */
    double slowest_bytes_per_s; /**< what its route carries alone */
};

struct ew_exec_flow_begin {
    struct ew_exec_flow flow;
    double start_s; /**< of its first byte */
    double bytes;
    uint32_t n_route;
    const uint32_t *route; /**< a link named twice is used twice */
};

/** Flow `id`, which must have ended, begins. Returns how late this is: by how much others on its
 *  links have taken turns after start_s. A route that is too long is cut. */
double ew_shaper_begin(struct ew_shaper *shaper, const struct ew_exec_link *links, uint32_t id,
                       const struct ew_exec_flow_begin *begin);

struct ew_exec_progress {
    double bytes;  /**< through by now */
    double end_s;  /**< when the last byte was through, if it is */
    double soon_s; /**< else: not all of it will be through before this */
    bool is_over;
};

/** Let all flows take their turns until `now_s`, and say how far one of them is. */
struct ew_exec_progress ew_shaper_progress(struct ew_shaper *shaper,
                                           const struct ew_exec_link *links, uint32_t id,
                                           double now_s);

#endif
