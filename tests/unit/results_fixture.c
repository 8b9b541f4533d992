#include "unit/results_fixture.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ew_platform *fixture_platform(const struct fixture_device *devices, uint32_t n)
{
    struct ew_device_desc *descs = calloc(n, sizeof *descs);
    struct ew_route_desc *routes = calloc((size_t)n * n, sizeof *routes);
    static const uint32_t link_ids[] = {0};
    const struct ew_link link = {.name = "net", .bandwidth_bytes_per_s = 1e6, .latency_s = 1e-3};
    uint64_t n_routes = 0;
    for (uint32_t i = 0; i < n; i++) {
        descs[i] = (struct ew_device_desc){
            .name = devices[i].name,
            .node = devices[i].node,
            .speed_flops_per_s = 1e9,
            .message_overhead_s = 0.001,
            .has_power = !devices[i].lacks_power,
            .off_w = devices[i].off_w,
            .idle_w = devices[i].idle_w,
            .compute_w = devices[i].compute_w,
            .tx_w = devices[i].tx_w,
            .rx_w = devices[i].rx_w,
        };
        for (uint32_t j = 0; j < n; j++) {
            if (i != j) {
                routes[n_routes++] = (struct ew_route_desc){i, j, 1, link_ids};
            }
        }
    }
    const struct ew_platform_desc desc = {.path = "test.xml",
                                          .content_hash = 0x1234,
                                          .n_devices = n,
                                          .devices = descs,
                                          .n_links = 1,
                                          .links = &link,
                                          .n_routes = n_routes,
                                          .routes = routes};
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    const enum ew_status status = ew_platform_make(&platform, &desc, &err);
    free(routes);
    free(descs);
    ck_assert_msg(status == EW_OK, "%s", err.message);
    return platform;
}

/* input -> conv1 -> conv2 -> fc, with `channels` channels in between. */
static struct ew_graph *make_graph(const char *name, int32_t channels)
{
    static const char *const from_input[] = {"input"}, *const from_conv1[] = {"conv1"},
                             *const from_conv2[] = {"conv2"}, *const from_fc[] = {"fc"};
    const struct ew_op_attrs conv = {.out_channels = channels,
                                     .kernel = {3, 3},
                                     .stride = {1, 1},
                                     .pads = {1, 1, 1, 1},
                                     .dilation = {1, 1},
                                     .groups = 1};
    const struct ew_layer_desc layers[FIX_LAYERS] = {
        {.name = "input", .op = EW_OP_INPUT, .shape = {1, 3, 8, 8}, .place = "/layers/0"},
        {.name = "conv1",
         .op = EW_OP_CONV,
         .attrs = conv,
         .n_inputs = 1,
         .inputs = from_input,
         .place = "/layers/1"},
        {.name = "conv2",
         .op = EW_OP_CONV,
         .attrs = conv,
         .n_inputs = 1,
         .inputs = from_conv1,
         .place = "/layers/2"},
        {.name = "fc",
         .op = EW_OP_FC,
         .attrs = {.out_channels = 10},
         .n_inputs = 1,
         .inputs = from_conv2,
         .place = "/layers/3"},
    };
    const struct ew_exit_desc exits[] = {
        {.name = "early", .n_layers = 1, .layers = from_conv1, .accuracy = 0.4},
        {.name = "full", .n_layers = 1, .layers = from_fc, .accuracy = 0.8},
    };
    const struct ew_graph_desc desc = {.name = name,
                                       .source = "test",
                                       .accuracy_metric = "top-1",
                                       .path = "net.json",
                                       .accuracy = 0.8,
                                       .bytes_per_element = 4,
                                       .n_layers = FIX_LAYERS,
                                       .layers = layers,
                                       .n_exits = 2,
                                       .exits = exits};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_make(&graph, &desc, &err) == EW_OK, "%s", err.message);
    return graph;
}

static void init_nodes(struct fixture *f)
{
    const struct ew_task_node nodes[FIX_NODES] = {
        [FIX_N_INPUT] = {.kind = EW_NODE_JOIN, .is_input = true},
        [FIX_N_CONV1] = {.kind = EW_NODE_COMPUTE, .n_deps = 1, .work_s = 1},
        [FIX_N_SEND] = {.kind = EW_NODE_MESSAGE, .peer = 1, .n_deps = 1, .bytes = 1000},
        [FIX_N_CONV2] = {.kind = EW_NODE_COMPUTE, .device = 1, .peer = 1, .n_deps = 1, .work_s = 2},
        [FIX_N_ANSWER] = {.kind = EW_NODE_MESSAGE, .device = 1, .n_deps = 1, .bytes = 40},
        [FIX_N_RESULT] = {.kind = EW_NODE_JOIN, .n_deps = 1},
    };
    const struct ew_task_info infos[FIX_NODES] = {
        [FIX_N_INPUT] = {EW_NONE, EW_NONE, EW_NONE, 0, EW_NONE, .n_merged = 1},
        [FIX_N_CONV1] = {FIX_CONV1, FIX_CONV1, FIX_CONV1, 0, 0, .box = {{0, 0, 0, 0}, {1, 4, 8, 8}},
                         .macs = 6912, .n_merged = 1},
        [FIX_N_SEND] = {FIX_CONV1, FIX_CONV2, FIX_CONV1, 0, 0, .box = {{0, 0, 0, 0}, {1, 4, 8, 8}},
                        .n_merged = 1},
        [FIX_N_CONV2] = {FIX_CONV2, FIX_CONV2, FIX_FC, 0, 1, .box = {{0, 0, 0, 0}, {1, 4, 8, 8}},
                         .macs = 11776, .n_merged = 2},
        [FIX_N_ANSWER] = {FIX_FC, EW_NONE, FIX_FC, 0, 2, .box = {{0, 0, 0, 0}, {1, 10, 1, 1}},
                          .n_merged = 1},
        [FIX_N_RESULT] = {EW_NONE, EW_NONE, EW_NONE, 0, EW_NONE, .n_merged = 1},
    };
    memcpy(f->nodes, nodes, sizeof nodes);
    memcpy(f->infos, infos, sizeof infos);
}

static void init_plans(struct fixture *f)
{
    static const char *const names[] = {"wide", "narrow"};
    static const double accuracies[] = {0.8, 0.6};
    f->note = (struct ew_note){"split", "conv1 | conv2"};
    for (uint32_t p = 0; p < 2; p++) {
        f->segments[p] = (struct ew_segment){0, 1, .variant = p, .exit = 1};
        f->plans[p] = (struct ew_plan){.name = names[p],
                                       .batch = 1,
                                       .n_segments = 1,
                                       .segments = &f->segments[p],
                                       .n_notes = 1,
                                       .notes = &f->note,
                                       .weight = 1,
                                       .predicted_latency_s = 4 + p,
                                       .predicted_energy_j = NAN,
                                       .claims_feasible = true};
        f->plan_pointers[p] = &f->plans[p];
        f->loads[p][0] = (struct ew_device_load){1000, 500, 1, 6912, .rows_share = 0.5};
        f->loads[p][1] = (struct ew_device_load){2000, 700 + 100 * p, 2, 11776, .rows_share = 0.5};
        f->task_graphs[p] = (struct ew_task_graph){.n_nodes = FIX_NODES,
                                                   .nodes = f->nodes,
                                                   .info = f->infos,
                                                   .result = FIX_N_RESULT,
                                                   .n_devices = 3,
                                                   .devices = f->loads[p],
                                                   .stats = {.macs = 18688,
                                                             .message_bytes = 1040,
                                                             .n_messages = 2,
                                                             .expected_accuracy = accuracies[p]}};
        f->task_graph_pointers[p] = &f->task_graphs[p];
    }
    f->book = (struct ew_book){
        .strategy = "split", .pick = EW_PICK_CYCLE, .n_plans = 2, .plans = f->plan_pointers};
}

void fixture_init(struct fixture *f)
{
    static const struct fixture_device devices[] = {
        {"pi", NULL, 0.1, 2, 6, 1, 0.5, false},
        {"nano", NULL, 0.2, 3, 10, 2, 1.5, false},
        {"spare", NULL, 0.3, 1, 4, 1, 1, false},
    };
    memset(f, 0, sizeof *f);
    f->platform = fixture_platform(devices, 3);
    f->graph = make_graph("net", 4);
    struct ew_graph *narrow = make_graph("net_narrow", 2);
    static const char *const names[] = {"half"};
    static const double accuracies[] = {0.6};
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_attach_variants_take(f->graph, 1, names, accuracies, &narrow, &err) ==
                      EW_OK,
                  "%s", err.message);
    f->context = (struct ew_plan_context){f->graph, f->platform, {4, 4, 4}};
    init_nodes(f);
    init_plans(f);
    for (int w = 0; w < 2; w++) {
        f->workloads[w] =
            (struct ew_run_workload){.name = w ? "other" : "camera",
                                     .book = &f->book,
                                     .task_graphs = f->task_graph_pointers,
                                     .arrival = {.kind = EW_ARRIVAL_CLOSED, .outstanding = 1},
                                     .n_requests = 1,
                                     .requests_per_job = 1,
                                     .deadline_s = INFINITY};
        f->asked[w] = (struct ew_metrics_workload){.context = &f->context};
    }
    f->run = (struct ew_run){.platform = f->platform,
                             .net = ew_net_model_find("ideal"),
                             .n_workloads = 1,
                             .workloads = f->workloads,
                             .seed = 1};
    f->labels = (struct ew_run_labels){.strategy = "split",
                                       .strategy_version = "1.0.0",
                                       .params = "at=conv1",
                                       .engine = "fast",
                                       .plan_time_s = 0.001,
                                       .run_time_s = 0.002};
}

void fixture_fini(struct fixture *f)
{
    ew_graph_free(f->graph);
    ew_platform_free(f->platform);
}

struct ew_event fixture_event(enum ew_event_kind kind, double time_s)
{
    return (struct ew_event){.time_s = time_s,
                             .kind = kind,
                             .workload = 0,
                             .request = UINT64_MAX,
                             .job = UINT64_MAX,
                             .plan = EW_NONE,
                             .node = EW_NONE,
                             .device = EW_NONE,
                             .peer = EW_NONE,
                             .layer = EW_NONE,
                             .reader_layer = EW_NONE};
}

void fixture_arrive(struct ew_event_sink sink, double time_s, uint32_t workload, uint64_t request,
                    double deadline_s)
{
    struct ew_event event = fixture_event(EW_EVENT_REQUEST_ARRIVE, time_s);
    event.workload = workload;
    event.request = request;
    event.value = deadline_s;
    sink.emit(sink.ctx, &event);
}

void fixture_end(struct ew_event_sink sink, enum ew_event_kind kind, double time_s,
                 uint32_t workload, uint64_t request, uint64_t job, uint32_t plan, double latency_s)
{
    struct ew_event event = fixture_event(kind, time_s);
    event.workload = workload;
    event.request = request;
    event.job = job;
    event.plan = plan;
    event.value = latency_s;
    sink.emit(sink.ctx, &event);
}

void fixture_job(struct ew_event_sink sink, enum ew_event_kind kind, double time_s,
                 uint32_t workload, uint64_t request, uint64_t n_requests, uint64_t job,
                 uint32_t plan)
{
    struct ew_event event = fixture_event(kind, time_s);
    event.workload = workload;
    event.request = request;
    event.job = job;
    event.plan = plan;
    event.bytes = n_requests;
    sink.emit(sink.ctx, &event);
}

static struct ew_event node_event(const struct fixture *f, uint32_t workload, uint64_t job,
                                  uint32_t plan, uint32_t node)
{
    struct ew_event event = fixture_event(EW_EVENT_TASK_START, 0);
    event.workload = workload;
    event.request = job;
    event.job = job;
    event.plan = plan;
    event.node = node;
    event.device = f->nodes[node].device;
    event.peer = f->nodes[node].peer;
    event.layer = f->infos[node].layer;
    event.reader_layer = f->infos[node].reader_layer;
    event.bytes = f->nodes[node].bytes;
    return event;
}

void fixture_task(struct ew_event_sink sink, const struct fixture *f, double start_s, double end_s,
                  uint32_t workload, uint64_t job, uint32_t plan, uint32_t node)
{
    struct ew_event event = node_event(f, workload, job, plan, node);
    event.time_s = start_s;
    sink.emit(sink.ctx, &event);
    event.kind = EW_EVENT_TASK_END;
    event.time_s = end_s;
    sink.emit(sink.ctx, &event);
}

void fixture_transfer(struct ew_event_sink sink, const struct fixture *f, double start_s,
                      double flow_s, double end_s, uint32_t workload, uint64_t job, uint32_t plan,
                      uint32_t node)
{
    struct ew_event event = node_event(f, workload, job, plan, node);
    event.kind = EW_EVENT_TRANSFER_START;
    event.time_s = start_s;
    sink.emit(sink.ctx, &event);
    event.kind = EW_EVENT_TRANSFER_FLOW;
    event.time_s = flow_s;
    sink.emit(sink.ctx, &event);
    event.kind = EW_EVENT_TRANSFER_END;
    event.time_s = end_s;
    sink.emit(sink.ctx, &event);
}

void fixture_serve(struct ew_event_sink sink, const struct fixture *f, double t, uint32_t workload,
                   uint64_t request, uint64_t job, uint32_t plan)
{
    fixture_arrive(sink, t, workload, request, INFINITY);
    fixture_job(sink, EW_EVENT_JOB_START, t, workload, request, 1, job, plan);
    fixture_task(sink, f, t, t + 1, workload, job, plan, FIX_N_CONV1);
    fixture_transfer(sink, f, t + 1, t + 1.5, t + 2.5, workload, job, plan, FIX_N_SEND);
    fixture_task(sink, f, t + 2.5, t + 4.5, workload, job, plan, FIX_N_CONV2);
    fixture_transfer(sink, f, t + 4.5, t + 4.5, t + 5, workload, job, plan, FIX_N_ANSWER);
    fixture_end(sink, EW_EVENT_REQUEST_DONE, t + 5, workload, request, job, plan, 5);
    fixture_job(sink, EW_EVENT_JOB_END, t + 5, workload, request, 1, job, plan);
}
