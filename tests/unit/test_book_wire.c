#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "plan/builder.h"
#include "plan/check.h"
#include "plugin/book_wire.h"
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
}

static void tear_down(void)
{
    ew_builder_free(builder);
    ew_platform_free(platform);
    ew_graph_free(graph);
}

static void must(enum ew_status status)
{
    ck_assert_msg(status == EW_OK, "%s", err.message);
}

/* Everything a plan can say: partial sums, chains, boundaries, notes, two plans. */
static struct ew_book *rich_book(void)
{
    must(ew_builder_begin_plan(builder, "first", 1, 0, 2, &err));
    struct ew_piece piece = tiny_rows(graph, "a", 0, 0, 5);
    piece.chain = 4;
    must(ew_builder_add_piece(builder, &piece, NULL, &err));
    piece = tiny_rows(graph, "a", 1, 5, 8);
    must(ew_builder_add_piece(builder, &piece, NULL, &err));
    struct ew_piece sum = tiny_whole(graph, "b", 2);
    sum.role = EW_PIECE_SUM;
    uint32_t number = 0;
    must(ew_builder_add_piece(builder, &sum, &number, &err));
    for (int32_t i = 0; i < 2; i++) {
        struct ew_piece part = tiny_whole(graph, "b", (uint32_t)i);
        part.role = EW_PIECE_PARTIAL;
        part.sum = number;
        part.reduction = (struct ew_reduction){2 * i, 2 * i + 2};
        must(ew_builder_add_piece(builder, &part, NULL, &err));
    }
    must(ew_builder_set_boundary(
        builder, 0, 1,
        (struct ew_boundary){
            .exchange = EW_EXCHANGE_RELAY, .hub = 2, .has_barrier = true, .wire_bits = 8},
        &err));
    must(ew_builder_set_weights(builder, EW_WEIGHTS_ON_CHANGE, &err));
    must(ew_builder_set_note(builder, "why", "because \"so\"", &err));
    must(ew_builder_set_prediction(builder, 0.1, NAN, "late", &err));
    must(ew_builder_set_share(builder, 3, 0.25, "gold", &err));
    must(ew_builder_begin_plan(builder, "second", 1, 0, 2, &err));
    must(ew_builder_assign(builder, 0, 1, 0, 0, NULL, &err));
    piece = tiny_whole(graph, "a", 1);
    must(ew_builder_add_piece(builder, &piece, NULL, &err));
    piece = tiny_whole(graph, "b", 1);
    must(ew_builder_add_piece(builder, &piece, NULL, &err));
    must(ew_builder_set_pick(builder, EW_PICK_CYCLE, &err));
    struct ew_book *book = NULL;
    must(ew_builder_finish(&book, builder, "lab.x", &err));
    must(ew_book_check(&context, book, &err));
    return book;
}

static void same_text(const char *a, const char *b)
{
    ck_assert(a && b ? strcmp(a, b) == 0 : a == b);
}

static void same_plan(const struct ew_plan *a, const struct ew_plan *b)
{
    same_text(a->name, b->name);
    same_text(a->class_name, b->class_name);
    same_text(a->infeasible_reason, b->infeasible_reason);
    ck_assert_int_eq(a->batch, b->batch);
    ck_assert_uint_eq(a->source_device, b->source_device);
    ck_assert_uint_eq(a->sink_device, b->sink_device);
    ck_assert_uint_eq(a->weights, b->weights);
    ck_assert_uint_eq(a->weight, b->weight);
    ck_assert(a->probability == b->probability);
    ck_assert(a->claims_feasible == b->claims_feasible);
    ck_assert(memcmp(&a->predicted_latency_s, &b->predicted_latency_s, sizeof(double)) == 0);
    ck_assert(isnan(a->predicted_energy_j) == isnan(b->predicted_energy_j));
    ck_assert_uint_eq(a->n_segments, b->n_segments);
    ck_assert(memcmp(a->segments, b->segments, a->n_segments * sizeof *a->segments) == 0);
    ck_assert_uint_eq(a->n_pieces, b->n_pieces);
    for (uint32_t i = 0; i < a->n_pieces; i++) {
        const struct ew_piece *x = &a->pieces[i], *y = &b->pieces[i];
        ck_assert(x->layer == y->layer && x->device == y->device && x->segment == y->segment &&
                  x->chain == y->chain && x->sum == y->sum && x->role == y->role &&
                  x->reduction.lo == y->reduction.lo && x->reduction.hi == y->reduction.hi &&
                  ew_box_equal(&x->box, &y->box));
    }
    for (uint32_t l = 0; l < graph->n_layers; l++) {
        const struct ew_boundary x = ew_plan_boundary(a, 0, l), y = ew_plan_boundary(b, 0, l);
        ck_assert(x.exchange == y.exchange && x.has_barrier == y.has_barrier &&
                  x.wire_bits == y.wire_bits && x.hub == y.hub);
    }
    ck_assert_uint_eq(a->n_notes, b->n_notes);
    for (uint32_t i = 0; i < a->n_notes; i++) {
        same_text(a->notes[i].key, b->notes[i].key);
        same_text(a->notes[i].value, b->notes[i].value);
    }
}

START_TEST(a_book_comes_back_as_it_was)
{
    set_up();
    struct ew_book *book = rich_book(), *back = NULL;
    struct ew_str bytes = {0};
    ew_book_wire_put(&bytes, &context, book);
    must(ew_book_wire_get(&back, bytes.text, bytes.length, &context, &err));
    same_text(book->strategy, back->strategy);
    ck_assert_uint_eq(back->pick, book->pick);
    ck_assert_uint_eq(back->n_plans, 2);
    same_plan(book->plans[0], back->plans[0]);
    same_plan(book->plans[1], back->plans[1]);
    must(ew_book_check(&context, back, &err));
    ew_str_fini(&bytes);
    ew_book_free(book);
    ew_book_free(back);
    tear_down();
}
END_TEST

START_TEST(every_cut_is_refused)
{
    set_up();
    struct ew_book *book = rich_book(), *back = NULL;
    struct ew_str bytes = {0};
    ew_book_wire_put(&bytes, &context, book);
    for (size_t size = 0; size < bytes.length; size++) {
        char *cut = malloc(size + 1); /* exactly as large, so that a sanitizer sees the end */
        memcpy(cut, bytes.text, size);
        char *exact = realloc(cut, size ? size : 1);
        const enum ew_status status = ew_book_wire_get(&back, exact, size, &context, &err);
        ck_assert_msg(status == EW_EPLUGIN, "%zu of %zu bytes were accepted", size, bytes.length);
        free(exact);
    }
    ck_assert_str_eq(err.message, "the plan that came back is damaged");
    ew_str_fini(&bytes);
    ew_book_free(book);
    tear_down();
}
END_TEST

START_TEST(ids_are_checked_again)
{
    set_up();
    struct ew_book *book = rich_book(), *back = NULL;
    ((struct ew_piece *)book->plans[0]->pieces)[1].device = 77;
    struct ew_str bytes = {0};
    ew_book_wire_put(&bytes, &context, book);
    ck_assert_int_eq(ew_book_wire_get(&back, bytes.text, bytes.length, &context, &err), EW_EPLUGIN);
    ck_assert_str_eq(err.message, "layer a: expected a device below 3, got 77");
    ew_str_fini(&bytes);
    ew_book_free(book);
    tear_down();
}
END_TEST

/* Changed bytes give a book or an error, never a crash; a book is then valid in itself. */
START_TEST(changed_bytes_do_no_harm)
{
    set_up();
    struct ew_book *book = rich_book();
    struct ew_str bytes = {0};
    ew_book_wire_put(&bytes, &context, book);
    struct ew_rng rng = ew_rng_make(1, "test/wire");
    int n_accepted = 0;
    for (int i = 0; i < 20000; i++) {
        char *copy = malloc(bytes.length);
        memcpy(copy, bytes.text, bytes.length);
        for (uint64_t k = ew_rng_below(&rng, 3) + 1; k > 0; k--) {
            copy[ew_rng_below(&rng, bytes.length)] = (char)ew_rng_u64(&rng);
        }
        struct ew_book *back = NULL;
        const enum ew_status status = ew_book_wire_get(&back, copy, bytes.length, &context, &err);
        ck_assert(status == EW_OK || status == EW_EPLUGIN || status == EW_ENOMEM);
        n_accepted += status == EW_OK;
        if (status == EW_OK) {
            (void)ew_book_check(&context, back, &err);
        }
        ew_book_free(back);
        free(copy);
    }
    ck_assert_int_gt(n_accepted, 0); /* a note, a prediction */
    ew_str_fini(&bytes);
    ew_book_free(book);
    tear_down();
}
END_TEST

int main(void)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
    const TTest *const tests[] = {
        a_book_comes_back_as_it_was,
        every_cut_is_refused,
        ids_are_checked_again,
        changed_bytes_do_no_harm,
    };
    return run_suite("book_wire", tests, sizeof tests / sizeof *tests);
}
