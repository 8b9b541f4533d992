/* DistrEdge's latency recursion, coordinate search and split search on problems with known answers.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "distredge/coordinate.h"
#include "distredge/model.h"
#include "distredge/osds.h"
#include "support/suite.h"

/* ------------------------------------------------------------------ a small model */

enum { ROWS = 8, N_PARTS = 2, N_POSITIONS = N_PARTS + 2 };

/* Input x -> a (3x3) -> b (3x3) -> c (1x1), all of 8 rows; three blocks. 1 s per row on part 0, 2 s
 * on part 1. 10 bytes per row of x, 100 of a, b and c. Every wire: 0.5 s + 0.01 s per byte. The
 * head takes 3 s and reads c; its answer has no bytes. */
struct small {
    int32_t lo[3][ROWS];
    int32_t hi[3][ROWS];
    double seconds[N_PARTS][ROWS + 1];
    struct model_read reads[3];
    struct model_layer layers[4];
    struct model_block blocks[3];
    uint32_t part_class[N_PARTS];
    struct model_wire wires[N_POSITIONS * N_POSITIONS];
    double head_s[N_PARTS + 1];
    bool can_head[N_PARTS];
    struct model model;
};

static void make_small(struct small *small)
{
    memset(small, 0, sizeof *small);
    small->layers[0] =
        (struct model_layer){.rows = ROWS, .row_bytes = 10, .is_input = true, .last_reader = 0};
    for (uint32_t l = 0; l < 3; l++) {
        int32_t halo = l < 2 ? 1 : 0;
        for (int32_t r = 0; r < ROWS; r++) {
            small->lo[l][r] = r - halo > 0 ? r - halo : 0;
            small->hi[l][r] = r + halo + 1 < ROWS ? r + halo + 1 : ROWS;
        }
        small->reads[l] = (struct model_read){l, small->lo[l], small->hi[l]};
        small->layers[l + 1] = (struct model_layer){
            .rows = ROWS,
            .row_bytes = 100,
            .n_reads = 1,
            .reads = &small->reads[l],
            .last_reader = (int32_t)l + 1,
            .seconds = small->seconds[0],
        };
        small->blocks[l] = (struct model_block){l + 1, l + 2};
    }
    for (int32_t r = 0; r <= ROWS; r++) {
        small->seconds[0][r] = r;
        small->seconds[1][r] = 2.0 * r;
    }
    for (uint32_t from = 0; from < N_POSITIONS; from++) {
        for (uint32_t to = 0; to < N_POSITIONS; to++) {
            bool is_same = from == to || (from >= N_PARTS && to >= N_PARTS);
            small->wires[from * N_POSITIONS + to] =
                is_same ? (struct model_wire){0, 0} : (struct model_wire){0.5, 0.01};
        }
    }
    small->part_class[1] = 1;
    for (uint32_t i = 0; i <= N_PARTS; i++) {
        small->head_s[i] = 3.0;
    }
    small->can_head[0] = true;
    small->can_head[1] = true;
    small->model = (struct model){
        .n_layers = 4,
        .layers = small->layers,
        .n_blocks = 3,
        .blocks = small->blocks,
        .n_parts = N_PARTS,
        .part_class = small->part_class,
        .wires = small->wires,
        .has_head = true,
        .head_s = small->head_s,
        .can_head = small->can_head,
        .head_part = MODEL_NONE,
    };
}

static struct model_rows made(const struct model_state *state, uint32_t layer, uint32_t part)
{
    return state->made[layer * N_PARTS + part];
}

static void check_rows(struct model_rows rows, int32_t lo, int32_t hi)
{
    ck_assert_int_eq(rows.lo, lo);
    ck_assert_int_eq(rows.hi, hi);
}

START_TEST(a_fused_volume_recomputes_its_halos)
{
    struct small small;
    struct model_state state = {0};
    make_small(&small);
    ck_assert(model_state_init(&state, &small.model, (uint32_t[]){0}, 1));
    model_decide(&state, 0, (int32_t[]){0, 5, 8});
    check_rows(made(&state, 3, 0), 0, 5);
    check_rows(made(&state, 2, 0), 0, 5); /* c is 1x1 */
    check_rows(made(&state, 1, 0), 0, 6); /* b is 3x3 */
    check_rows(made(&state, 3, 1), 5, 8);
    check_rows(made(&state, 1, 1), 4, 8);
    /* part 0: 7 rows of x, 0.5 + 0.7 s, then 6 + 5 + 5 rows; part 1: 5 rows, 0.5 + 0.5 s, then 2 (4
     * + 3 + 3) s */
    ck_assert_double_eq_tol(state.finish_s[0], 1.2 + 16, 1e-12);
    ck_assert_double_eq_tol(state.finish_s[1], 1.0 + 20, 1e-12);
    /* the head is on part 0, fetches 3 rows of c from part 1: 0.5 + 3 s, computes 3 s; the answer
     * has no bytes */
    ck_assert_uint_eq(model_head_part(&state), 0);
    ck_assert_double_eq_tol(model_latency_s(&state), 21 + 3.5 + 3, 1e-12);
    model_state_fini(&state);
}
END_TEST

START_TEST(between_volumes_only_missing_rows_travel)
{
    struct small small;
    struct model_state state = {0};
    make_small(&small);
    small.model.head_answer_bytes = 50;
    ck_assert(model_state_init(&state, &small.model, (uint32_t[]){0, 1}, 2));
    model_decide(&state, 0, (int32_t[]){0, 4, 8});
    /* a: 5 rows of x each: 0.5 + 0.5 s, then 4 s and 8 s */
    ck_assert_double_eq_tol(state.finish_s[0], 5, 1e-12);
    ck_assert_double_eq_tol(state.finish_s[1], 9, 1e-12);
    model_decide(&state, 1, (int32_t[]){0, 6, 8});
    /* b + c: part 0 needs rows 0-7 of a, has 0-4, gets 3 rows when part 1 is done: 9 + 0.5 + 3,
     * then 12 s; part 1 needs rows 5-8 of a and has them: 9 + 8 s */
    check_rows(made(&state, 2, 0), 0, 6);
    check_rows(made(&state, 2, 1), 6, 8);
    ck_assert_double_eq_tol(state.finish_s[0], 24.5, 1e-12);
    ck_assert_double_eq_tol(state.finish_s[1], 17, 1e-12);
    /* head: 2 rows from part 1: 24.5 + 2.5 + 3; answer: 0.5 + 0.5 */
    ck_assert_double_eq_tol(model_latency_s(&state), 31, 1e-12);
    model_state_fini(&state);
}
END_TEST

START_TEST(a_part_without_rows_does_nothing)
{
    struct small small;
    struct model_state state = {0};
    make_small(&small);
    ck_assert(model_state_init(&state, &small.model, (uint32_t[]){0, 2}, 2));
    model_decide(&state, 0, (int32_t[]){0, 0, 8});
    ck_assert_double_eq(state.finish_s[0], 0);
    ck_assert_double_eq_tol(state.finish_s[1], 1.3 + 32, 1e-12);
    model_decide(&state, 1, (int32_t[]){0, 0, 8});
    ck_assert_uint_eq(model_head_part(&state), 1);
    /* x, 3 * 16 s, head: nothing else travels */
    ck_assert_double_eq_tol(model_latency_s(&state), 1.3 + 48 + 3, 1e-12);
    model_state_fini(&state);
}
END_TEST

START_TEST(head_goes_where_it_is_told_or_where_it_fits)
{
    struct small small;
    struct model_state state = {0};
    make_small(&small);
    ck_assert(model_state_init(&state, &small.model, (uint32_t[]){0}, 1));
    model_decide(&state, 0, (int32_t[]){0, 5, 8});
    small.can_head[0] = false;
    ck_assert_uint_eq(model_head_part(&state), 1);
    small.can_head[1] = false;
    ck_assert_uint_eq(model_head_part(&state), N_PARTS);
    /* at the source: 5 rows from part 0 (17.2 s) and 3 from part 1 (21 s) */
    ck_assert_double_eq_tol(model_latency_s(&state), 21 + 5.5 + 3.5 + 3, 1e-12);
    small.model.head_part = 1;
    ck_assert_uint_eq(model_head_part(&state), 1);
    ck_assert_double_eq_tol(model_latency_s(&state), 21 + 5.5 + 3, 1e-12);
    model_state_fini(&state);
}
END_TEST

START_TEST(answers_in_bands_go_to_the_sink)
{
    struct small small;
    struct model_state state = {0};
    make_small(&small);
    small.model.has_head = false;
    small.layers[3].last_reader = MODEL_NONE;
    small.layers[3].is_answer = true;
    ck_assert(model_state_init(&state, &small.model, (uint32_t[]){0}, 1));
    model_decide(&state, 0, (int32_t[]){0, 5, 8});
    ck_assert_double_eq_tol(model_latency_s(&state), 21 + 5.5 + 3.5, 1e-12);
    model_state_fini(&state);
}
END_TEST

START_TEST(a_tensor_read_by_a_later_volume_keeps_its_owners)
{
    /* c also reads a (a residual): a belongs to volume 0, c to volume 2 */
    struct small small;
    struct model_state state = {0};
    make_small(&small);
    const struct model_read both[] = {small.reads[2], {1, small.lo[2], small.hi[2]}};
    small.layers[3].n_reads = 2;
    small.layers[3].reads = both;
    small.layers[1].last_reader = 2;
    ck_assert(model_state_init(&state, &small.model, (uint32_t[]){0, 1, 2}, 3));
    model_decide(&state, 0, (int32_t[]){0, 4, 8});
    model_decide(&state, 1, (int32_t[]){0, 4, 8});
    double before_s = state.finish_s[1];
    double other_s = state.finish_s[0];
    model_decide(&state, 2, (int32_t[]){0, 2, 8});
    /* part 1 needs rows 2-8 of a and of b, has 4-8: two messages of two rows */
    ck_assert_double_eq_tol(state.finish_s[1], fmax(before_s, other_s) + 2 * 2.5 + 12, 1e-12);
    model_state_fini(&state);
}
END_TEST

/* ------------------------------------------------------------------ a toy to search */

enum { TOY_VOLUMES = 3, TOY_ROWS = 20 };

/* Three volumes of 20 rows for three parts. Latency: 10 + the squared distance of all cuts to (4,
 * 10), (6, 15), (0, 20). */
struct toy {
    double sum;
    int n_decided;
};

static const int32_t TOY_BEST[TOY_VOLUMES][2] = {{4, 10}, {6, 15}, {0, 20}};

static void toy_decide(void *ctx, uint32_t volume, const int32_t *cuts, double *finish_s)
{
    struct toy *toy = ctx;
    toy->sum = volume == 0 ? 0 : toy->sum;
    toy->n_decided++;
    ck_assert_int_eq(cuts[0], 0);
    ck_assert_int_eq(cuts[3], TOY_ROWS);
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_le(cuts[i - 1], cuts[i]);
    }
    for (int i = 0; i < 2; i++) {
        double miss = cuts[i + 1] - TOY_BEST[volume][i];
        toy->sum += miss * miss;
    }
    for (int i = 0; i < 3; i++) {
        finish_s[i] = volume + 1.0;
    }
}

static double toy_latency_s(void *ctx)
{
    return 10.0 + ((struct toy *)ctx)->sum;
}

static double toy_failure(void *ctx)
{
    (void)ctx;
    return -1.0;
}

static const struct osds_volume TOY_SHAPES[TOY_VOLUMES] = {
    {TOY_ROWS, 64, 3, 1}, {TOY_ROWS, 64, 3, 1}, {TOY_ROWS, 64, 2, 2}};

static struct osds_problem make_toy(struct toy *toy)
{
    return (struct osds_problem){
        .n_volumes = TOY_VOLUMES,
        .n_parts = 3,
        .volumes = TOY_SHAPES,
        .ctx = toy,
        .decide = toy_decide,
        .latency_s = toy_latency_s,
    };
}

START_TEST(coordinate_search_finds_the_optimum)
{
    struct toy toy = {0};
    const struct osds_problem problem = make_toy(&toy);
    int32_t cuts[TOY_VOLUMES * 4] = {0};
    struct osds_split best = {.cuts = cuts};
    uint64_t n_evaluations = 0;
    const struct coordinate_options options = {
        .max_evaluations = 1000000, .capability = (double[]){3, 1, 2}, .n_starts = 2};
    ck_assert_int_eq(coordinate_search(&best, &n_evaluations, &problem, &options), OSDS_FOUND);
    ck_assert_double_eq(best.latency_s, 10.0);
    for (int v = 0; v < TOY_VOLUMES; v++) {
        ck_assert_int_eq(cuts[v * 4 + 1], TOY_BEST[v][0]);
        ck_assert_int_eq(cuts[v * 4 + 2], TOY_BEST[v][1]);
    }
    ck_assert_uint_gt(n_evaluations, 5);
}
END_TEST

START_TEST(coordinate_search_respects_its_budget)
{
    struct toy toy = {0};
    const struct osds_problem problem = make_toy(&toy);
    int32_t cuts[TOY_VOLUMES * 4] = {0};
    struct osds_split best = {.cuts = cuts};
    uint64_t n_evaluations = 0;
    const struct coordinate_options options = {
        .max_evaluations = 40, .capability = (double[]){3, 1, 2}, .n_starts = 2};
    ck_assert_int_eq(coordinate_search(&best, &n_evaluations, &problem, &options), OSDS_FOUND);
    ck_assert_uint_le(n_evaluations, 40);
    ck_assert_int_eq(toy.n_decided, (int)n_evaluations * TOY_VOLUMES);
}
END_TEST

START_TEST(improving_never_worsens)
{
    struct toy toy = {0};
    const struct osds_problem problem = make_toy(&toy);
    int32_t cuts[TOY_VOLUMES * 4] = {0, 4, 10, 20, 0, 6, 15, 20, 0, 0, 20, 20};
    struct osds_split best = {.cuts = cuts, .latency_s = 10.0};
    uint64_t n_evaluations = 0;
    ck_assert_int_eq(coordinate_improve(&best, &n_evaluations, &problem, 100000), OSDS_FOUND);
    ck_assert_double_eq(best.latency_s, 10.0);
    ck_assert_int_eq(cuts[1], 4);
}
END_TEST

/* ------------------------------------------------------------------ OSDS */

START_TEST(actions_are_sorted_and_rounded_half_to_even)
{
    int32_t cuts[5];
    float actions[] = {0.5f, -1.0f, 0.0f};
    osds_map_action(cuts, actions, 4, 14); /* 0, 7, 10.5 */
    ck_assert_int_eq(cuts[0], 0);
    ck_assert_int_eq(cuts[1], 0);
    ck_assert_int_eq(cuts[2], 7);
    ck_assert_int_eq(cuts[3], 10);
    ck_assert_int_eq(cuts[4], 14);
    float ends[] = {1.0f, 1.0f, -1.0f};
    osds_map_action(cuts, ends, 4, 7);
    ck_assert_int_eq(cuts[1], 0);
    ck_assert_int_eq(cuts[2], 7);
    ck_assert_int_eq(cuts[3], 7);
}
END_TEST

static uint64_t next_bits(void *ctx)
{
    return ew_rng_u64(ctx);
}

static const struct osds_options TOY_OPTIONS = {
    .max_episodes = 250,
    .explore_episodes = 250,
    .sigma_2 = 0.1,
    .batch = 64,
    .buffer = 2000,
    .gamma = 0.99,
    .actor_rate = 1e-4,
    .critic_rate = 1e-3,
    .tau = 0.001,
    .scale_s = 100,
};

static enum osds_outcome search_toy(struct osds_split *best, struct osds_history *history,
                                    const struct osds_problem *problem,
                                    const struct osds_options *options, uint64_t seed)
{
    struct blas blas;
    char reason[256] = "";
    struct ew_rng rng = ew_rng_make(seed, "osds");
    const struct draw draw = {next_bits, &rng};
    ck_assert_msg(blas_open(&blas, reason, sizeof reason) == 0, "%s", reason);
    return osds_search(best, history, NULL, problem, options, &blas, &draw);
}

START_TEST(the_agent_beats_its_first_policy_and_keeps_its_best)
{
    struct toy toy = {0};
    const struct osds_problem problem = make_toy(&toy);
    int32_t cuts[TOY_VOLUMES * 4] = {0};
    double finish_s[3];
    struct osds_split best = {.cuts = cuts};
    struct osds_history history;
    ck_assert_int_eq(search_toy(&best, &history, &problem, &TOY_OPTIONS, 4), OSDS_FOUND);
    ck_assert_uint_eq(history.n_episodes, 250);
    /* untrained actions lie near 0, cuts near (10, 10): 10 + 36 + 16 + 25 + 100 + 100 */
    ck_assert_double_gt(history.initial_latency_s, 200);
    ck_assert_double_lt(best.latency_s, 0.4 * history.initial_latency_s);
    ck_assert_double_eq(osds_evaluate(&problem, cuts, finish_s), best.latency_s);
}
END_TEST

START_TEST(equal_seeds_find_equal_splits)
{
    struct toy toy = {0};
    const struct osds_problem problem = make_toy(&toy);
    struct osds_options options = TOY_OPTIONS;
    int32_t cuts[2][TOY_VOLUMES * 4] = {{0}};
    struct osds_split best[2] = {{.cuts = cuts[0]}, {.cuts = cuts[1]}};
    struct osds_history history[2];
    options.max_episodes = 60;
    for (int k = 0; k < 2; k++) {
        ck_assert_int_eq(search_toy(&best[k], &history[k], &problem, &options, 8), OSDS_FOUND);
    }
    ck_assert_double_eq(best[0].latency_s, best[1].latency_s);
    ck_assert_uint_eq(history[0].best_episode, history[1].best_episode);
    ck_assert_double_eq(history[0].final_latency_s, history[1].final_latency_s);
    ck_assert_mem_eq(cuts[0], cuts[1], sizeof cuts[0]);
}
END_TEST

START_TEST(patience_ends_the_search)
{
    struct toy toy = {0};
    const struct osds_problem problem = make_toy(&toy);
    struct osds_options options = TOY_OPTIONS;
    int32_t cuts[TOY_VOLUMES * 4] = {0};
    struct osds_split best = {.cuts = cuts};
    struct osds_history history;
    options.patience = 10;
    ck_assert_int_eq(search_toy(&best, &history, &problem, &options, 2), OSDS_FOUND);
    ck_assert_uint_lt(history.n_episodes, 250);
    ck_assert_uint_eq(history.n_episodes, history.best_episode + 10);
}
END_TEST

START_TEST(an_error_of_the_environment_ends_the_search)
{
    struct toy toy = {0};
    struct osds_problem problem = make_toy(&toy);
    int32_t cuts[TOY_VOLUMES * 4] = {0};
    struct osds_split best = {.cuts = cuts};
    struct osds_history history;
    uint64_t n_evaluations = 0;
    problem.latency_s = toy_failure;
    ck_assert_int_eq(search_toy(&best, &history, &problem, &TOY_OPTIONS, 2), OSDS_STOPPED);
    const struct coordinate_options options = {
        .max_evaluations = 40, .capability = (double[]){3, 1, 2}, .n_starts = 2};
    ck_assert_int_eq(coordinate_search(&best, &n_evaluations, &problem, &options), OSDS_STOPPED);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("distredge_model");
    TCase *recursion = tcase_create("recursion");
    tcase_add_test(recursion, a_fused_volume_recomputes_its_halos);
    tcase_add_test(recursion, between_volumes_only_missing_rows_travel);
    tcase_add_test(recursion, a_part_without_rows_does_nothing);
    tcase_add_test(recursion, head_goes_where_it_is_told_or_where_it_fits);
    tcase_add_test(recursion, answers_in_bands_go_to_the_sink);
    tcase_add_test(recursion, a_tensor_read_by_a_later_volume_keeps_its_owners);
    suite_add_tcase(suite, recursion);
    TCase *coordinate = tcase_create("coordinate");
    tcase_add_test(coordinate, coordinate_search_finds_the_optimum);
    tcase_add_test(coordinate, coordinate_search_respects_its_budget);
    tcase_add_test(coordinate, improving_never_worsens);
    suite_add_tcase(suite, coordinate);
    TCase *osds = tcase_create("osds");
    tcase_set_timeout(osds, 120);
    tcase_add_test(osds, actions_are_sorted_and_rounded_half_to_even);
    tcase_add_test(osds, the_agent_beats_its_first_policy_and_keeps_its_best);
    tcase_add_test(osds, equal_seeds_find_equal_splits);
    tcase_add_test(osds, patience_ends_the_search);
    tcase_add_test(osds, an_error_of_the_environment_ends_the_search);
    suite_add_tcase(suite, osds);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
