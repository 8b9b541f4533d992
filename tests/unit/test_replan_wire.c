/* Plans over time as bytes: they come back whole, and whatever is damaged is refused. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/tiny.h"
#include "sweep/replan.h"

/* Two plans of a network of one convolution, at either of two devices. */
struct bench {
    struct ew_graph *graph;
    struct ew_platform *platform;
    struct ew_plan_context context;
    struct ew_piece pieces[2];
    struct ew_segment segments[2];
    struct ew_plan plans[2];
    struct ew_plan *list[2];
    struct ew_book book;
    struct ew_str bytes;
};

static double times_s[] = {0, 1.5, 4};
static uint32_t plans[] = {0, 1, 0};
static uint8_t moves[] = {0, 1, 0};

static void begin(struct bench *b)
{
    static const struct tiny_layer layer = {
        .name = "a", .op = EW_OP_CONV, .out_channels = 2, .kernel = 1};
    memset(b, 0, sizeof *b);
    b->graph = tiny_graph(1, 4, 4, 1, &layer);
    b->platform = tiny_star(2);
    b->context = (struct ew_plan_context){b->graph, b->platform, ew_element_bytes_of(b->graph)};
    for (uint32_t p = 0; p < 2; p++) {
        b->pieces[p] = tiny_whole(b->graph, "a", p);
        b->plans[p] = tiny_plan(b->graph, &b->segments[p], &b->pieces[p], 1);
        b->list[p] = &b->plans[p];
    }
    b->book =
        (struct ew_book){.strategy = "x", .pick = EW_PICK_ONLINE, .n_plans = 2, .plans = b->list};
}

static void put(struct bench *b)
{
    const struct ew_replan replan = {
        .schedule =
            {.n = 3, .times_s = times_s, .plans = plans, .moves = moves, .moves_jobs = true},
        .n_changes = 7,
        .n_asked = 5,
        .n_unable = 2,
    };
    b->bytes.length = 0;
    ew_replan_put(&b->bytes, &b->context, &replan, &b->book);
    ck_assert(!b->bytes.failed);
}

/* A copy of the first `size` bytes alone, so that a sanitizer sees what is read beyond them. */
static enum ew_status get(struct bench *b, struct ew_replan **out, struct ew_book **book,
                          size_t size)
{
    struct ew_error err = {0};
    char *copy = malloc(size ? size : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, b->bytes.text, size);
    const enum ew_status status = ew_replan_get(out, book, copy, size, &b->context, &err);
    free(copy);
    ck_assert(status == EW_OK || err.message[0]);
    return status;
}

static void end(struct bench *b)
{
    ew_str_fini(&b->bytes);
    ew_graph_free(b->graph);
    ew_platform_free(b->platform);
}

START_TEST(plans_over_time_come_back_whole)
{
    struct bench b;
    struct ew_replan *replan = NULL;
    struct ew_book *book = NULL;
    begin(&b);
    put(&b);
    ck_assert_int_eq(get(&b, &replan, &book, b.bytes.length), EW_OK);
    ck_assert_uint_eq(replan->n_changes, 7);
    ck_assert_uint_eq(replan->n_asked, 5);
    ck_assert_uint_eq(replan->n_unable, 2);
    ck_assert_uint_eq(replan->schedule.n, 3);
    ck_assert(replan->schedule.moves_jobs);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert(replan->schedule.times_s[i] == times_s[i]);
        ck_assert_uint_eq(replan->schedule.plans[i], plans[i]);
        ck_assert_uint_eq(replan->schedule.moves[i], moves[i]);
    }
    ck_assert_uint_eq(book->n_plans, 2);
    for (uint32_t p = 0; p < 2; p++) {
        ck_assert(ew_plan_equal(book->plans[p], b.list[p], b.graph));
    }
    ew_book_free(book);
    ew_replan_free(replan);
    end(&b);
}
END_TEST

START_TEST(what_is_cut_short_is_refused)
{
    struct bench b;
    begin(&b);
    put(&b);
    for (size_t size = 0; size < b.bytes.length; size++) {
        struct ew_replan *replan = NULL;
        struct ew_book *book = NULL;
        ck_assert_msg(get(&b, &replan, &book, size) == EW_EPLUGIN, "%zu bytes", size);
        ck_assert(!replan && !book);
    }
    end(&b);
}
END_TEST

START_TEST(flipped_bytes_are_refused_or_make_a_valid_schedule)
{
    struct bench b;
    begin(&b);
    put(&b);
    for (size_t i = 0; i < b.bytes.length; i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct ew_replan *replan = NULL;
            struct ew_book *book = NULL;
            b.bytes.text[i] = (char)(b.bytes.text[i] ^ (1 << bit));
            if (get(&b, &replan, &book, b.bytes.length) == EW_OK) {
                ck_assert_uint_gt(replan->schedule.n, 0);
                ck_assert(replan->schedule.times_s[0] == 0);
                for (uint32_t k = 0; k < replan->schedule.n; k++) {
                    ck_assert_uint_lt(replan->schedule.plans[k], book->n_plans);
                    ck_assert(k == 0 ||
                              replan->schedule.times_s[k] >= replan->schedule.times_s[k - 1]);
                }
            }
            ew_book_free(book);
            ew_replan_free(replan);
            b.bytes.text[i] = (char)(b.bytes.text[i] ^ (1 << bit));
        }
    }
    end(&b);
}
END_TEST

START_TEST(times_that_do_not_begin_at_zero_or_ascend_are_refused)
{
    const double bad[][3] = {{1, 2, 3}, {0, 5, 4}, {-1, 0, 1}, {0, NAN, 1}, {0, 1, INFINITY}};
    const double good[] = {0, 1.5, 4};
    struct bench b;
    begin(&b);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ew_replan *replan = NULL;
        struct ew_book *book = NULL;
        memcpy(times_s, bad[i], sizeof times_s);
        put(&b);
        ck_assert_int_eq(get(&b, &replan, &book, b.bytes.length), EW_EPLUGIN);
    }
    memcpy(times_s, good, sizeof times_s);
    plans[1] = 2; /* there are two */
    put(&b);
    struct ew_replan *replan = NULL;
    struct ew_book *book = NULL;
    ck_assert_int_eq(get(&b, &replan, &book, b.bytes.length), EW_EPLUGIN);
    plans[1] = 1;
    end(&b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        plans_over_time_come_back_whole,
        what_is_cut_short_is_refused,
        flipped_bytes_are_refused_or_make_a_valid_schedule,
        times_that_do_not_begin_at_zero_or_ascend_are_refused,
    };
    return run_suite("replan_wire", tests, sizeof tests / sizeof *tests);
}
