/* EdgeFlow's execution units, by hand, and its cuts against all ways to cut. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "common/fill.h"
#include "edgeflow/edgeflow_model.h"
#include "support/suite.h"

enum { N = 3, MAX_ROWS = 20 };

/* A 3x3 window with padding 1 over `rows` rows, three workers. */
struct world {
    uint32_t device[N];
    double free_s[N];
    struct kit_line compute[N];
    struct kit_wire wires[(N + 1) * (N + 1)];
    double overhead_s[N + 1];
    int32_t cuts[N + 1];
    double done_s[N];
    int32_t reads_lo[MAX_ROWS], reads_hi[MAX_ROWS];
    struct edgeflow_input input;
    struct edgeflow_layer layer;
};

static void make_world(struct world *w, int32_t rows)
{
    memset(w, 0, sizeof *w);
    for (uint32_t i = 0; i < N; i++) {
        w->device[i] = i;
        w->compute[i] = (struct kit_line){0.0, 1.0};
    }
    for (uint32_t i = 0; i < (N + 1) * (N + 1); i++) {
        w->wires[i] = (struct kit_wire){0.5, 0.01}; /* s, s per byte */
    }
    for (int32_t r = 0; r < rows; r++) {
        w->reads_lo[r] = r > 0 ? r - 1 : 0;
        w->reads_hi[r] = r + 2 < rows ? r + 2 : rows;
    }
    w->input = (struct edgeflow_input){.cuts = w->cuts,
                                       .done_s = w->done_s,
                                       .line_bytes = 10,
                                       .reads_lo = w->reads_lo,
                                       .reads_hi = w->reads_hi};
    w->layer = (struct edgeflow_layer){.n_workers = N,
                                       .device = w->device,
                                       .free_s = w->free_s,
                                       .compute = w->compute,
                                       .n_inputs = 1,
                                       .inputs = &w->input,
                                       .wires = w->wires,
                                       .overhead_s = w->overhead_s,
                                       .n_devices = N + 1};
}

START_TEST(unit_waits_for_its_own_rows_and_for_its_neighbours)
{
    struct world w;
    make_world(&w, 12);
    memcpy(w.cuts, (int32_t[]){0, 4, 8, 12}, sizeof w.cuts);
    memcpy(w.done_s, (double[]){1, 2, 3}, sizeof w.done_s);
    /* Worker 1, rows 4..7, reads 3..8: own rows at 2; row 3 at 1 + 0.5 + 0.1, row 8 at 3 + 0.6.
     * Four rows of 1 s. */
    ck_assert_double_eq_tol(edgeflow_finish_s(&w.layer, 1, 4, 8), 3.6 + 4, 1e-12);
    /* Worker 0, rows 0..3, reads 0..4: row 4 at 2.6 */
    ck_assert_double_eq_tol(edgeflow_finish_s(&w.layer, 0, 0, 4), 2.6 + 4, 1e-12);
    /* ... and waits until it is free itself */
    w.free_s[0] = 9;
    ck_assert_double_eq_tol(edgeflow_finish_s(&w.layer, 0, 0, 4), 9 + 4, 1e-12);
}
END_TEST

START_TEST(unit_that_moved_gets_all_its_rows_from_others)
{
    struct world w;
    make_world(&w, 12);
    memcpy(w.cuts, (int32_t[]){0, 4, 8, 12}, sizeof w.cuts);
    /* Worker 2, rows 0..5, reads 0..6: rows 0..3 from 0 (0.5 + 0.4), 4..6 from 1 (0.5 + 0.3) */
    ck_assert_double_eq_tol(edgeflow_finish_s(&w.layer, 2, 0, 6), 0.9 + 6, 1e-12);
}
END_TEST

START_TEST(messages_of_one_sender_leave_one_after_the_other)
{
    struct world w;
    make_world(&w, 12);
    memcpy(w.cuts, (int32_t[]){0, 4, 8, 12}, sizeof w.cuts);
    w.overhead_s[1] = 0.25;
    /* worker 1 sends row 4 to 0 first, then row 7 to 2 */
    ck_assert_double_eq_tol(edgeflow_arrival_s(&w.layer, &w.input, 0, 0, 0, 5), 0.6, 1e-12);
    ck_assert_double_eq_tol(edgeflow_arrival_s(&w.layer, &w.input, 2, 2, 7, 12), 0.85, 1e-12);
}
END_TEST

START_TEST(whole_tensor_comes_from_its_holder)
{
    struct world w;
    make_world(&w, 12);
    double done_s = 5;
    w.input.cuts = NULL;
    w.input.done_s = &done_s;
    w.input.holder = 3;
    /* 6 rows of 10 bytes; the holder itself has them at once */
    ck_assert_double_eq_tol(edgeflow_arrival_s(&w.layer, &w.input, 1, 1, 0, 6), 5 + 0.5 + 0.6,
                            1e-12);
    ck_assert_double_eq_tol(edgeflow_arrival_s(&w.layer, &w.input, N, 3, 0, 6), 5, 1e-12);
    /* workers are served in their order */
    w.overhead_s[3] = 1;
    ck_assert_double_eq_tol(edgeflow_arrival_s(&w.layer, &w.input, 2, 2, 0, 6), 5 + 2 + 1.1, 1e-12);
}
END_TEST

static double best_of_all(const struct kit_fill *fill, int32_t *cuts, uint32_t worker)
{
    if (worker + 1 == fill->n) {
        cuts[fill->n] = fill->total;
        return kit_fill_finish_s(fill, cuts);
    }
    double best_s = INFINITY;
    for (int32_t hi = cuts[worker]; hi <= fill->total; hi++) {
        cuts[worker + 1] = hi;
        best_s = fmin(best_s, best_of_all(fill, cuts, worker + 1));
    }
    return best_s;
}

static void randomise(struct world *w, uint64_t *state, int32_t rows)
{
    for (int i = 0; i < N; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        w->compute[i] = (struct kit_line){1e-3 * (double)((*state >> 20) % 500),
                                          1e-3 * (double)(1 + (*state >> 30) % 2000)};
        w->done_s[i] = 1e-3 * (double)((*state >> 40) % 9000);
        w->free_s[i] = 1e-3 * (double)((*state >> 45) % 9000);
        w->overhead_s[i] = 1e-3 * (double)((*state >> 50) % 300);
        w->wires[i * (N + 1) + (i + 1) % N].byte_s = 1e-3 * (double)((*state >> 53) % 100);
    }
    w->cuts[1] = (int32_t)((*state >> 33) % ((uint64_t)rows + 1));
    w->cuts[2] = w->cuts[1] + (int32_t)((*state >> 41) % ((uint64_t)(rows - w->cuts[1]) + 1));
    w->cuts[3] = rows;
}

START_TEST(finish_grows_with_more_rows_on_either_side)
{
    uint64_t state = 4;
    for (int trial = 0; trial < 100; trial++) {
        struct world w;
        const int32_t rows = 4 + trial % (MAX_ROWS - 3);
        make_world(&w, rows);
        randomise(&w, &state, rows);
        for (uint32_t i = 0; i < N; i++) {
            for (int32_t lo = 0; lo < rows; lo++) {
                for (int32_t hi = lo + 2; hi <= rows; hi++) {
                    double seconds = edgeflow_finish_s(&w.layer, i, lo, hi);
                    ck_assert_double_ge(seconds, edgeflow_finish_s(&w.layer, i, lo, hi - 1));
                    ck_assert_double_ge(seconds, edgeflow_finish_s(&w.layer, i, lo + 1, hi));
                }
            }
        }
    }
}
END_TEST

START_TEST(cuts_are_as_good_as_the_best_of_all)
{
    uint64_t state = 17;
    for (int trial = 0; trial < 200; trial++) {
        struct world w;
        const int32_t rows = 4 + trial % (MAX_ROWS - 3);
        make_world(&w, rows);
        randomise(&w, &state, rows);
        struct kit_fill fill = {edgeflow_finish_s, &w.layer, N, rows, 1e-12};
        int32_t cuts[N + 1], scratch[N + 1], all[16] = {0};
        double seconds = kit_fill_min_max(cuts, scratch, &fill, INFINITY);
        ck_assert_double_eq_tol(seconds, best_of_all(&fill, all, 0), 1e-9);
        ck_assert(kit_fill_near(cuts, scratch, &fill, w.cuts, seconds));
        ck_assert_double_le(kit_fill_finish_s(&fill, cuts), seconds);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {unit_waits_for_its_own_rows_and_for_its_neighbours,
                                  unit_that_moved_gets_all_its_rows_from_others,
                                  messages_of_one_sender_leave_one_after_the_other,
                                  whole_tensor_comes_from_its_holder,
                                  finish_grows_with_more_rows_on_either_side,
                                  cuts_are_as_good_as_the_best_of_all};
    return run_suite("edgeflow", tests, sizeof tests / sizeof *tests);
}
