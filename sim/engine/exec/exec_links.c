/*
 * The network of a real execution: what workers are told of it, and the coordinator's own clocks of
 * its links, by which it knows when messages have arrived.
 */
#include "engine/exec/exec_links.h"

#include <math.h>
#include <stdlib.h>

#include "engine/exec/exec_internal.h"

struct ew_exec_link exec_link_of(const struct ew_run *run, uint32_t link)
{
    const struct ew_link *of = &run->platform->links[link];
    return (struct ew_exec_link){of->bandwidth_bytes_per_s * run->net->bandwidth_factor,
                                 of->sharing == EW_LINK_SHARED, 0};
}

struct ew_exec_route exec_route_of(const struct ew_run *run, uint32_t from, uint32_t to)
{
    const struct ew_net_model *net = run->net;
    const struct ew_route *route = ew_platform_route(run->platform, from, to);
    return (struct ew_exec_route){
        route->latency_s * net->latency_factor,
        {1 / ew_net_flow_penalty(net, run->platform, route, route->latency_s),
         route->bottleneck_bytes_per_s * net->bandwidth_factor},
        route->n_links,
        route->links,
    };
}

enum ew_status exec_shaper_new(struct ew_shaper **out, char name[EW_SHAPER_NAME_BYTES],
                               const struct ew_run *run, struct ew_error *err)
{
    const struct ew_platform *platform = run->platform;
    const uint32_t n_pairs = platform->n_devices * platform->n_devices;
    uint32_t longest = 1;
    for (uint32_t i = 0; i < n_pairs; i++) {
        longest = platform->routes[i].n_links > longest ? platform->routes[i].n_links : longest;
    }
    return ew_shaper_new(out, name, platform->n_links, n_pairs, longest, err);
}

enum ew_status exec_links_begin(struct exec *exec)
{
    char name[EW_SHAPER_NAME_BYTES];
    const uint32_t n = exec->run->platform->n_links;
    if (!exec->options->is_emulated || exec->options->has_kernel_links) {
        return EW_OK;
    }
    ew_shaper_close(exec->shaper); /* of the part before */
    exec->shaper = NULL;
    free(exec->links);
    exec->links = calloc(n + 1u, sizeof *exec->links);
    if (!exec->links) {
        return ew_fail_memory(&exec->err);
    }
    for (uint32_t i = 0; i < n; i++) {
        exec->links[i] = exec_link_of(exec->run, i);
    }
    const enum ew_status status = exec_shaper_new(&exec->shaper, name, exec->run, &exec->err);
    if (status == EW_OK) {
        ew_shaper_unlink(name); /* nobody else needs it */
    }
    return status;
}

void exec_links_end(struct exec *exec)
{
    ew_shaper_close(exec->shaper);
    free(exec->links);
}

static uint32_t flow_of(const struct exec *exec, uint32_t connection)
{
    const struct ew_connection c = ew_core_connection(exec->core, connection);
    return c.from * exec->n_devices + c.to;
}

void exec_link_message(struct exec *exec, uint32_t connection, uint64_t bytes, double start_s)
{
    const struct ew_connection c = ew_core_connection(exec->core, connection);
    const struct ew_exec_route route = exec_route_of(exec->run, c.from, c.to);
    const struct ew_exec_flow_begin begin = {.flow = route.flow,
                                             .start_s = start_s + route.latency_s,
                                             .bytes = (double)bytes,
                                             .n_route = route.n_links,
                                             .route = route.links};
    (void)ew_shaper_begin(exec->shaper, exec->links, flow_of(exec, connection), &begin);
}

void exec_find_ends(struct exec *exec, double until_s)
{
    while (exec->shaper && exec->heap.count) {
        const struct ew_heap_entry first = *ew_heap_first(&exec->heap);
        struct running *r = &exec->running[first.id];
        if (first.id < exec->first_connection || first.id >= exec->first_workload || r->has_end ||
            first.key > until_s) {
            return;
        }
        const struct ew_exec_progress progress = ew_shaper_progress(
            exec->shaper, exec->links, flow_of(exec, first.id - exec->first_connection), first.key);
        r->has_end = progress.is_over;
        ew_heap_set(&exec->heap, first.id,
                    r->has_end ? fmax(progress.end_s, exec->handled_s) : progress.soon_s);
    }
}
