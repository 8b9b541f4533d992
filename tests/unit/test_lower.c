#include <check.h>
#include <math.h>
#include <string.h>

#include "engine/engine.h"
#include "plan/check.h"
#include "plan/lower.h"
#include "support/suite.h"
#include "support/tiny.h"

/* Two 3x3 convolutions over a 1x8x8 input, 2 channels each: a row of an output is 8*2 elements. */
static const struct tiny_layer two_convs[] = {
    {.name = "a", .op = EW_OP_CONV, .out_channels = 2, .kernel = 3, .pad = 1},
    {.name = "b", .op = EW_OP_CONV, .out_channels = 2, .kernel = 3, .pad = 1},
};

static struct ew_graph *graph;
static struct ew_platform *platform;
static struct ew_plan_context context;
static struct ew_lower *lower;
static struct ew_error err;

static void use(struct ew_graph *g, uint32_t n_devices)
{
    graph = g;
    platform = tiny_star(n_devices);
    context = (struct ew_plan_context){graph, platform, ew_element_bytes_of(graph)};
    lower = ew_lower_new();
    err = (struct ew_error){0};
}

static void drop(void)
{
    ew_lower_free(lower);
    ew_platform_free(platform);
    ew_graph_free(graph);
}

static const struct ew_task_graph *lowered(const struct ew_plan *plan)
{
    const struct ew_task_graph *out = NULL;
    ck_assert_msg(ew_lower_plan_scratch(&out, lower, &context, plan, NULL, &err) == EW_OK, "%s",
                  err.message);
    return out;
}

static uint32_t count_kind(const struct ew_task_graph *tasks, enum ew_node_kind kind)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < tasks->n_nodes; i++) {
        n += tasks->nodes[i].kind == kind;
    }
    return n;
}

/* The message from one device to another, the k-th in node order; fails when there is none. */
static uint32_t message(const struct ew_task_graph *tasks, uint32_t from, uint32_t to, uint32_t k)
{
    for (uint32_t i = 0; i < tasks->n_nodes; i++) {
        const struct ew_task_node *node = &tasks->nodes[i];
        if (node->kind == EW_NODE_MESSAGE && node->device == from && node->peer == to && k-- == 0) {
            return i;
        }
    }
    ck_abort_msg("no such message from %u to %u", from, to);
    return 0;
}

static bool follows(const struct ew_task_graph *tasks, uint32_t from, uint32_t to)
{
    const struct ew_task_node *node = &tasks->nodes[from];
    for (uint32_t k = node->successors_begin; k < node->successors_end; k++) {
        if (tasks->successors[k] == to) {
            return true;
        }
    }
    return false;
}

START_TEST(one_device_needs_no_message)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 1);
    const struct ew_piece pieces[] = {tiny_whole(graph, "a", 0), tiny_whole(graph, "b", 0)};
    struct ew_segment segment;
    const struct ew_plan plan = tiny_plan(graph, &segment, pieces, 2);
    const struct ew_task_graph *tasks = lowered(&plan);
    ck_assert_uint_eq(count_kind(tasks, EW_NODE_MESSAGE), 0);
    ck_assert_uint_eq(count_kind(tasks, EW_NODE_COMPUTE), 2);
    ck_assert_uint_eq(count_kind(tasks, EW_NODE_JOIN), 2);
    /* macs: 64 pixels * 2 filters * 9 * 1 channel; second layer 2 channels */
    ck_assert_uint_eq(tasks->stats.macs, 64 * 2 * 9 + 64 * 2 * 9 * 2);
    ck_assert_uint_eq(tasks->stats.redundant_macs, 0);
    ck_assert_double_eq_tol(tasks->stats.expected_accuracy, 0.9, 1e-15);
    /* weights: (9*1*2) + (9*2*2) parameters of 4 bytes, no bias */
    ck_assert_uint_eq(tasks->devices[0].weight_bytes, (18 + 36) * 4);
    drop();
}
END_TEST

START_TEST(offload_moves_input_and_result)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 2);
    const struct ew_piece pieces[] = {tiny_whole(graph, "a", 1), tiny_whole(graph, "b", 1)};
    struct ew_segment segment;
    const struct ew_plan plan = tiny_plan(graph, &segment, pieces, 2);
    const struct ew_task_graph *tasks = lowered(&plan);
    ck_assert_uint_eq(tasks->nodes[message(tasks, 0, 1, 0)].bytes, 64 * 4);     /* input */
    ck_assert_uint_eq(tasks->nodes[message(tasks, 1, 0, 0)].bytes, 64 * 2 * 4); /* result */
    ck_assert_uint_eq(tasks->stats.n_messages, 2);
    drop();
}
END_TEST

START_TEST(row_bands_exchange_only_halos)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 2);
    const struct ew_piece pieces[] = {
        tiny_rows(graph, "a", 0, 0, 4), tiny_rows(graph, "a", 1, 4, 8),
        tiny_rows(graph, "b", 0, 0, 4), tiny_rows(graph, "b", 1, 4, 8)};
    struct ew_segment segment;
    const struct ew_plan plan = tiny_plan(graph, &segment, pieces, 4);
    const struct ew_task_graph *tasks = lowered(&plan);
    /* d1 reads input rows 3..7 (5 rows of 8 elements), then row 3 of a (8*2), gives row 4 of a,
     * and returns rows 4..7 of b (4*16) */
    ck_assert_uint_eq(tasks->nodes[message(tasks, 0, 1, 0)].bytes, 5 * 8 * 4);
    ck_assert_uint_eq(tasks->nodes[message(tasks, 0, 1, 1)].bytes, 16 * 4);
    ck_assert_uint_eq(tasks->nodes[message(tasks, 1, 0, 0)].bytes, 16 * 4);
    ck_assert_uint_eq(tasks->nodes[message(tasks, 1, 0, 1)].bytes, 4 * 16 * 4);
    ck_assert_uint_eq(tasks->stats.n_messages, 4);
    ck_assert_uint_eq(tasks->stats.computed_elements, tasks->stats.needed_elements);
    ck_assert_double_eq_tol(tasks->devices[1].rows_share, 0.5, 1e-15);
    drop();
}
END_TEST

START_TEST(fused_bands_recompute_and_count_it)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 2);
    const struct ew_piece pieces[] = {
        tiny_rows(graph, "a", 0, 0, 5), tiny_rows(graph, "a", 1, 3, 8),
        tiny_rows(graph, "b", 0, 0, 4), tiny_rows(graph, "b", 1, 4, 8)};
    struct ew_segment segment;
    const struct ew_plan plan = tiny_plan(graph, &segment, pieces, 4);
    const struct ew_task_graph *tasks = lowered(&plan);
    /* rows 3 and 4 of a twice: 2 rows * 16 elements, each 9 macs */
    ck_assert_uint_eq(tasks->stats.computed_elements - tasks->stats.needed_elements, 32);
    ck_assert_uint_eq(tasks->stats.redundant_macs, 32 * 9);
    ck_assert_uint_eq(tasks->stats.n_messages, 2); /* input and result only */
    drop();
}
END_TEST

START_TEST(messages_to_one_device_are_coalesced_over_readers)
{
    /* residual: b and add both read a */
    const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_CONV, .out_channels = 2, .kernel = 3, .pad = 1},
        {.name = "b", .op = EW_OP_CONV, .out_channels = 2, .kernel = 3, .pad = 1},
        {.name = "sum", .op = EW_OP_ADD, .inputs = {"a", "b"}},
    };
    use(tiny_graph(1, 8, 8, 3, layers), 2);
    const struct ew_piece pieces[] = {tiny_whole(graph, "a", 0), tiny_whole(graph, "b", 1),
                                      tiny_whole(graph, "sum", 1)};
    struct ew_segment segment;
    const struct ew_plan plan = tiny_plan(graph, &segment, pieces, 3);
    const struct ew_task_graph *tasks = lowered(&plan);
    ck_assert_uint_eq(tasks->stats.n_messages, 2); /* a once, result once */
    ck_assert_uint_eq(tasks->nodes[message(tasks, 0, 1, 0)].bytes, 64 * 2 * 4);
    ck_assert_uint_eq(tasks->info[message(tasks, 0, 1, 0)].reader_layer, 2);
    drop();
}
END_TEST

START_TEST(relay_takes_two_hops_and_gather_brings_everything)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 3);
    const struct ew_piece pieces[] = {
        tiny_rows(graph, "a", 1, 0, 4), tiny_rows(graph, "a", 2, 4, 8),
        tiny_rows(graph, "b", 1, 0, 4), tiny_rows(graph, "b", 2, 4, 8)};
    struct ew_segment segment;
    struct ew_plan plan = tiny_plan(graph, &segment, pieces, 4);
    struct ew_boundary boundaries[3] = {{0}};
    boundaries[1] = (struct ew_boundary){.exchange = EW_EXCHANGE_RELAY, .hub = 0};
    const struct ew_boundary *rows[] = {boundaries};
    plan.n_boundary_variants = 1;
    plan.boundaries = rows;
    const struct ew_task_graph *tasks = lowered(&plan);
    /* input to both, halo rows of a up to d0 and down again, results to d0 */
    ck_assert_uint_eq(tasks->stats.n_messages, 2 + 4 + 2);
    ck_assert_uint_eq(tasks->nodes[message(tasks, 1, 0, 0)].bytes, 16 * 4);
    ck_assert_uint_eq(tasks->info[message(tasks, 1, 0, 0)].hop, 1);
    ck_assert_uint_eq(tasks->info[message(tasks, 0, 2, 1)].hop, 2);
    ck_assert(follows(tasks, message(tasks, 1, 0, 0), message(tasks, 0, 2, 1)));

    boundaries[1].exchange = EW_EXCHANGE_GATHER;
    tasks = lowered(&plan);
    ck_assert_uint_eq(tasks->nodes[message(tasks, 1, 0, 0)].bytes, 4 * 16 * 4); /* all of its a */
    ck_assert_uint_eq(tasks->nodes[message(tasks, 0, 1, 1)].bytes, 5 * 16 * 4); /* also its own */
    /* what d1 gets back needs both parts */
    ck_assert(follows(tasks, message(tasks, 1, 0, 0), message(tasks, 0, 1, 1)));
    ck_assert(follows(tasks, message(tasks, 2, 0, 0), message(tasks, 0, 1, 1)));
    drop();
}
END_TEST

START_TEST(a_barrier_holds_everything_back)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 2);
    const struct ew_piece pieces[] = {
        tiny_rows(graph, "a", 0, 0, 4), tiny_rows(graph, "a", 1, 4, 8),
        tiny_rows(graph, "b", 0, 0, 4), tiny_rows(graph, "b", 1, 4, 8)};
    struct ew_segment segment;
    struct ew_plan plan = tiny_plan(graph, &segment, pieces, 4);
    struct ew_boundary boundaries[3] = {{0}};
    boundaries[1].has_barrier = true;
    const struct ew_boundary *rows[] = {boundaries};
    plan.n_boundary_variants = 1;
    plan.boundaries = rows;
    const struct ew_task_graph *tasks = lowered(&plan);
    ck_assert_uint_eq(count_kind(tasks, EW_NODE_JOIN), 3);
    for (uint32_t i = 0; i < tasks->n_nodes; i++) {
        if (tasks->nodes[i].kind == EW_NODE_JOIN && tasks->info[i].layer == 1) {
            ck_assert_uint_eq(tasks->nodes[i].n_deps, 2);
            ck_assert(follows(tasks, i, message(tasks, 0, 1, 1)));
            ck_assert(follows(tasks, i, message(tasks, 1, 0, 0)));
        }
    }
    drop();
}
END_TEST

START_TEST(a_tile_reads_its_own_chain_first)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 1);
    struct ew_piece pieces[] = {tiny_rows(graph, "a", 0, 0, 5), tiny_rows(graph, "a", 0, 3, 8),
                                tiny_rows(graph, "b", 0, 0, 4), tiny_rows(graph, "b", 0, 4, 8)};
    pieces[0].chain = pieces[2].chain = 7;
    pieces[1].chain = pieces[3].chain = 8;
    struct ew_segment segment;
    const struct ew_plan plan = tiny_plan(graph, &segment, pieces, 4);
    const struct ew_task_graph *tasks = lowered(&plan);
    /* nodes: input, a0, a1, b0, b1, result */
    ck_assert(follows(tasks, 1, 3) && !follows(tasks, 1, 4));
    ck_assert(follows(tasks, 2, 4) && !follows(tasks, 2, 3));
    ck_assert_int_eq(ew_plan_check(&context, &plan, &err), EW_OK);
    pieces[1].chain = 7; /* now one tile computes rows 3 and 4 of a twice */
    pieces[3].chain = 7;
    ck_assert_int_eq(ew_plan_check(&context, &plan, &err), EW_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.message, "layer a: pieces 0 and 1 on d0 overlap"));
    drop();
}
END_TEST

START_TEST(partial_sums_are_added_by_the_named_piece)
{
    const struct tiny_layer layers[] = {
        {.name = "flat", .op = EW_OP_FLATTEN},
        {.name = "fc", .op = EW_OP_FC, .out_channels = 10},
    };
    use(tiny_graph(2, 4, 4, 2, layers), 3);
    struct ew_piece pieces[] = {tiny_whole(graph, "flat", 0), tiny_whole(graph, "fc", 0),
                                tiny_whole(graph, "fc", 1), tiny_whole(graph, "fc", 2)};
    pieces[1].role = EW_PIECE_SUM;
    pieces[2].role = pieces[3].role = EW_PIECE_PARTIAL;
    pieces[2].sum = pieces[3].sum = 1;
    pieces[2].reduction = (struct ew_reduction){0, 20};
    pieces[3].reduction = (struct ew_reduction){20, 32};
    struct ew_segment segment;
    const struct ew_plan plan = tiny_plan(graph, &segment, pieces, 4);
    const struct ew_task_graph *tasks = lowered(&plan);
    ck_assert_uint_eq(tasks->stats.macs, 320);
    ck_assert_uint_eq(tasks->nodes[message(tasks, 0, 1, 0)].bytes, 20 * 4);
    ck_assert_uint_eq(tasks->nodes[message(tasks, 0, 2, 0)].bytes, 12 * 4);
    ck_assert_uint_eq(tasks->nodes[message(tasks, 1, 0, 0)].bytes, 10 * 4);
    pieces[3].reduction.lo = 21;
    ck_assert_int_eq(ew_plan_check(&context, &plan, &err), EW_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.message, "do not tile the reduction 0..31: trouble at 20"));
    drop();
}
END_TEST

START_TEST(an_uncovered_element_is_named)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 2);
    const struct ew_piece pieces[] = {
        tiny_rows(graph, "a", 0, 0, 4), tiny_rows(graph, "a", 1, 5, 8),
        tiny_rows(graph, "b", 0, 0, 4), tiny_rows(graph, "b", 1, 4, 8)};
    struct ew_segment segment;
    const struct ew_plan plan = tiny_plan(graph, &segment, pieces, 4);
    ck_assert_int_eq(ew_plan_check(&context, &plan, &err), EW_EINPUT);
    ck_assert_str_eq(err.message, "layer b: rows 4..4 of d0's input (a) are held by nobody");
    const struct ew_plan half = tiny_plan(graph, &segment, pieces, 1);
    ck_assert_int_eq(ew_plan_check(&context, &half, &err), EW_EINPUT);
    ck_assert_str_eq(err.message,
                     "result: all elements of layer b, wanted by d0, are held by nobody");
    drop();
}
END_TEST

START_TEST(quantised_cuts_shrink_messages_and_cost_at_both_ends)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 2);
    const struct ew_piece pieces[] = {tiny_whole(graph, "a", 0), tiny_whole(graph, "b", 1)};
    struct ew_segment segment;
    struct ew_plan plan = tiny_plan(graph, &segment, pieces, 2);
    struct ew_boundary boundaries[3] = {{0}};
    boundaries[1].wire_bits = 3;
    const struct ew_boundary *rows[] = {boundaries};
    plan.n_boundary_variants = 1;
    plan.boundaries = rows;
    const struct ew_task_graph *tasks = lowered(&plan);
    ck_assert_uint_eq(tasks->nodes[message(tasks, 0, 1, 0)].bytes, 128 * 3 / 8);
    ck_assert_uint_eq(count_kind(tasks, EW_NODE_COMPUTE), 4); /* two layers, two conversions */
    drop();
}
END_TEST

START_TEST(weights_per_request_are_loaded_before_the_first_piece)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 2);
    const struct ew_piece pieces[] = {tiny_whole(graph, "a", 1), tiny_whole(graph, "b", 1)};
    struct ew_segment segment;
    struct ew_plan plan = tiny_plan(graph, &segment, pieces, 2);
    plan.weights = EW_WEIGHTS_PER_REQUEST;
    const struct ew_task_graph *tasks = lowered(&plan);
    ck_assert_uint_eq(count_kind(tasks, EW_NODE_LOAD), 1);
    /* input arrives, then the load, then a and b */
    const uint32_t upload = message(tasks, 0, 1, 0);
    ck_assert(follows(tasks, upload, upload + 1));
    ck_assert_uint_eq(tasks->nodes[upload + 1].kind, EW_NODE_LOAD);
    ck_assert(follows(tasks, upload + 1, upload + 2));
    drop();
}
END_TEST

START_TEST(memory_limits_are_checked)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 1);
    const struct ew_piece pieces[] = {tiny_whole(graph, "a", 0), tiny_whole(graph, "b", 0)};
    struct ew_segment segment;
    const struct ew_plan plan = tiny_plan(graph, &segment, pieces, 2);
    /* weights 216 B; while b runs: a and b, 2 * 512 B */
    struct ew_device *device = (struct ew_device *)&platform->devices[0];
    device->memory_bytes = 216 + 1024;
    ck_assert_int_eq(ew_plan_check(&context, &plan, &err), EW_OK);
    device->memory_bytes--;
    ck_assert_int_eq(ew_plan_check(&context, &plan, &err), EW_ENOTSUP);
    ck_assert_str_eq(err.message, "device d0: the plan needs 1240 bytes of memory (weights and "
                                  "largest working set), it has 1239");
    drop();
}
END_TEST

static void take_latency(void *ctx, const struct ew_event *event)
{
    if (event->kind == EW_EVENT_REQUEST_DONE) {
        *(double *)ctx = event->value;
    }
}

static double simulate(const struct ew_plan *plan, bool merge)
{
    const struct ew_lower_options options = {.merge_chains = merge};
    const struct ew_task_graph *tasks = NULL;
    ck_assert_int_eq(ew_lower_plan_scratch(&tasks, lower, &context, plan, &options, &err), EW_OK);
    struct ew_plan copy = *plan;
    struct ew_plan *plans[] = {&copy};
    const struct ew_book book = {.strategy = "", .n_plans = 1, .plans = plans};
    double latency_s = NAN;
    const struct ew_run_workload workload = {
        .name = "w",
        .book = &book,
        .task_graphs = &tasks,
        .arrival = {.kind = EW_ARRIVAL_CLOSED, .outstanding = 1},
        .n_requests = 3,
        .requests_per_job = 1,
        .deadline_s = INFINITY,
    };
    const struct ew_run run = {
        .platform = platform,
        .net = ew_net_model_find("ideal"),
        .n_workloads = 1,
        .workloads = &workload,
        .sink = {&latency_s, take_latency},
    };
    struct ew_run_facts facts = {0};
    ck_assert_msg(ew_engine_fast.run(&facts, &run, &err) == EW_OK, "%s", err.message);
    return latency_s;
}

START_TEST(merging_changes_no_result)
{
    const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
        {.name = "a_relu", .op = EW_OP_RELU},
        {.name = "b", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
        {.name = "b_relu", .op = EW_OP_RELU},
        {.name = "c", .op = EW_OP_CONV, .out_channels = 4, .kernel = 1},
    };
    use(tiny_graph(3, 16, 16, 5, layers), 3);
    struct ew_piece pieces[15];
    uint32_t n = 0;
    for (uint32_t l = 0; l < 5; l++) {
        const int32_t cuts[] = {0, 5, 11, 16};
        for (uint32_t d = 0; d < 3; d++) {
            pieces[n++] = tiny_rows(graph, layers[l].name, d, cuts[d], cuts[d + 1]);
        }
    }
    struct ew_segment segment;
    const struct ew_plan plan = tiny_plan(graph, &segment, pieces, n);
    const double plain_s = simulate(&plan, false), merged_s = simulate(&plan, true);
    ck_assert_double_eq_tol(merged_s, plain_s, 1e-12 * plain_s);
    const struct ew_lower_options options = {.merge_chains = true};
    const struct ew_task_graph *tasks = NULL;
    ck_assert_int_eq(ew_lower_plan_scratch(&tasks, lower, &context, &plan, &options, &err), EW_OK);
    ck_assert(tasks->is_merged);
    ck_assert_uint_lt(count_kind(tasks, EW_NODE_COMPUTE), 15);
    drop();
}
END_TEST

START_TEST(a_missing_route_is_named)
{
    use(tiny_graph(1, 8, 8, 2, two_convs), 2);
    ((struct ew_route *)platform->routes)[1].n_links = 0; /* d0 -> d1 */
    const struct ew_piece pieces[] = {tiny_whole(graph, "a", 1), tiny_whole(graph, "b", 1)};
    struct ew_segment segment;
    const struct ew_plan plan = tiny_plan(graph, &segment, pieces, 2);
    ck_assert_int_eq(ew_plan_check(&context, &plan, &err), EW_EINPUT);
    ck_assert_str_eq(err.message, "layer x: its output must go from d0 to d1, and the platform has "
                                  "no route between them");
    drop();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        one_device_needs_no_message,
        offload_moves_input_and_result,
        row_bands_exchange_only_halos,
        fused_bands_recompute_and_count_it,
        messages_to_one_device_are_coalesced_over_readers,
        relay_takes_two_hops_and_gather_brings_everything,
        a_barrier_holds_everything_back,
        a_tile_reads_its_own_chain_first,
        partial_sums_are_added_by_the_named_piece,
        an_uncovered_element_is_named,
        quantised_cuts_shrink_messages_and_cost_at_both_ends,
        weights_per_request_are_loaded_before_the_first_piece,
        memory_limits_are_checked,
        merging_changes_no_result,
        a_missing_route_is_named,
    };
    return run_suite("lower", tests, sizeof tests / sizeof *tests);
}
