#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/graph_json.h"
#include "io/plan_json.h"
#include "plan/builder.h"
#include "support/suite.h"
#include "support/tiny.h"

/* Two variants and two exits, so that every part of the format has something to say. */
static const char GRAPH[] =
    "{\"schema\": \"edgeweave.graph/1\", \"name\": \"tiny\", \"source\": \"\","
    " \"dtype\": \"float32\", \"inputs\": [{\"name\": \"x\", \"shape\": [1, 4, 8, 8]}],"
    " \"layers\": [{\"name\": \"a\", \"op\": \"conv\", \"out_channels\": 4, \"kernel\": 1},"
    "  {\"name\": \"b\", \"op\": \"conv\", \"out_channels\": 6, \"kernel\": 3,"
    "   \"pads\": [1, 1, 1, 1]}],"
    " \"exits\": [{\"name\": \"early\", \"layer\": \"a\"}, {\"name\": \"full\", \"layer\": \"b\"}],"
    " \"variants\": [{\"name\": \"slim\", \"accuracy\": 0.5,"
    "   \"overrides\": {\"a\": {\"out_channels\": 2}}}]}";

static struct ew_graph *graph;
static struct ew_platform *platform;
static struct ew_plan_context context;
static struct ew_builder *builder;
static struct ew_error err;

static void set_up(void)
{
    err = (struct ew_error){0};
    ck_assert_msg(ew_graph_parse_json(&graph, GRAPH, strlen(GRAPH), NULL, &err) == EW_OK, "%s",
                  err.message);
    platform = tiny_star(3);
    context = (struct ew_plan_context){graph, platform, ew_element_bytes_of(graph)};
    builder = ew_builder_new(&context);
    ck_assert_ptr_nonnull(builder);
}

static void tear_down(void)
{
    ew_builder_free(builder);
    ew_platform_free(platform);
    ew_graph_free(graph);
}

#define OK(call) ck_assert_msg((call) == EW_OK, "%s", err.message)

static uint32_t layer_id(const char *name)
{
    uint32_t id;
    ck_assert(ew_graph_find_layer(&id, graph, name));
    return id;
}

/* Pieces of both layers for images [lo, hi) of a segment, channels by variant. */
static void add_segment(uint32_t segment, int32_t lo, int32_t hi, int32_t channels_a,
                        uint32_t chain)
{
    struct ew_piece a = {.layer = layer_id("a"),
                         .device = 1,
                         .segment = segment,
                         .chain = chain,
                         .sum = EW_NONE,
                         .box = {{lo, 0, 0, 0}, {hi, channels_a, 8, 8}}};
    OK(ew_builder_add_piece(builder, &a, NULL, &err));
}

/* Two plans, segments with a variant and an early exit, a sum of partials, all exchange modes. */
static struct ew_book *rich_book(void)
{
    uint32_t segment;
    OK(ew_builder_begin_plan(builder, "first \"plan\"", 3, 0, 2, &err));
    OK(ew_builder_assign(builder, 0, 1, 1, 0, &segment, &err));
    OK(ew_builder_assign(builder, 1, 3, 0, 1, &segment, &err));
    add_segment(0, 0, 1, 2, 9);
    add_segment(1, 1, 3, 4, EW_NONE);
    uint32_t sum;
    struct ew_piece b = {.layer = layer_id("b"),
                         .device = 2,
                         .segment = 1,
                         .chain = EW_NONE,
                         .sum = EW_NONE,
                         .role = EW_PIECE_SUM,
                         .box = {{1, 0, 0, 0}, {3, 6, 8, 8}}};
    OK(ew_builder_add_piece(builder, &b, &sum, &err));
    b.role = EW_PIECE_PARTIAL;
    b.sum = sum;
    for (int32_t half = 0; half < 2; half++) {
        b.device = (uint32_t)half;
        b.reduction = (struct ew_reduction){2 * half, 2 * half + 2};
        OK(ew_builder_add_piece(builder, &b, NULL, &err));
    }
    OK(ew_builder_set_boundary(builder, 0, layer_id("a"),
                               (struct ew_boundary){EW_EXCHANGE_RELAY, true, 8, 1}, &err));
    OK(ew_builder_set_boundary(builder, 1, layer_id("a"),
                               (struct ew_boundary){EW_EXCHANGE_GATHER, false, 0, 2}, &err));
    OK(ew_builder_set_weights(builder, EW_WEIGHTS_PER_REQUEST, &err));
    OK(ew_builder_set_note(builder, "why", "because\n", &err));
    OK(ew_builder_set_prediction(builder, 0.1, NAN, "too slow", &err));
    OK(ew_builder_set_share(builder, 3, 0, NULL, &err));
    OK(ew_builder_begin_plan(builder, "second", 3, 0, 2, &err));
    OK(ew_builder_set_share(builder, 1, 0, NULL, &err));
    OK(ew_builder_set_prediction(builder, 1.0 / 3, 2e-300, NULL, &err));
    OK(ew_builder_set_pick(builder, EW_PICK_CYCLE, &err));
    struct ew_book *book = NULL;
    OK(ew_builder_finish(&book, builder, "lab.rich", &err));
    return book;
}

static struct ew_book *reread(const struct ew_str *text)
{
    struct ew_book *book = NULL;
    OK(ew_book_parse_json(&book, ew_str_text(text), text->length, "p.json", &context, &err));
    return book;
}

static void assert_same_plan(const struct ew_plan *a, const struct ew_plan *b)
{
    ck_assert_str_eq(a->name, b->name);
    ck_assert_int_eq(a->batch, b->batch);
    ck_assert_uint_eq(a->source_device, b->source_device);
    ck_assert_uint_eq(a->sink_device, b->sink_device);
    ck_assert_uint_eq(a->weights, b->weights);
    ck_assert_uint_eq(a->weight, b->weight);
    ck_assert_uint_eq(a->n_segments, b->n_segments);
    ck_assert_mem_eq(a->segments, b->segments, a->n_segments * sizeof *a->segments);
    ck_assert_uint_eq(a->n_pieces, b->n_pieces);
    for (uint32_t i = 0; i < a->n_pieces; i++) {
        const struct ew_piece *x = &a->pieces[i], *y = &b->pieces[i];
        ck_assert(x->layer == y->layer && x->device == y->device && x->segment == y->segment);
        ck_assert(x->chain == y->chain && x->sum == y->sum && x->role == y->role);
        ck_assert(ew_box_equal(&x->box, &y->box));
        ck_assert(x->reduction.lo == y->reduction.lo && x->reduction.hi == y->reduction.hi);
    }
    for (uint32_t v = 0; v < graph->n_variants; v++) {
        for (uint32_t i = 0; i < graph->variants[v].graph->n_layers; i++) {
            const struct ew_boundary x = ew_plan_boundary(a, v, i), y = ew_plan_boundary(b, v, i);
            ck_assert(x.exchange == y.exchange && x.has_barrier == y.has_barrier);
            ck_assert(x.wire_bits == y.wire_bits);
            ck_assert(x.exchange == EW_EXCHANGE_DIRECT || x.hub == y.hub);
        }
    }
    ck_assert_uint_eq(a->n_notes, b->n_notes);
    for (uint32_t i = 0; i < a->n_notes; i++) {
        ck_assert_str_eq(a->notes[i].key, b->notes[i].key);
        ck_assert_str_eq(a->notes[i].value, b->notes[i].value);
    }
    ck_assert_int_eq(a->claims_feasible, b->claims_feasible);
    ck_assert_pstr_eq(a->infeasible_reason, b->infeasible_reason);
    ck_assert(a->predicted_latency_s == b->predicted_latency_s);
    ck_assert((isnan(a->predicted_energy_j) && isnan(b->predicted_energy_j)) ||
              a->predicted_energy_j == b->predicted_energy_j);
}

START_TEST(a_book_comes_back_as_it_was)
{
    struct ew_str first = {0}, second = {0};
    struct ew_book *book = rich_book();
    ew_book_print_json(&first, &context, book);
    ck_assert(!first.failed);
    struct ew_book *again = reread(&first);
    ew_book_print_json(&second, &context, again);
    ck_assert_str_eq(first.text, second.text);
    ck_assert_str_eq(again->strategy, "lab.rich");
    ck_assert_uint_eq(again->pick, EW_PICK_CYCLE);
    ck_assert_uint_eq(again->n_plans, book->n_plans);
    for (uint32_t i = 0; i < book->n_plans; i++) {
        assert_same_plan(book->plans[i], again->plans[i]);
    }
    ew_book_free(again);
    ew_book_free(book);
    ew_str_fini(&first);
    ew_str_fini(&second);
}
END_TEST

START_TEST(every_pick_rule_keeps_its_shares)
{
    static const enum ew_pick picks[] = {EW_PICK_BY_CLASS, EW_PICK_BY_EXIT_DRAW};
    for (size_t k = 0; k < 2; k++) {
        for (int i = 0; i < 2; i++) {
            OK(ew_builder_begin_plan(builder, i ? "b" : "a", 1, 0, 0, &err));
            OK(ew_builder_set_share(builder, 1, i ? 0.25 : 0.75, i ? "fast" : "slow", &err));
        }
        OK(ew_builder_set_pick(builder, picks[k], &err));
        struct ew_book *book = NULL;
        OK(ew_builder_finish(&book, builder, "s", &err));
        struct ew_str text = {0};
        ew_book_print_json(&text, &context, book);
        struct ew_book *again = reread(&text);
        ck_assert_uint_eq(again->pick, picks[k]);
        ck_assert_str_eq(again->plans[1]->class_name, "fast");
        if (picks[k] == EW_PICK_BY_EXIT_DRAW) {
            ck_assert_double_eq(again->plans[1]->probability, 0.25);
        }
        ew_book_free(again);
        ew_book_free(book);
        ew_str_fini(&text);
    }
}
END_TEST

static void refuses(const char *plan, const char *message)
{
    struct ew_str text = {0};
    struct ew_book *book = NULL;
    ew_str_printf(&text, "{\"schema\": \"edgeweave.plan/1\", \"graph\": \"tiny\", \"plans\": [%s]}",
                  plan);
    ck_assert_int_eq(ew_book_parse_json(&book, text.text, text.length, "p", &context, &err),
                     EW_EINPUT);
    ck_assert_str_eq(err.message, message);
    ew_str_fini(&text);
}

#define ENDS "\"source\": \"d0\", \"sink\": \"d0\""

START_TEST(messages_name_the_place)
{
    refuses("", "p: /plans: expected 1..4096 plans, found 0");
    refuses("{" ENDS "}", "p: /plans/0: expected a member 'pieces', found none");
    refuses("{\"source\": \"d7\"}", "p: /plans/0/source: unknown device 'd7'; did you mean 'd0'?");
    refuses("{" ENDS ", \"batch\": 0}",
            "p: /plans/0/batch: expected an integer in 1..2147483647, found 0");
    refuses("{" ENDS ", \"weights\": \"never\"}",
            "p: /plans/0/weights: unknown weights rule 'never'");
    refuses("{" ENDS ", \"segments\": [{\"images\": [0, 1], \"exit\": \"ful\"}]}",
            "p: /plans/0/segments/0/exit: unknown exit 'ful'; did you mean 'full'?");
    refuses("{" ENDS ", \"boundaries\": [{\"layer\": \"a\", \"exchange\": \"relay\"}]}",
            "p: /plans/0/boundaries/0: expected a member 'hub', found none");
    refuses("{" ENDS ", \"boundaries\": [{\"layer\": \"a\", \"wire_bits\": 65}]}",
            "p: /plans/0/boundaries/0/wire_bits: expected an integer in 0..64, found 65");
    refuses(
        "{" ENDS ", \"pieces\": [{\"layer\": \"a\", \"device\": \"d0\", \"box\": [[0, 1]]}]}",
        "p: /plans/0/pieces/0/box: expected four intervals: images, channels, rows and columns, "
        "found an array");
    refuses("{" ENDS ", \"pieces\": [{\"layer\": \"a\", \"device\": \"d0\", \"role\": \"partial\","
            " \"box\": [[0, 1], [0, 4], [0, 8], [0, 8]]}]}",
            "p: /plans/0/pieces/0: expected a member 'sum', found none");
    refuses("{" ENDS ", \"pieces\": [{\"layer\": \"a\", \"device\": \"d0\", \"segment\": 1,"
            " \"box\": [[0, 1], [0, 4], [0, 8], [0, 8]]}]}",
            "p: /plans/0/pieces/0/segment: expected an integer in 0..0, found 1");
}
END_TEST

START_TEST(what_the_builder_refuses_has_a_place)
{
    struct ew_book *book = NULL;
    const char *text = "{\"schema\": \"edgeweave.plan/1\", \"graph\": \"tiny\", \"plans\": [{" ENDS
                       ", \"pieces\": [{\"layer\": \"a\", \"device\": \"d0\","
                       " \"box\": [[0, 2], [0, 4], [0, 8], [0, 8]]}]}]}";
    ck_assert_int_eq(ew_book_parse_json(&book, text, strlen(text), "p", &context, &err), EW_EINPUT);
    ck_assert_msg(strncmp(err.message, "p: /plans/0/pieces/0: ", 22) == 0, "%s", err.message);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_book_comes_back_as_it_was,
        every_pick_rule_keeps_its_shares,
        messages_name_the_place,
        what_the_builder_refuses_has_a_place,
    };
    Suite *suite = begin_suite("plan_json");
    TCase *tcase = tcase_create("plan_json");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
