#include "support/hand.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static void insist(bool is_true, const char *what)
{
    if (!is_true) {
        (void)fprintf(stderr, "hand: %s\n", what);
        abort();
    }
}

static void *checked_copy(const void *from, size_t n_bytes)
{
    void *copy = malloc(n_bytes ? n_bytes : 1);
    insist(copy != NULL, "out of memory");
    memcpy(copy, from, n_bytes);
    return copy;
}

static char *numbered(const char *prefix, size_t number)
{
    char name[32];
    (void)snprintf(name, sizeof name, "%s%zu", prefix, number);
    return checked_copy(name, strlen(name) + 1);
}

/* --- platforms -------------------------------------------------------------------------------- */

struct hand_platform {
    EW_VEC(struct ew_device_desc) devices;
    EW_VEC(struct ew_link) links;
    EW_VEC(struct ew_route_desc) routes;
};

struct hand_platform *hand_platform_new(void)
{
    struct hand_platform *p = calloc(1, sizeof *p);
    insist(p != NULL, "out of memory");
    return p;
}

uint32_t hand_device(struct hand_platform *p, double message_overhead_s)
{
    const struct ew_device_desc device = {
        .name = numbered("d", p->devices.count),
        .speed_flops_per_s = 1e9,
        .message_overhead_s = message_overhead_s,
        .has_power = true,
        .idle_w = 1,
        .compute_w = 3,
        .tx_w = 0.5,
        .rx_w = 0.25,
    };
    insist(ew_vec_push(&p->devices, device), "out of memory");
    return (uint32_t)p->devices.count - 1;
}

static uint32_t add_link(struct hand_platform *p, double bytes_per_s, double latency_s,
                         enum ew_link_sharing sharing)
{
    const struct ew_link link = {numbered("l", p->links.count), bytes_per_s, latency_s, sharing};
    insist(ew_vec_push(&p->links, link), "out of memory");
    return (uint32_t)p->links.count - 1;
}

uint32_t hand_link(struct hand_platform *p, double bytes_per_s, double latency_s)
{
    return add_link(p, bytes_per_s, latency_s, EW_LINK_SHARED);
}

uint32_t hand_fatpipe(struct hand_platform *p, double bytes_per_s, double latency_s)
{
    return add_link(p, bytes_per_s, latency_s, EW_LINK_FATPIPE);
}

void hand_route(struct hand_platform *p, uint32_t from, uint32_t to, uint32_t n_links,
                const uint32_t *links)
{
    const struct ew_route_desc route = {from, to, n_links,
                                        checked_copy(links, n_links * sizeof *links)};
    insist(ew_vec_push(&p->routes, route), "out of memory");
}

struct ew_platform *hand_platform_finish(struct hand_platform *p)
{
    const struct ew_platform_desc desc = {
        .path = "",
        .n_devices = (uint32_t)p->devices.count,
        .devices = p->devices.items,
        .n_links = (uint32_t)p->links.count,
        .links = p->links.items,
        .n_routes = p->routes.count,
        .routes = p->routes.items,
    };
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    insist(ew_platform_make(&platform, &desc, &err) == EW_OK, err.message);
    for (size_t i = 0; i < p->devices.count; i++) {
        free((char *)p->devices.items[i].name);
    }
    for (size_t i = 0; i < p->links.count; i++) {
        free((char *)p->links.items[i].name);
    }
    for (size_t i = 0; i < p->routes.count; i++) {
        free((uint32_t *)p->routes.items[i].links);
    }
    ew_vec_fini(&p->devices);
    ew_vec_fini(&p->links);
    ew_vec_fini(&p->routes);
    free(p);
    return platform;
}

struct ew_platform *hand_row(uint32_t n, double bytes_per_s, double latency_s)
{
    struct hand_platform *p = hand_platform_new();
    for (uint32_t d = 0; d < n; d++) {
        (void)hand_device(p, 0);
    }
    for (uint32_t d = 0; d + 1 < n; d++) {
        const uint32_t down = hand_link(p, bytes_per_s, latency_s);
        const uint32_t up = hand_link(p, bytes_per_s, latency_s);
        hand_route(p, d, d + 1, 1, &down);
        hand_route(p, d + 1, d, 1, &up);
    }
    return hand_platform_finish(p);
}

struct ew_platform *hand_medium(uint32_t n, double bytes_per_s, double latency_s)
{
    struct hand_platform *p = hand_platform_new();
    for (uint32_t d = 0; d < n; d++) {
        (void)hand_device(p, 0);
    }
    const uint32_t link = hand_link(p, bytes_per_s, latency_s);
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = 0; b < n; b++) {
            if (a != b) {
                hand_route(p, a, b, 1, &link);
            }
        }
    }
    return hand_platform_finish(p);
}

/* --- task graphs ------------------------------------------------------------------------------ */

struct edge {
    uint32_t from, to;
};

struct hand_tasks {
    uint32_t n_devices;
    EW_VEC(struct ew_task_node) nodes;
    EW_VEC(struct edge) edges;
};

static uint32_t add_node(struct hand_tasks *t, struct ew_task_node node)
{
    insist(ew_vec_push(&t->nodes, node), "out of memory");
    return (uint32_t)t->nodes.count - 1;
}

struct hand_tasks *hand_tasks_new(uint32_t n_devices)
{
    struct hand_tasks *t = calloc(1, sizeof *t);
    insist(t != NULL, "out of memory");
    t->n_devices = n_devices;
    (void)add_node(t, (struct ew_task_node){.kind = EW_NODE_JOIN, .is_input = true});
    return t;
}

static uint32_t add_task(struct hand_tasks *t, enum ew_node_kind kind, uint32_t device,
                         double work_s)
{
    const struct ew_task_node node = {
        .kind = (uint8_t)kind, .device = device, .peer = device, .work_s = work_s};
    return add_node(t, node);
}

uint32_t hand_compute(struct hand_tasks *t, uint32_t device, double work_s)
{
    return add_task(t, EW_NODE_COMPUTE, device, work_s);
}

uint32_t hand_load(struct hand_tasks *t, uint32_t device, double work_s)
{
    return add_task(t, EW_NODE_LOAD, device, work_s);
}

uint32_t hand_message(struct hand_tasks *t, uint32_t from, uint32_t to, uint64_t bytes)
{
    return add_node(t, (struct ew_task_node){
                           .kind = EW_NODE_MESSAGE, .device = from, .peer = to, .bytes = bytes});
}

uint32_t hand_join(struct hand_tasks *t, uint32_t device)
{
    return add_node(t,
                    (struct ew_task_node){.kind = EW_NODE_JOIN, .device = device, .peer = device});
}

void hand_after(struct hand_tasks *t, uint32_t node, uint32_t dep)
{
    insist(dep < node && node < t->nodes.count, "dependencies go from earlier to later nodes");
    const struct edge edge = {dep, node};
    insist(ew_vec_push(&t->edges, edge), "out of memory");
    t->nodes.items[node].n_deps++;
}

static int compare_edges(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->from != y->from) {
        return x->from < y->from ? -1 : 1;
    }
    return (x->to > y->to) - (x->to < y->to);
}

static void place_successors(struct hand_tasks *t, uint32_t *successors)
{
    if (t->edges.count) {
        qsort(t->edges.items, t->edges.count, sizeof *t->edges.items, compare_edges);
    }
    size_t e = 0;
    for (uint32_t i = 0; i < t->nodes.count; i++) {
        t->nodes.items[i].successors_begin = (uint32_t)e;
        for (; e < t->edges.count && t->edges.items[e].from == i; e++) {
            successors[e] = t->edges.items[e].to;
        }
        t->nodes.items[i].successors_end = (uint32_t)e;
    }
}

uint32_t hand_node_after(struct hand_tasks *t, uint32_t node, uint32_t dep)
{
    hand_after(t, node, dep);
    return node;
}

struct ew_task_graph *hand_tasks_finish(struct hand_tasks *t)
{
    struct ew_arena arena = {0};
    struct ew_task_graph *graph = ew_arena_calloc(&arena, 1, sizeof *graph);
    const size_t n = t->nodes.count;
    struct ew_task_info *info = ew_arena_calloc(&arena, n, sizeof *info);
    uint32_t *successors = ew_arena_calloc(&arena, t->edges.count, sizeof *successors);
    uint32_t *inputs = ew_arena_calloc(&arena, 1, sizeof *inputs);
    insist(graph && info && successors && inputs, "out of memory");
    for (size_t i = 0; i < n; i++) {
        info[i] = (struct ew_task_info){.last_layer = 0, .piece = EW_NONE, .n_merged = 1};
    }
    place_successors(t, successors);
    graph->n_nodes = (uint32_t)n;
    graph->nodes = ew_arena_copy(&arena, t->nodes.items, n, sizeof *t->nodes.items);
    graph->info = info;
    graph->n_successors = (uint32_t)t->edges.count;
    graph->successors = successors;
    graph->n_inputs = 1;
    graph->inputs = inputs;
    graph->result = (uint32_t)n - 1;
    graph->n_devices = t->n_devices;
    graph->devices = ew_arena_calloc(&arena, t->n_devices, sizeof *graph->devices);
    insist(graph->nodes && graph->devices, "out of memory");
    graph->arena = arena;
    ew_vec_fini(&t->nodes);
    ew_vec_fini(&t->edges);
    free(t);
    return graph;
}

struct ew_task_graph *hand_answer(struct hand_tasks *t, uint32_t device, uint32_t dep)
{
    hand_node_after(t, hand_join(t, device), dep);
    return hand_tasks_finish(t);
}

/* --- runs ------------------------------------------------------------------------------------- */

void hand_workload_init(struct hand_workload *w, const struct ew_task_graph *graph,
                        uint64_t n_requests, uint32_t outstanding)
{
    *w = (struct hand_workload){
        .plan = {.name = "hand", .batch = 1, .weight = 1},
        .graphs = {graph},
        .run =
            {
                .name = "hand",
                .arrival = {.kind = EW_ARRIVAL_CLOSED, .outstanding = outstanding},
                .n_requests = n_requests,
                .requests_per_job = 1,
                .deadline_s = INFINITY,
            },
    };
    w->plans[0] = &w->plan;
    w->book = (struct ew_book){.strategy = "", .n_plans = 1, .plans = w->plans};
    w->run.book = &w->book;
    w->run.task_graphs = w->graphs;
}
