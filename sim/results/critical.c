#include "results/critical.h"

#include <math.h>
#include <stdlib.h>

static const char *const NAMES[] = {
#define X(name, text, words) text,
    EW_PATH_PART_MAP(X)
#undef X
};
static const char *const WORDS[] = {
#define X(name, text, words) words,
    EW_PATH_PART_MAP(X)
#undef X
};

const char *ew_path_part_name(enum ew_path_part_kind kind)
{
    return NAMES[kind];
}

const char *ew_path_part_words(enum ew_path_part_kind kind)
{
    return WORDS[kind];
}

struct ew_critical ew_critical_begin(uint32_t workload, uint64_t request)
{
    return (struct ew_critical){
        .workload = workload,
        .request = request,
        .job = UINT64_MAX,
        .plan = EW_NONE,
        .arrival_s = NAN,
        .start_s = NAN,
        .end_s = NAN,
    };
}

void ew_critical_fini(struct ew_critical *critical)
{
    ew_vec_fini(&critical->nodes);
    ew_vec_fini(&critical->parts);
}

/* --- collecting --------------------------------------------------------------------------------
 */

static struct ew_node_times *times_of(struct ew_critical *c, uint32_t node)
{
    static const struct ew_node_times none = {NAN, NAN, NAN, NAN, EW_NONE, EW_NONE};
    while (node >= c->nodes.count) {
        if (!ew_vec_push(&c->nodes, none)) {
            c->ran_out_of_memory = true;
            return NULL;
        }
    }
    return &c->nodes.items[node];
}

static void take_node(struct ew_critical *c, const struct ew_event *event)
{
    struct ew_node_times *times = times_of(c, event->node);
    if (!times) {
        return;
    }
    times->device = event->device;
    times->peer = event->peer;
    switch (event->kind) {
    case EW_EVENT_SEND_START:
        times->send_s = event->time_s;
        break;
    case EW_EVENT_TASK_START:
    case EW_EVENT_TRANSFER_START:
        times->start_s = event->time_s;
        break;
    case EW_EVENT_TRANSFER_FLOW:
        times->flow_s = event->time_s;
        break;
    case EW_EVENT_TASK_END:
    case EW_EVENT_TRANSFER_END:
        times->end_s = event->time_s;
        break;
    default:
        break;
    }
}

static void observe(void *ctx, const struct ew_event *event, const struct ew_joules *joules)
{
    struct ew_critical *c = ctx;
    (void)joules;
    if (event->workload != c->workload || isfinite(c->end_s)) {
        return;
    }
    if (event->kind == EW_EVENT_REQUEST_ARRIVE && event->request == c->request) {
        c->arrival_s = event->time_s;
    } else if (event->kind == EW_EVENT_JOB_START && event->request <= c->request &&
               c->request - event->request < event->bytes) {
        c->job = event->job; /* another attempt forgets the one before */
        c->plan = event->plan;
        c->start_s = event->time_s;
        c->nodes.count = 0;
    } else if ((event->kind == EW_EVENT_REQUEST_DONE || event->kind == EW_EVENT_REQUEST_LATE) &&
               event->request == c->request) {
        c->end_s = event->time_s;
    } else if (event->kind >= EW_EVENT_TASK_START && event->kind <= EW_EVENT_TRANSFER_END &&
               event->job == c->job) {
        take_node(c, event);
    }
}

struct ew_event_observer ew_critical_observer(struct ew_critical *critical)
{
    return (struct ew_event_observer){critical, observe};
}

/* --- walking -----------------------------------------------------------------------------------
 */

uint32_t ew_route_bottleneck(const struct ew_platform *platform, const struct ew_route *route)
{
    uint32_t best = EW_NONE;
    double best_rate = INFINITY;
    for (uint32_t i = 0; i < route->n_links; i++) {
        uint32_t times_named = 0;
        for (uint32_t k = 0; k < route->n_links; k++) {
            times_named += route->links[k] == route->links[i];
        }
        const double rate = platform->links[route->links[i]].bandwidth_bytes_per_s / times_named;
        if (rate < best_rate) {
            best_rate = rate;
            best = route->links[i];
        }
    }
    return best;
}

struct walk {
    struct ew_critical *c;
    const struct ew_task_graph *graph;
    const struct ew_platform *platform;
    const struct ew_net_model *net;
    double *finish_s;      /* per node */
    uint32_t *predecessor; /* per node: of those it waits for, the one that finished last */
    double at_s;           /* the path is known from here on */
};

static double clamp(double x, double low, double high)
{
    return !(x > low) ? low : x < high ? x : high;
}

/* Nodes stand in topological order: one pass finds when each finished and what it waited for. */
static void find_predecessors(struct walk *w)
{
    const struct ew_task_graph *graph = w->graph;
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        w->predecessor[n] = EW_NONE;
        w->finish_s[n] = w->c->start_s;
    }
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        const struct ew_task_node *node = &graph->nodes[n];
        if (node->kind != EW_NODE_JOIN) { /* finish_s was the time at which it became ready */
            const double end_s = n < w->c->nodes.count ? w->c->nodes.items[n].end_s : NAN;
            w->finish_s[n] = isfinite(end_s) && end_s > w->finish_s[n] ? end_s : w->finish_s[n];
        }
        for (uint32_t s = node->successors_begin; s < node->successors_end; s++) {
            const uint32_t next = graph->successors[s];
            if (w->predecessor[next] == EW_NONE || w->finish_s[n] > w->finish_s[next]) {
                w->predecessor[next] = n;
            }
            w->finish_s[next] = fmax(w->finish_s[next], w->finish_s[n]);
        }
    }
}

/* Put a part in front of the path that begins at `begin_s`, unless it is empty. */
static void put_part(struct walk *w, struct ew_path_part part, double begin_s)
{
    part.begin_s = begin_s;
    part.end_s = w->at_s;
    if (begin_s < w->at_s) {
        w->c->ran_out_of_memory |= !ew_vec_push(&w->c->parts, part);
        w->at_s = begin_s;
    }
}

/* Where a node ran: chains in pools are bound as they run. */
static uint32_t device_of(const struct walk *w, uint32_t n)
{
    return n < w->c->nodes.count && w->c->nodes.items[n].device != EW_NONE
               ? w->c->nodes.items[n].device
               : w->graph->nodes[n].device;
}

/* Rows of a task's box, and those of them that some other device computes, too. */
static void count_rows(struct ew_path_part *part, const struct walk *w)
{
    const struct ew_task_info *mine = &w->graph->info[part->node];
    if (ew_box_is_empty(&mine->box)) {
        return;
    }
    for (int32_t row = mine->box.lo[EW_H]; row < mine->box.hi[EW_H]; row++) {
        struct ew_box line = mine->box;
        bool is_again = false;
        line.lo[EW_H] = row;
        line.hi[EW_H] = row + 1;
        for (uint32_t n = 0; n < w->graph->n_nodes && !is_again; n++) {
            const struct ew_task_info *other = &w->graph->info[n];
            struct ew_box both;
            if (w->graph->nodes[n].kind == EW_NODE_COMPUTE && other->layer == mine->layer &&
                other->segment == mine->segment && device_of(w, n) != part->device) {
                is_again = ew_box_intersect(&both, &other->box, &line);
            }
        }
        part->rows++;
        part->redundant_rows += is_again;
    }
}

static void put_task(struct walk *w, uint32_t n, double ready_s)
{
    const struct ew_task_node *node = &w->graph->nodes[n];
    const struct ew_node_times *times = &w->c->nodes.items[n];
    struct ew_path_part part = {.kind = node->kind == EW_NODE_LOAD ? EW_PATH_PART_LOAD
                                                                   : EW_PATH_PART_COMPUTE,
                                .node = n,
                                .device = device_of(w, n),
                                .peer = EW_NONE,
                                .link = EW_NONE};
    const double start_s = clamp(times->start_s, ready_s, w->at_s);
    if (part.kind == EW_PATH_PART_COMPUTE && start_s < w->at_s) {
        count_rows(&part, w);
    }
    put_part(w, part, start_s);
    part.kind = EW_PATH_PART_DEVICE_WAIT;
    part.rows = part.redundant_rows = 0;
    put_part(w, part, ready_s);
}

/* Backwards: contention, bytes, latency, wait for the connection, overhead, wait for the send
 * thread. */
static void put_message(struct walk *w, uint32_t n, double ready_s)
{
    const struct ew_task_node *node = &w->graph->nodes[n];
    const struct ew_node_times *times = &w->c->nodes.items[n];
    if (times->device == EW_NONE) {
        return; /* nothing was sent: the holder of a pool took its own chain */
    }
    const struct ew_route *route = ew_platform_route(w->platform, times->device, times->peer);
    struct ew_path_part part = {.node = n,
                                .device = times->device,
                                .peer = times->peer,
                                .link = ew_route_bottleneck(w->platform, route)};
    const double alone_s =
        (double)node->bytes / (route->bottleneck_bytes_per_s * w->net->bandwidth_factor);
    const double start_s = clamp(times->start_s, ready_s, w->at_s);
    const double flow_s = clamp(times->flow_s, start_s, w->at_s);
    const double send_s = clamp(times->send_s, ready_s, start_s);
    const double sent_s = clamp(
        times->send_s + w->platform->devices[times->device].message_overhead_s, send_s, start_s);
    const double narrow_s = clamp(flow_s + alone_s, flow_s, w->at_s);
    part.kind = EW_PATH_PART_CONTENTION;
    put_part(w, part, w->at_s - narrow_s > EW_GRAIN_S ? narrow_s : w->at_s);
    part.kind = EW_PATH_PART_TRANSFER;
    put_part(w, part, flow_s);
    part.kind = EW_PATH_PART_LATENCY;
    put_part(w, part, start_s);
    const bool is_steal = w->graph->info[n].is_steal;
    part.kind =
        is_steal && isnan(times->send_s) ? EW_PATH_PART_POOL_WAIT : EW_PATH_PART_CONNECTION_WAIT;
    put_part(w, part, sent_s);
    part.kind = EW_PATH_PART_OVERHEAD;
    put_part(w, part, send_s);
    part.kind = is_steal ? EW_PATH_PART_POOL_WAIT : EW_PATH_PART_SEND_WAIT;
    put_part(w, part, ready_s);
}

static void walk_back(struct walk *w)
{
    uint32_t n = w->graph->result;
    while (n != EW_NONE) {
        const uint32_t before = w->predecessor[n];
        const double ready_s =
            clamp(before == EW_NONE ? w->c->start_s : w->finish_s[before], w->c->start_s, w->at_s);
        const uint8_t kind = w->graph->nodes[n].kind;
        if (kind != EW_NODE_JOIN && n < w->c->nodes.count) {
            if (kind == EW_NODE_MESSAGE) {
                put_message(w, n, ready_s);
            } else {
                put_task(w, n, ready_s);
            }
        }
        n = before;
    }
    const struct ew_path_part queue = {.kind = EW_PATH_PART_QUEUE,
                                       .node = EW_NONE,
                                       .device = EW_NONE,
                                       .peer = EW_NONE,
                                       .link = EW_NONE};
    put_part(w, queue, w->c->arrival_s);
}

static void reverse(struct ew_critical *c)
{
    for (size_t i = 0; i < c->parts.count / 2; i++) {
        const struct ew_path_part swap = c->parts.items[i];
        c->parts.items[i] = c->parts.items[c->parts.count - 1 - i];
        c->parts.items[c->parts.count - 1 - i] = swap;
    }
}

enum ew_status ew_critical_walk(struct ew_critical *critical, const struct ew_task_graph *graph,
                                const struct ew_platform *platform, const struct ew_net_model *net,
                                struct ew_error *err)
{
    if (!isfinite(critical->end_s) || !isfinite(critical->arrival_s)) {
        return ew_fail(err, EW_EINPUT, "request %llu %s", (unsigned long long)critical->request,
                       isfinite(critical->arrival_s) ? "was never answered" : "never arrived");
    }
    struct walk w = {.c = critical,
                     .graph = graph,
                     .platform = platform,
                     .net = net,
                     .finish_s = calloc((size_t)graph->n_nodes + 1, sizeof *w.finish_s),
                     .predecessor = calloc((size_t)graph->n_nodes + 1, sizeof *w.predecessor),
                     .at_s = critical->end_s};
    critical->parts.count = 0;
    if (w.finish_s && w.predecessor && !critical->ran_out_of_memory) {
        find_predecessors(&w);
        walk_back(&w);
        reverse(critical);
    } else {
        critical->ran_out_of_memory = true;
    }
    free(w.finish_s);
    free(w.predecessor);
    return critical->ran_out_of_memory ? ew_fail_memory(err) : EW_OK;
}
