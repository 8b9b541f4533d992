/* Chains that wait in a pool: what a plan may say of them, and what it is lowered to. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/plan_json.h"
#include "plan/builder.h"
#include "plan/check.h"
#include "plan/lower.h"
#include "plugin/book_wire.h"
#include "support/planning.h"
#include "support/suite.h"
#include "support/tiny.h"

/* Four layers of 2 channels over 8x8: a row of an output is 16 elements of 4 bytes. */
static const struct tiny_layer layers[] = {
    {.name = "a", .op = EW_OP_CONV, .out_channels = 2, .kernel = 3, .pad = 1},
    {.name = "b", .op = EW_OP_CONV, .out_channels = 2, .kernel = 1},
    {.name = "c", .op = EW_OP_CONV, .out_channels = 2, .kernel = 1},
    {.name = "d", .op = EW_OP_CONV, .out_channels = 2, .kernel = 1},
};

enum { STEAL_BYTES = 100, MAX_PIECES = 32 };

static struct ew_graph *graph;
static struct ew_platform *platform;
static struct ew_plan_context context;
static struct ew_lower *lower;
static struct ew_error err;
static struct ew_segment segment;
static struct ew_piece pieces[MAX_PIECES];
static const uint32_t members[] = {1, 2};
static struct ew_pool pools[2];
static struct ew_boundary row[8];
static const struct ew_boundary *rows[] = {row};
static struct ew_plan plan;

static void set_up(void)
{
    graph = tiny_graph(2, 8, 8, 4, layers);
    platform = tiny_star(3);
    context = (struct ew_plan_context){graph, platform, ew_element_bytes_of(graph)};
    lower = ew_lower_new();
    err = (struct ew_error){0};
    memset(row, 0, sizeof row);
    pools[0] = (struct ew_pool){0, STEAL_BYTES, 2, members};
    pools[1] = (struct ew_pool){0, STEAL_BYTES, 1, members};
    plan = tiny_plan(graph, &segment, pieces, 0);
    plan.n_pools = 2;
    plan.pools = pools;
    plan.n_boundary_variants = 1;
    plan.boundaries = rows;
}

static void tear_down(void)
{
    ew_lower_free(lower);
    ew_platform_free(platform);
    ew_graph_free(graph);
}

static struct ew_piece *add(const char *layer, uint32_t device, int32_t lo, int32_t hi)
{
    pieces[plan.n_pieces] = tiny_rows(graph, layer, device, lo, hi);
    return &pieces[plan.n_pieces++];
}

static struct ew_piece *add_pooled(const char *layer, uint32_t chain, int32_t lo, int32_t hi)
{
    struct ew_piece *piece = add(layer, 0, lo, hi);
    piece->chain = chain;
    piece->pool = 1;
    return piece;
}

/* a and b as two chains of half the rows, the rest on device 0. */
static void add_halves(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        const int32_t lo = 4 * (int32_t)i;
        add_pooled("a", i, lo, lo + 4);
        add_pooled("b", i, lo, lo + 4);
    }
    add("c", 0, 0, 8);
    add("d", 0, 0, 8);
}

static const struct ew_task_graph *lowered(void)
{
    const struct ew_lower_options options = {.merge_chains = true};
    const struct ew_task_graph *out = NULL;
    ck_assert_msg(ew_lower_plan_scratch(&out, lower, &context, &plan, &options, &err) == EW_OK,
                  "%s", err.message);
    return out;
}

static void assert_refused(const char *words)
{
    const enum ew_status status = ew_plan_check(&context, &plan, &err);
    ck_assert_msg(status == EW_EINPUT, "expected '%s', the check said %d '%s'", words, status,
                  err.message);
    ck_assert_msg(strstr(err.message, words) != NULL, "expected '%s' in '%s'", words, err.message);
    err = (struct ew_error){0};
}

/* ------------------------------------------------------------------------------------- lowering */

START_TEST(a_chain_becomes_a_steal_message_its_input_tasks_and_output)
{
    set_up();
    add_halves();
    const struct ew_task_graph *tasks = lowered();
    ck_assert_uint_eq(tasks->n_units, 2);
    ck_assert(!tasks->is_merged);
    for (uint32_t u = 0; u < 2; u++) {
        const uint32_t place = 3 + u;
        const struct ew_task_node *steal = &tasks->nodes[tasks->units[u].steal];
        ck_assert(steal->kind == EW_NODE_MESSAGE && steal->device == place && steal->peer == 0);
        ck_assert_uint_eq(steal->bytes, STEAL_BYTES);
        ck_assert(tasks->info[tasks->units[u].steal].is_steal);
        ck_assert_uint_eq(tasks->units[u].n_tasks, 2);
        ck_assert_uint_eq(steal->successors_end - steal->successors_begin, 1);
        const uint32_t input = tasks->successors[steal->successors_begin];
        ck_assert(tasks->nodes[input].device == 0 && tasks->nodes[input].peer == place);
        /* rows 0..4 or 3..7 of x: 2 channels of 5 rows of 8 */
        ck_assert_uint_eq(tasks->nodes[input].bytes, 2 * 5 * 8 * 4);
        uint64_t out_bytes = 0;
        for (uint32_t i = 0; i < tasks->n_nodes; i++) {
            const struct ew_task_node *node = &tasks->nodes[i];
            for (uint32_t k = node->successors_begin; k < node->successors_end; k++) {
                ck_assert_uint_gt(tasks->successors[k], i);
            }
            if (node->device == place && node->kind == EW_NODE_MESSAGE &&
                !tasks->info[i].is_steal) {
                out_bytes += node->bytes;
            }
        }
        ck_assert_uint_eq(out_bytes, 2 * 4 * 8 * 4);
    }
    ck_assert_uint_eq(tasks->stats.n_messages, 6);
    ck_assert_uint_eq(tasks->stats.message_bytes, 2 * (STEAL_BYTES + 320 + 256));
    tear_down();
}
END_TEST

START_TEST(members_hold_what_any_chain_needs_and_share_the_work)
{
    set_up();
    add_halves();
    const struct ew_task_graph *tasks = lowered();
    /* a: 9*2*2 and b: 2*2 parameters of 4 bytes */
    ck_assert_uint_eq(tasks->devices[1].weight_bytes, 4 * (36 + 4));
    ck_assert_uint_eq(tasks->devices[2].weight_bytes, 4 * (36 + 4));
    ck_assert_uint_eq(tasks->devices[0].weight_bytes, 4 * (4 + 4));
    ck_assert_uint_gt(tasks->devices[1].peak_working_bytes, 0);
    ck_assert_uint_eq(tasks->devices[1].peak_working_bytes, tasks->devices[2].peak_working_bytes);
    /* equal members: half of everything each */
    ck_assert_double_eq_tol(tasks->devices[1].rows_share, 0.25, 1e-12);
    ck_assert_uint_eq(tasks->devices[1].macs + tasks->devices[2].macs,
                      64u * 2 * 9 * 2 + 64u * 2 * 2);
    ck_assert_uint_eq(tasks->devices[0].macs + tasks->devices[1].macs + tasks->devices[2].macs,
                      tasks->stats.macs);
    tear_down();
}
END_TEST

START_TEST(the_memory_of_every_member_counts)
{
    set_up();
    add_halves();
    ck_assert_int_eq(ew_plan_check(&context, &plan, &err), EW_OK);
    const struct ew_task_graph *tasks = lowered();
    const uint64_t needed = tasks->devices[2].weight_bytes + tasks->devices[2].peak_working_bytes;
    ((struct ew_device *)(uintptr_t)platform->devices)[2].memory_bytes = needed - 1;
    ck_assert_int_eq(ew_plan_check(&context, &plan, &err), EW_ENOTSUP);
    ck_assert_msg(strstr(err.message, "device d2") != NULL, "%s", err.message);
    tear_down();
}
END_TEST

START_TEST(a_gathered_layer_is_read_at_the_holder)
{
    set_up();
    add("a", 2, 0, 8); /* on another device, gathered at 0 before the chains can be taken */
    row[1] = (struct ew_boundary){.exchange = EW_EXCHANGE_GATHER, .hub = 0};
    add_pooled("b", 0, 0, 4);
    add_pooled("b", 1, 4, 8);
    add("c", 0, 0, 8);
    add("d", 0, 0, 8);
    const struct ew_task_graph *tasks = lowered();
    for (uint32_t i = 0; i < tasks->n_nodes; i++) {
        const struct ew_task_node *node = &tasks->nodes[i];
        for (uint32_t k = node->successors_begin; k < node->successors_end; k++) {
            ck_assert_uint_gt(tasks->successors[k], i); /* still in topological order */
        }
        if (node->kind == EW_NODE_MESSAGE && node->device == 2 && node->peer == 0) {
            ck_assert_uint_eq(node->successors_end - node->successors_begin, 2);
            ck_assert(tasks->info[tasks->successors[node->successors_begin]].is_steal);
        }
    }
    tear_down();
}
END_TEST

START_TEST(weights_on_change_are_loaded_in_the_chain)
{
    set_up();
    plan.weights = EW_WEIGHTS_ON_CHANGE;
    add_halves();
    const struct ew_task_graph *tasks = lowered();
    uint32_t n_loads = 0;
    for (uint32_t i = 0; i < tasks->n_nodes; i++) {
        n_loads += tasks->nodes[i].kind == EW_NODE_LOAD && tasks->nodes[i].device >= 3;
    }
    ck_assert_uint_eq(n_loads, 2);
    ck_assert_uint_eq(tasks->units[0].n_tasks, 3);
    tear_down();
}
END_TEST

/* ------------------------------------------------------------------------------------ rejections
 */

START_TEST(the_check_refuses_what_cannot_be_bound)
{
    set_up();
    add_halves();
    pieces[0].pool = 3;
    assert_refused("there is no pool 2");
    pieces[0].pool = 2;
    assert_refused("all pieces of chain 0 must wait in one pool");
    pieces[0].pool = 0;
    assert_refused("all pieces of chain 0 must wait in one pool");
    pieces[0].pool = 1;
    pieces[0].chain = EW_NONE;
    assert_refused("belong to a chain");
    pieces[0].chain = 0;
    plan.weights = EW_WEIGHTS_PER_REQUEST;
    assert_refused("weights per_request");
    plan.weights = EW_WEIGHTS_RESIDENT;
    const uint32_t twice[] = {1, 1}, far[] = {1, 7};
    pools[0].members = twice;
    assert_refused("device d1 is a member twice");
    pools[0].members = far;
    assert_refused("there is no device 7");
    pools[0].members = members;
    pools[0].holder = 9;
    assert_refused("there is no device 9 to be the holder");
    pools[0].holder = 0;
    pools[0].n_members = 0;
    assert_refused("expected a member");
    pools[0].n_members = 2;
    row[1].wire_bits = 8;
    ck_assert_int_eq(ew_plan_check(&context, &plan, &err), EW_OK); /* a to b stays in the chain */
    row[0].wire_bits = 8;
    assert_refused("wire_bits");
    tear_down();
}
END_TEST

START_TEST(the_check_refuses_input_that_is_not_at_the_holder)
{
    set_up();
    plan.source_device = 1;
    add_halves();
    assert_refused("chains in a pool read at its holder, d0, and this is on d1");
    tear_down();
    set_up();
    add_pooled("a", 0, 0, 4);
    add_pooled("a", 1, 4, 8);
    add_pooled("b", 2, 0, 8);
    add("c", 0, 0, 8);
    add("d", 0, 0, 8);
    assert_refused("reads what another one computes");
    tear_down();
}
END_TEST

START_TEST(the_check_refuses_chains_that_wait_for_themselves)
{
    /* c of the chain reads b, which device 0 makes of the chain's own a */
    set_up();
    add_pooled("a", 0, 0, 8);
    add("b", 0, 0, 8);
    add_pooled("c", 0, 0, 8);
    add("d", 0, 0, 8);
    assert_refused("reads what follows from its own output");
    tear_down();
    /* a barrier inside: nobody could take the second chain of one member */
    set_up();
    add_halves();
    row[1].has_barrier = true;
    assert_refused("waits for it at a barrier");
    tear_down();
    /* the chain's own output would come back to it through the holder */
    set_up();
    add_halves();
    row[1] = (struct ew_boundary){.exchange = EW_EXCHANGE_GATHER, .hub = 0};
    assert_refused("reads what follows from its own output");
    tear_down();
}
END_TEST

/* ------------------------------------------------------------------------------------ files, wire
 */

static struct ew_book *build(struct ew_builder *builder)
{
    struct ew_book *book = NULL;
    uint16_t id = 0;
    ck_assert_int_eq(ew_builder_begin_plan(builder, "pooled", 1, 0, 0, &err), EW_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ew_builder_add_pool(builder, &pools[i], &id, &err), EW_OK);
        ck_assert_uint_eq(id, 1u + (uint32_t)i);
    }
    for (uint32_t i = 0; i < plan.n_pieces; i++) {
        ck_assert_msg(ew_builder_add_piece(builder, &pieces[i], NULL, &err) == EW_OK, "%s",
                      err.message);
    }
    ck_assert_int_eq(ew_builder_finish(&book, builder, "test", &err), EW_OK);
    return book;
}

START_TEST(a_pool_comes_back_from_a_file_and_over_the_wire)
{
    set_up();
    add_halves();
    struct ew_builder *builder = ew_builder_new(&context);
    struct ew_book *book = build(builder);
    ck_assert_int_eq(ew_book_check(&context, book, &err), EW_OK);
    struct ew_str text = {0}, again = {0}, wire = {0};
    ew_book_print_json(&text, &context, book);
    ck_assert_ptr_nonnull(strstr(ew_str_text(&text), "{\"members\": [\"d1\", \"d2\"], \"holder\": "
                                                     "\"d0\", \"steal_bytes\": 100}"));
    struct ew_book *read = NULL, *received = NULL;
    ck_assert_msg(ew_book_parse_json(&read, ew_str_text(&text), text.length, "p.json", &context,
                                     &err) == EW_OK,
                  "%s", err.message);
    ew_book_print_json(&again, &context, read);
    ck_assert_str_eq(ew_str_text(&text), ew_str_text(&again));
    ck_assert(ew_plan_equal(book->plans[0], read->plans[0], graph));
    ew_book_wire_put(&wire, &context, book);
    ck_assert_int_eq(ew_book_wire_get(&received, wire.text, wire.length, &context, &err), EW_OK);
    ck_assert(ew_plan_equal(book->plans[0], received->plans[0], graph));
    for (size_t cut = 0; cut < wire.length; cut++) {
        struct ew_book *none = NULL;
        ck_assert_int_eq(ew_book_wire_get(&none, wire.text, cut, &context, &err), EW_EPLUGIN);
    }
    /* another number of bytes, another member: another plan */
    ((struct ew_pool *)(uintptr_t)received->plans[0]->pools)[1].steal_bytes++;
    ck_assert(!ew_plan_equal(book->plans[0], received->plans[0], graph));
    ew_str_fini(&text);
    ew_str_fini(&again);
    ew_str_fini(&wire);
    ew_book_free(book);
    ew_book_free(read);
    ew_book_free(received);
    ew_builder_free(builder);
    tear_down();
}
END_TEST

static void assert_no_file(const char *pool, const char *piece, const char *words)
{
    struct ew_str text = {0};
    struct ew_book *book = NULL;
    ew_str_printf(&text,
                  "{\"schema\": \"edgeweave.plan/1\", \"graph\": \"tiny\", \"plans\": "
                  "[{\"source\": \"d0\", \"sink\": \"d0\", \"pools\": [%s], \"pieces\": "
                  "[{\"layer\": \"a\", %s, \"box\": [[0, 1], [0, 2], [0, 8], [0, 8]]}]}]}",
                  pool, piece);
    const enum ew_status status =
        ew_book_parse_json(&book, ew_str_text(&text), text.length, "p.json", &context, &err);
    ck_assert_int_eq(status, EW_EINPUT);
    ck_assert_msg(strstr(err.message, words) != NULL, "expected '%s' in '%s'", words, err.message);
    ew_str_fini(&text);
}

START_TEST(a_file_with_a_bad_pool_is_refused_at_its_place)
{
    static const char good[] = "{\"members\": [\"d1\"], \"holder\": \"d0\", \"steal_bytes\": 1}";
    set_up();
    assert_no_file("{\"members\": [], \"holder\": \"d0\", \"steal_bytes\": 1}",
                   "\"device\": \"d0\"", "expected 1..3 members, found 0");
    assert_no_file("{\"members\": [\"d9\"], \"holder\": \"d0\", \"steal_bytes\": 1}",
                   "\"device\": \"d0\"", "unknown device 'd9'");
    assert_no_file("{\"members\": [\"d1\", \"d1\"], \"holder\": \"d0\", \"steal_bytes\": 1}",
                   "\"device\": \"d0\"", "d1 is a member twice");
    assert_no_file("{\"members\": [\"d1\"], \"holder\": \"d0\", \"steal_bytes\": 0}",
                   "\"device\": \"d0\"", "/pools/0/steal_bytes");
    assert_no_file("{\"members\": [\"d1\"], \"steal_bytes\": 1}", "\"device\": \"d0\"", "holder");
    assert_no_file(good, "\"pool\": 1, \"chain\": 0", "there is no pool 1");
    assert_no_file(good, "\"pool\": 0", "belong to a chain");
    assert_no_file(good, "\"pool\": 0, \"chain\": 0, \"role\": \"sum\"", "must be a full one");
    assert_no_file(good, "\"pool\": 0, \"device\": \"d0\"", "a device or a pool, not both");
    assert_no_file(good, "\"chain\": 0", "device");
    tear_down();
}
END_TEST

START_TEST(the_builder_checks_pools_at_once)
{
    set_up();
    struct ew_builder *builder = ew_builder_new(&context);
    ck_assert_int_eq(ew_builder_begin_plan(builder, "", 1, 0, 0, &err), EW_OK);
    struct ew_pool bad = pools[0];
    bad.holder = 3;
    ck_assert_int_eq(ew_builder_add_pool(builder, &bad, NULL, &err), EW_EINPUT);
    bad = pools[0];
    bad.n_members = 4;
    ck_assert_int_eq(ew_builder_add_pool(builder, &bad, NULL, &err), EW_EINPUT);
    bad = pools[0];
    bad.steal_bytes = 0;
    ck_assert_int_eq(ew_builder_add_pool(builder, &bad, NULL, &err), EW_EINPUT);
    for (int i = 0; i < EW_MAX_POOLS; i++) {
        ck_assert_int_eq(ew_builder_add_pool(builder, &pools[0], NULL, &err), EW_OK);
    }
    ck_assert_int_eq(ew_builder_add_pool(builder, &pools[0], NULL, &err), EW_EINPUT);
    const struct ew_plan *peeked = ew_builder_peek(builder, &err);
    ck_assert_uint_eq(peeked->n_pools, EW_MAX_POOLS);
    for (int i = 0; i < EW_MAX_POOLS; i++) { /* the list of members has moved meanwhile */
        ck_assert_mem_eq(peeked->pools[i].members, members, sizeof members);
    }
    struct ew_piece piece = tiny_whole(graph, "a", 77);
    piece.pool = 1;
    piece.chain = 0;
    ck_assert_int_eq(ew_builder_add_piece(builder, &piece, NULL, &err), EW_OK);
    ck_assert_uint_eq(ew_builder_peek(builder, &err)->pieces[0].device, 0); /* the holder */
    ew_builder_free(builder);
    tear_down();
}
END_TEST

/* As a plugin calls it. Older plugins know pieces without a pool: then whatever lies behind their
 * struct says nothing. */
static void call_the_builder(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)host;
    ck_assert(EW_HAS(struct ew_plan_builder, builder, add_pool));
    struct ew_pool_desc pool = {.struct_size = sizeof pool,
                                .holder = 0,
                                .steal_bytes = 7,
                                .members = members,
                                .n_members = 2};
    ck_assert_int_eq(builder->begin_plan(builder, "abi"), EW_STRATEGY_OK);
    ck_assert_int_eq(builder->add_pool(builder, NULL), EW_STRATEGY_EINVALID);
    pool.struct_size = 8;
    ck_assert_int_eq(builder->add_pool(builder, &pool), EW_STRATEGY_EINVALID);
    pool.struct_size = sizeof pool;
    pool.members = NULL;
    ck_assert_int_eq(builder->add_pool(builder, &pool), EW_STRATEGY_EINVALID);
    pool.members = members;
    pool.holder = 99;
    ck_assert_int_eq(builder->add_pool(builder, &pool), EW_STRATEGY_EINVALID);
    pool.holder = 0;
    ck_assert_int_eq(builder->add_pool(builder, &pool), 1);
    ck_assert_int_eq(builder->add_pool(builder, &pool), 2);
    struct ew_piece_desc piece = {.struct_size = sizeof piece,
                                  .layer = 1,
                                  .device = 12345, /* says nothing in a pool */
                                  .chain = 5,
                                  .sum_piece = EW_ID_NONE,
                                  .box = {{0, 0, 0, 0}, {1, 2, 8, 8}},
                                  .pool = 2};
    ck_assert_int_eq(builder->add_piece(builder, &piece), 0);
    piece.pool = 3;
    ck_assert_int_eq(builder->add_piece(builder, &piece), EW_STRATEGY_EINVALID);
    piece.pool = UINT32_MAX;
    ck_assert_int_eq(builder->add_piece(builder, &piece), EW_STRATEGY_EINVALID);
    piece.struct_size = offsetof(struct ew_piece_desc, pool);
    ck_assert_int_eq(builder->add_piece(builder, &piece), EW_STRATEGY_EINVALID); /* device 12345 */
    piece.device = 1;
    piece.layer = 2;
    ck_assert_int_eq(builder->add_piece(builder, &piece), 1);
    piece.layer = 3;
    ck_assert_int_eq(builder->add_piece(builder, &piece), 2);
    piece.layer = 4;
    ck_assert_int_eq(builder->add_piece(builder, &piece), 3);
}

START_TEST(pools_cross_the_plugin_interface)
{
    struct planning *planning = planning_new(tiny_graph(2, 8, 8, 4, layers), tiny_star(3));
    planning_ask(planning, call_the_builder);
    planning_free(planning);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_chain_becomes_a_steal_message_its_input_tasks_and_output,
        members_hold_what_any_chain_needs_and_share_the_work,
        the_memory_of_every_member_counts,
        a_gathered_layer_is_read_at_the_holder,
        weights_on_change_are_loaded_in_the_chain,
        the_check_refuses_what_cannot_be_bound,
        the_check_refuses_input_that_is_not_at_the_holder,
        the_check_refuses_chains_that_wait_for_themselves,
        a_pool_comes_back_from_a_file_and_over_the_wire,
        a_file_with_a_bad_pool_is_refused_at_its_place,
        the_builder_checks_pools_at_once,
        pools_cross_the_plugin_interface,
    };
    return run_suite("pools", tests, sizeof tests / sizeof *tests);
}
