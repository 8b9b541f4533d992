#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/builder.h"
#include "plan/check.h"
#include "support/suite.h"
#include "support/tiny.h"

static const struct tiny_layer layers[] = {
    {.name = "a", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    {.name = "b", .op = EW_OP_CONV, .out_channels = 6, .kernel = 1},
};

static struct ew_graph *graph;
static struct ew_platform *platform;
static struct ew_plan_context context;
static struct ew_builder *builder;
static struct ew_error err;

static void set_up(void)
{
    graph = tiny_graph(2, 8, 8, 2, layers);
    platform = tiny_star(3);
    context = (struct ew_plan_context){graph, platform, ew_element_bytes_of(graph)};
    builder = ew_builder_new(&context);
    err = (struct ew_error){0};
    ck_assert_ptr_nonnull(builder);
}

static void tear_down(void)
{
    ew_builder_free(builder);
    ew_platform_free(platform);
    ew_graph_free(graph);
}

static void begin(int32_t batch)
{
    ck_assert_int_eq(ew_builder_begin_plan(builder, "p", batch, 0, 0, &err), EW_OK);
}

static void refuses(enum ew_status status, const char *message)
{
    ck_assert_int_eq(status, EW_EINPUT);
    ck_assert_str_eq(err.message, message);
}

static void add_whole(uint32_t device)
{
    const struct ew_piece a = tiny_whole(graph, "a", device), b = tiny_whole(graph, "b", device);
    ck_assert_int_eq(ew_builder_add_piece(builder, &a, NULL, &err), EW_OK);
    ck_assert_int_eq(ew_builder_add_piece(builder, &b, NULL, &err), EW_OK);
}

START_TEST(everything_needs_a_plan_first)
{
    const char *expected = "no plan has been begun: call begin_plan first";
    const struct ew_piece piece = tiny_whole(graph, "a", 0);
    struct ew_boundary boundary;
    refuses(ew_builder_add_piece(builder, &piece, NULL, &err), expected);
    refuses(ew_builder_assign(builder, 0, 1, 0, 0, NULL, &err), expected);
    refuses(ew_builder_set_boundary(builder, 0, 0, (struct ew_boundary){0}, &err), expected);
    refuses(ew_builder_boundary(&boundary, builder, 0, 0, &err), expected);
    refuses(ew_builder_set_weights(builder, EW_WEIGHTS_RESIDENT, &err), expected);
    refuses(ew_builder_set_note(builder, "k", "v", &err), expected);
    refuses(ew_builder_set_prediction(builder, 1, 1, NULL, &err), expected);
    refuses(ew_builder_set_share(builder, 1, 0, NULL, &err), expected);
    ck_assert_ptr_null(ew_builder_peek(builder, &err));
    struct ew_book *book = NULL;
    refuses(ew_builder_finish(&book, builder, "x", &err), "no plan was begun");
}
END_TEST

START_TEST(begin_plan_checks_batch_devices_and_name)
{
    refuses(ew_builder_begin_plan(builder, "p", 0, 0, 0, &err),
            "plan: expected a batch of at least 1, got 0");
    refuses(ew_builder_begin_plan(builder, "p", 1, 0, 3, &err),
            "plan: expected source and sink below 3 devices, got 0 and 3");
    char *name = calloc(1, 6000);
    memset(name, 'n', 5999);
    refuses(ew_builder_begin_plan(builder, name, 1, 0, 0, &err),
            "plan name: expected at most 4096 bytes of text");
    free(name);
    ck_assert_uint_eq(ew_builder_plan_count(builder), 0);
}
END_TEST

START_TEST(a_refused_piece_changes_nothing)
{
    begin(1);
    struct ew_piece piece = tiny_whole(graph, "a", 3);
    refuses(ew_builder_add_piece(builder, &piece, NULL, &err),
            "layer a: expected a device below 3, got 3");
    piece = tiny_whole(graph, "a", 0);
    piece.layer = 9;
    refuses(ew_builder_add_piece(builder, &piece, NULL, &err),
            "piece: expected a layer below 3, got 9");
    piece.layer = 0;
    refuses(ew_builder_add_piece(builder, &piece, NULL, &err),
            "layer x is a network input: it takes no piece");
    piece = tiny_whole(graph, "a", 0);
    piece.segment = 1;
    refuses(ew_builder_add_piece(builder, &piece, NULL, &err), "piece: there is no segment 1");
    piece = tiny_whole(graph, "a", 0);
    piece.role = 9;
    refuses(ew_builder_add_piece(builder, &piece, NULL, &err), "layer a: unknown piece role 9");
    ck_assert_uint_eq(ew_builder_peek(builder, &err)->n_pieces, 0);
}
END_TEST

START_TEST(boxes_are_inside_the_layer_and_not_empty)
{
    begin(2);
    struct ew_piece piece = tiny_rows(graph, "a", 0, 3, 9);
    refuses(ew_builder_add_piece(builder, &piece, NULL, &err),
            "layer a: box [0,1)x[0,4)x[3,9)x[0,8) is empty or outside [0,2)x[0,4)x[0,8)x[0,8)");
    piece = tiny_rows(graph, "a", 0, 4, 4);
    refuses(ew_builder_add_piece(builder, &piece, NULL, &err),
            "layer a: box [0,1)x[0,4)x[4,4)x[0,8) is empty or outside [0,2)x[0,4)x[0,8)x[0,8)");
    piece = tiny_rows(graph, "a", 0, 5, 2);
    ck_assert_int_eq(ew_builder_add_piece(builder, &piece, NULL, &err), EW_EINPUT);
    piece = tiny_whole(graph, "a", 0);
    piece.box.lo[EW_N] = 1;
    piece.box.hi[EW_N] = 2;
    ck_assert_int_eq(ew_builder_add_piece(builder, &piece, NULL, &err), EW_OK);
    piece.box.hi[EW_N] = 3;
    ck_assert_int_eq(ew_builder_add_piece(builder, &piece, NULL, &err), EW_EINPUT);
    piece.box.lo[EW_N] = INT32_MIN;
    piece.box.hi[EW_N] = INT32_MAX;
    ck_assert_int_eq(ew_builder_add_piece(builder, &piece, NULL, &err), EW_EINPUT);
}
END_TEST

START_TEST(a_piece_stays_in_the_images_of_its_segment)
{
    begin(4);
    uint32_t segment = 9;
    ck_assert_int_eq(ew_builder_assign(builder, 0, 3, 0, 0, &segment, &err), EW_OK);
    ck_assert_uint_eq(segment, 0);
    ck_assert_int_eq(ew_builder_assign(builder, 3, 4, 0, 0, &segment, &err), EW_OK);
    ck_assert_uint_eq(segment, 1);
    struct ew_piece piece = tiny_whole(graph, "a", 0);
    piece.segment = 1;
    refuses(ew_builder_add_piece(builder, &piece, NULL, &err),
            "layer a: box [0,1)x[0,4)x[0,8)x[0,8) is empty or outside [3,4)x[0,4)x[0,8)x[0,8)");
    piece.box.lo[EW_N] = 3;
    piece.box.hi[EW_N] = 4;
    ck_assert_int_eq(ew_builder_add_piece(builder, &piece, NULL, &err), EW_OK);
}
END_TEST

START_TEST(segments_follow_each_other_and_tile_the_batch)
{
    begin(4);
    refuses(ew_builder_assign(builder, 1, 2, 0, 0, NULL, &err),
            "assign: expected images from 0 up to at most 4, got [1, 2)");
    refuses(ew_builder_assign(builder, 0, 0, 0, 0, NULL, &err),
            "assign: expected images from 0 up to at most 4, got [0, 0)");
    refuses(ew_builder_assign(builder, 0, 5, 0, 0, NULL, &err),
            "assign: expected images from 0 up to at most 4, got [0, 5)");
    refuses(ew_builder_assign(builder, 0, 2, 1, 0, NULL, &err),
            "assign: expected a variant below 1, got 1");
    refuses(ew_builder_assign(builder, 0, 2, 0, 1, NULL, &err),
            "assign: expected an exit below 1, got 1");
    ck_assert_int_eq(ew_builder_assign(builder, 0, 2, 0, 0, NULL, &err), EW_OK);
    struct ew_book *book = NULL;
    refuses(ew_builder_finish(&book, builder, "x", &err),
            "plan 'p': images 2..3 were not assigned");
    ck_assert_ptr_null(book);
}
END_TEST

START_TEST(assign_comes_before_pieces)
{
    begin(1);
    add_whole(0);
    refuses(ew_builder_assign(builder, 0, 1, 0, 0, NULL, &err),
            "assign must come before the first piece");
}
END_TEST

START_TEST(a_partial_piece_names_its_sum)
{
    begin(1);
    const char *expected = "layer b: a partial piece must name an earlier sum piece of the same "
                           "layer, segment and box";
    struct ew_piece part = tiny_whole(graph, "b", 1);
    part.role = EW_PIECE_PARTIAL;
    part.reduction = (struct ew_reduction){0, 2};
    part.sum = 0;
    refuses(ew_builder_add_piece(builder, &part, NULL, &err), expected);
    struct ew_piece sum = tiny_whole(graph, "b", 0);
    uint32_t number = 9;
    ck_assert_int_eq(ew_builder_add_piece(builder, &sum, &number, &err), EW_OK);
    ck_assert_uint_eq(number, 0);
    refuses(ew_builder_add_piece(builder, &part, NULL, &err), expected); /* 0 is a full piece */
    sum.role = EW_PIECE_SUM;
    ck_assert_int_eq(ew_builder_add_piece(builder, &sum, &number, &err), EW_OK);
    part.sum = number;
    part.box.hi[EW_H] = 7;
    refuses(ew_builder_add_piece(builder, &part, NULL, &err), expected);
    part.box.hi[EW_H] = 8;
    part.reduction.hi = 5; /* layer b reads 4 channels */
    refuses(ew_builder_add_piece(builder, &part, NULL, &err),
            "layer b: expected a reduction inside [0, 4), got [0, 5)");
    part.reduction = (struct ew_reduction){2, 2};
    refuses(ew_builder_add_piece(builder, &part, NULL, &err),
            "layer b: expected a reduction inside [0, 4), got [2, 2)");
    part.reduction = (struct ew_reduction){2, 4};
    ck_assert_int_eq(ew_builder_add_piece(builder, &part, NULL, &err), EW_OK);
}
END_TEST

START_TEST(boundaries_are_checked_and_overwritten)
{
    begin(1);
    const struct ew_boundary relay = {.exchange = EW_EXCHANGE_RELAY, .hub = 2, .wire_bits = 8};
    refuses(ew_builder_set_boundary(builder, 1, 0, relay, &err),
            "boundary: expected a variant below 1, got 1");
    refuses(ew_builder_set_boundary(builder, 0, 3, relay, &err),
            "boundary: expected a layer below 3, got 3");
    refuses(ew_builder_set_boundary(builder, 0, 1, (struct ew_boundary){.exchange = 3}, &err),
            "boundary behind a: unknown exchange mode 3");
    refuses(ew_builder_set_boundary(builder, 0, 1,
                                    (struct ew_boundary){.exchange = EW_EXCHANGE_GATHER, .hub = 3},
                                    &err),
            "boundary behind a: relay and gather need a hub below 3 devices, got 3");
    refuses(ew_builder_set_boundary(builder, 0, 1, (struct ew_boundary){.wire_bits = 65}, &err),
            "boundary behind a: expected 0 to 64 bits per element, got 65");
    ck_assert_int_eq(ew_builder_set_boundary(builder, 0, 1, relay, &err), EW_OK);
    const struct ew_boundary barrier = {.has_barrier = true};
    ck_assert_int_eq(ew_builder_set_boundary(builder, 0, 0, barrier, &err), EW_OK);
    ck_assert_int_eq(ew_builder_set_boundary(builder, 0, 1, barrier, &err), EW_OK);
    struct ew_boundary found;
    ck_assert_int_eq(ew_builder_boundary(&found, builder, 0, 1, &err), EW_OK);
    ck_assert(found.has_barrier && found.exchange == EW_EXCHANGE_DIRECT && found.wire_bits == 0);
    ck_assert(ew_plan_boundary(ew_builder_peek(builder, &err), 0, 0).has_barrier);
}
END_TEST

START_TEST(reset_forgets_everything)
{
    begin(1);
    add_whole(1);
    ck_assert_int_eq(
        ew_builder_set_boundary(builder, 0, 1, (struct ew_boundary){.has_barrier = true}, &err),
        EW_OK);
    ck_assert_int_eq(ew_builder_set_note(builder, "k", "v", &err), EW_OK);
    ck_assert_int_eq(ew_builder_set_prediction(builder, 1, 2, "late", &err), EW_OK);
    ck_assert_int_eq(ew_builder_set_pick(builder, EW_PICK_CYCLE, &err), EW_OK);
    ck_assert_int_eq(ew_builder_set_weights(builder, EW_WEIGHTS_PER_REQUEST, &err), EW_OK);
    ew_builder_reset(builder);
    ck_assert_uint_eq(ew_builder_plan_count(builder), 0);
    begin(1);
    const struct ew_plan *plan = ew_builder_peek(builder, &err);
    ck_assert_uint_eq(plan->n_pieces, 0);
    ck_assert_uint_eq(plan->n_notes, 0);
    ck_assert(isnan(plan->predicted_latency_s) && isnan(plan->predicted_energy_j));
    ck_assert(plan->claims_feasible);
    ck_assert_uint_eq(plan->weights, EW_WEIGHTS_RESIDENT);
    ck_assert(!ew_plan_boundary(plan, 0, 1).has_barrier);
    begin(1);
    struct ew_book *book = NULL;
    refuses(ew_builder_finish(&book, builder, "x", &err),
            "pick rule 'only' needs one plan, 2 were begun");
}
END_TEST

/* A search builds many plans; from the second on no memory is taken for pieces and boundaries. */
START_TEST(reset_keeps_memory_for_pieces)
{
    begin(1);
    add_whole(0);
    const struct ew_piece *first = ew_builder_peek(builder, &err)->pieces;
    for (int i = 0; i < 5; i++) {
        ew_builder_reset(builder);
        begin(1);
        add_whole(1);
        ck_assert_ptr_eq(ew_builder_peek(builder, &err)->pieces, first);
        ck_assert_uint_eq(first[0].device, 1);
    }
}
END_TEST

START_TEST(peek_shows_the_current_plan_without_ending_it)
{
    begin(3);
    add_whole(0);
    const struct ew_plan *plan = ew_builder_peek(builder, &err);
    ck_assert_uint_eq(plan->n_pieces, 2);
    ck_assert_uint_eq(plan->n_segments, 1);
    ck_assert_int_eq(plan->segments[0].image_hi, 3);
    ck_assert_uint_eq(plan->segments[0].exit, graph->n_exits - 1);
    const struct ew_piece piece = tiny_whole(graph, "a", 1);
    ck_assert_int_eq(ew_builder_add_piece(builder, &piece, NULL, &err), EW_OK);
    ck_assert_uint_eq(ew_builder_peek(builder, &err)->n_pieces, 3);
    begin(1);
    ck_assert_uint_eq(ew_builder_peek(builder, &err)->n_pieces, 0);
    ck_assert_uint_eq(ew_builder_plan_count(builder), 2);
}
END_TEST

START_TEST(finish_copies_everything)
{
    char name[] = "cut", key[] = "device", value[] = "d1", reason[] = "too late";
    ck_assert_int_eq(ew_builder_begin_plan(builder, name, 1, 0, 2, &err), EW_OK);
    add_whole(1);
    ck_assert_int_eq(ew_builder_set_note(builder, key, "old", &err), EW_OK);
    ck_assert_int_eq(ew_builder_set_note(builder, key, value, &err), EW_OK);
    ck_assert_int_eq(ew_builder_set_prediction(builder, 0.5, NAN, reason, &err), EW_OK);
    const struct ew_boundary relay = {.exchange = EW_EXCHANGE_RELAY, .hub = 2};
    ck_assert_int_eq(ew_builder_set_boundary(builder, 0, 1, relay, &err), EW_OK);
    struct ew_book *book = NULL;
    ck_assert_int_eq(ew_builder_finish(&book, builder, "maker", &err), EW_OK);
    memset(name, '?', sizeof name - 1);
    memset(key, '?', sizeof key - 1);
    memset(value, '?', sizeof value - 1);
    memset(reason, '?', sizeof reason - 1);
    ck_assert_uint_eq(ew_builder_plan_count(builder), 0);
    begin(1); /* must not disturb the book */
    add_whole(2);
    const struct ew_plan *plan = book->plans[0];
    ck_assert_str_eq(book->strategy, "maker");
    ck_assert_str_eq(plan->name, "cut");
    ck_assert_uint_eq(plan->n_notes, 1);
    ck_assert_str_eq(plan->notes[0].key, "device");
    ck_assert_str_eq(plan->notes[0].value, "d1");
    ck_assert_str_eq(plan->infeasible_reason, "too late");
    ck_assert(!plan->claims_feasible && plan->predicted_latency_s == 0.5);
    ck_assert_uint_eq(plan->sink_device, 2);
    ck_assert_uint_eq(plan->pieces[0].device, 1);
    ck_assert_uint_eq(ew_plan_boundary(plan, 0, 1).hub, 2);
    ck_assert_msg(ew_book_check(&context, book, &err) == EW_OK, "%s", err.message);
    ew_book_free(book);
}
END_TEST

START_TEST(a_book_may_hold_several_plans)
{
    for (uint32_t i = 0; i < 3; i++) {
        begin(1);
        add_whole(i);
        ck_assert_int_eq(ew_builder_set_share(builder, i + 1, 0, NULL, &err), EW_OK);
    }
    ck_assert_int_eq(ew_builder_set_pick(builder, EW_PICK_CYCLE, &err), EW_OK);
    struct ew_book *book = NULL;
    ck_assert_int_eq(ew_builder_finish(&book, builder, NULL, &err), EW_OK);
    ck_assert_uint_eq(book->n_plans, 3);
    ck_assert_uint_eq(book->pick, EW_PICK_CYCLE);
    ck_assert_uint_eq(book->plans[2]->weight, 3);
    ck_assert_uint_eq(book->plans[2]->pieces[0].device, 2);
    ck_assert_str_eq(book->strategy, "");
    ew_book_free(book);
}
END_TEST

START_TEST(predictions_shares_and_modes_have_ranges)
{
    begin(1);
    refuses(ew_builder_set_prediction(builder, -1, 0, NULL, &err),
            "prediction: expected seconds and joules >= 0 (or NAN for unknown), got -1 and 0");
    refuses(ew_builder_set_prediction(builder, 1, INFINITY, NULL, &err),
            "prediction: expected seconds and joules >= 0 (or NAN for unknown), got 1 and inf");
    refuses(ew_builder_set_share(builder, 1, NAN, NULL, &err),
            "share: expected a probability from 0 to 1, got nan");
    refuses(ew_builder_set_share(builder, 1000001, 0, NULL, &err),
            "share: expected a weight up to 1000000, got 1000001");
    refuses(ew_builder_set_weights(builder, (enum ew_weights)7, &err), "weights: unknown mode 7");
    refuses(ew_builder_set_pick(builder, (enum ew_pick)7, &err), "pick: unknown rule 7");
    refuses(ew_builder_set_note(builder, "", "v", &err), "note: expected a key and a value");
    refuses(ew_builder_set_note(builder, "k", NULL, &err), "note: expected a key and a value");
}
END_TEST

START_TEST(notes_are_limited)
{
    begin(1);
    char key[16];
    enum ew_status status = EW_OK;
    int n = 0;
    for (; n < 1000 && status == EW_OK; n++) {
        (void)snprintf(key, sizeof key, "k%d", n);
        status = ew_builder_set_note(builder, key, "v", &err);
    }
    refuses(status, "note 'k256': expected at most 256 notes on a plan");
    ck_assert_int_eq(ew_builder_set_note(builder, "k3", "changed", &err), EW_OK);
}
END_TEST

START_TEST(pieces_are_limited_over_all_plans)
{
    const struct ew_piece piece = tiny_whole(graph, "a", 0);
    const uint32_t limit = 1u << 22;
    enum ew_status status = EW_OK;
    uint32_t n = 0;
    for (; n <= limit && status == EW_OK; n++) {
        if (n % (limit / 2) == 0) {
            begin(1);
        }
        status = ew_builder_add_piece(builder, &piece, NULL, &err);
    }
    refuses(status, "expected at most 4194304 pieces in a book");
    ck_assert_uint_eq(n, limit + 1);
    ew_builder_reset(builder);
    begin(1);
    ck_assert_int_eq(ew_builder_add_piece(builder, &piece, NULL, &err), EW_OK);
}
END_TEST

int main(void)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
    Suite *suite = begin_suite("builder");
    TCase *tcase = tcase_create("builder");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, everything_needs_a_plan_first);
    tcase_add_test(tcase, begin_plan_checks_batch_devices_and_name);
    tcase_add_test(tcase, a_refused_piece_changes_nothing);
    tcase_add_test(tcase, boxes_are_inside_the_layer_and_not_empty);
    tcase_add_test(tcase, a_piece_stays_in_the_images_of_its_segment);
    tcase_add_test(tcase, segments_follow_each_other_and_tile_the_batch);
    tcase_add_test(tcase, assign_comes_before_pieces);
    tcase_add_test(tcase, a_partial_piece_names_its_sum);
    tcase_add_test(tcase, boundaries_are_checked_and_overwritten);
    tcase_add_test(tcase, reset_forgets_everything);
    tcase_add_test(tcase, reset_keeps_memory_for_pieces);
    tcase_add_test(tcase, peek_shows_the_current_plan_without_ending_it);
    tcase_add_test(tcase, finish_copies_everything);
    tcase_add_test(tcase, a_book_may_hold_several_plans);
    tcase_add_test(tcase, predictions_shares_and_modes_have_ranges);
    tcase_add_test(tcase, notes_are_limited);
    tcase_add_test(tcase, pieces_are_limited_over_all_plans);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
