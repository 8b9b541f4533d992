/* DeeperThings' integer programs against their formulas and against trying everything. */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "base/rng.h"
#include "deeperthings/deeper_ilp.h"
#include "support/random_scenario.h"
#include "support/suite.h"

enum { MAX_LAYERS = 8 };

static struct cbc *open_cbc(void)
{
    char reason[200];
    struct cbc *cbc = cbc_open(reason, sizeof reason);
    ck_assert_msg(cbc != NULL, "%s", reason);
    return cbc;
}

/* ------------------------------------------------------------------ formulas */

/* M = 12, K = 30, N = 3: what one layer alone exchanges. */
START_TEST(one_layer_exchanges_what_the_formulas_say)
{
    const struct deeper_layer layer = {
        .input = 12, .parts = 30, .sum = 30, .has_weights = true, .can_sum = true};
    bool is_reused[1];
    enum deeper_way way = DEEPER_OUTPUTS;
    /* M(N-1) + (KN-K)/N = 24 + 20 */
    ck_assert_double_eq_tol(deeper_elements(is_reused, &way, &layer, 1, 3), 44, 1e-12);
    way = DEEPER_INPUTS;
    /* (MN-M)/N + K(N-1) = 8 + 60 */
    ck_assert_double_eq_tol(deeper_elements(is_reused, &way, &layer, 1, 3), 68, 1e-12);
    way = DEEPER_FIRST; /* the last layer cannot be the first of a pair */
    ck_assert(isinf(deeper_elements(is_reused, &way, &layer, 1, 3)));
}
END_TEST

/* 12 -> 30 -> 6, N = 3. */
START_TEST(pairs_and_reuse_save_what_the_formulas_say)
{
    const struct deeper_layer layers[] = {
        {.input = 12, .parts = 30, .sum = 30, .has_weights = true, .can_sum = true},
        {.input = 30,
         .parts = 6,
         .sum = 6,
         .has_weights = true,
         .can_sum = true,
         .is_linked = true},
    };
    bool is_reused[2];
    const enum deeper_way pair[] = {DEEPER_FIRST, DEEPER_SECOND};
    /* M(N-1) + K(N-1) = 24 + 12 */
    ck_assert_double_eq_tol(deeper_elements(is_reused, pair, layers, 2, 3), 36, 1e-12);
    const enum deeper_way outputs[] = {DEEPER_OUTPUTS, DEEPER_OUTPUTS};
    /* the first: 24 + K(N-1) = 60 instead of 20; the second: 4 without its M(N-1) */
    ck_assert_double_eq_tol(deeper_elements(is_reused, outputs, layers, 2, 3), 88, 1e-12);
    ck_assert(is_reused[0] && !is_reused[1]);
    const enum deeper_way mixed[] = {DEEPER_OUTPUTS, DEEPER_INPUTS};
    /* 24 + 20, gathered; 20 + 12 */
    ck_assert_double_eq_tol(deeper_elements(is_reused, mixed, layers, 2, 3), 76, 1e-12);
    ck_assert(!is_reused[0]);
    const enum deeper_way half[] = {DEEPER_OUTPUTS, DEEPER_SECOND};
    ck_assert(isinf(deeper_elements(is_reused, half, layers, 2, 3)));
}
END_TEST

/* Maps 90, 30, weights 6, 60, N = 3: two tiled 30 + 66; one 30 + 6 + 20; none 90 + 22. */
START_TEST(memory_follows_the_formula)
{
    const struct deeper_part parts[] = {{90, 6, true}, {30, 60, true}};
    ck_assert_double_eq_tol(deeper_memory(parts, 2, 3, 2), 96, 1e-12);
    ck_assert_double_eq_tol(deeper_memory(parts, 2, 3, 1), 56, 1e-12);
    ck_assert_double_eq_tol(deeper_memory(parts, 2, 3, 0), 112, 1e-12);
    struct cbc *cbc = open_cbc();
    uint32_t n_tiled = 9;
    ck_assert_int_eq(deeper_choose_break(&n_tiled, parts, 2, 3, cbc), CBC_OPTIMAL);
    ck_assert_uint_eq(n_tiled, 1);
    cbc_close(cbc);
}
END_TEST

/* ------------------------------------------------------------------ against trying everything */

static void draw_layers(struct deeper_layer *layers, uint32_t n, struct ew_rng *rng)
{
    for (uint32_t l = 0; l < n; l++) {
        const double sum = random_int(rng, 1, 1000);
        layers[l] = (struct deeper_layer){
            .input = random_int(rng, 1, 1000),
            .parts = random_chance(rng, 0.5) ? sum : ceil(sum / 4),
            .sum = sum,
            .has_weights = random_chance(rng, 0.85),
            .is_linked = l > 0 && random_chance(rng, 0.7),
        };
        layers[l].can_sum = layers[l].has_weights && random_chance(rng, 0.8);
        if (layers[l].is_linked) {
            layers[l].input = layers[l - 1].parts;
        }
    }
}

static double try_all_ways(const struct deeper_layer *layers, uint32_t n, uint32_t n_nodes)
{
    enum { N_WAYS = DEEPER_SECOND + 1 };
    double least = INFINITY;
    uint32_t n_codes = 1;
    for (uint32_t l = 0; l < n; l++) {
        n_codes *= N_WAYS;
    }
    for (uint32_t code = 0; code < n_codes; code++) {
        enum deeper_way way[MAX_LAYERS];
        bool is_reused[MAX_LAYERS];
        uint32_t rest = code;
        for (uint32_t l = 0; l < n; l++, rest /= N_WAYS) {
            way[l] = (enum deeper_way)(rest % N_WAYS);
        }
        least = fmin(least, deeper_elements(is_reused, way, layers, n, n_nodes));
    }
    return least;
}

START_TEST(the_integer_program_finds_the_fewest_elements)
{
    struct cbc *cbc = open_cbc();
    uint32_t n_pairs = 0, n_reused = 0;
    for (uint64_t seed = 1; seed <= 120; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "ways");
        struct deeper_layer layers[MAX_LAYERS];
        enum deeper_way way[MAX_LAYERS], again[MAX_LAYERS];
        bool is_reused[MAX_LAYERS];
        double elements, same;
        const uint32_t n = (uint32_t)random_int(&rng, 1, 6);
        const uint32_t n_nodes = (uint32_t)random_int(&rng, 2, 9);
        draw_layers(layers, n, &rng);
        const double least = try_all_ways(layers, n, n_nodes);
        ck_assert_int_eq(deeper_choose_ways(way, is_reused, &elements, layers, n, n_nodes, cbc),
                         CBC_OPTIMAL);
        ck_assert_msg(elements <= least * (1 + 2e-6) + 1e-9 && elements >= least * (1 - 1e-9),
                      "seed %d: %g instead of %g", (int)seed, elements, least);
        ck_assert_int_eq(deeper_choose_ways(again, is_reused, &same, layers, n, n_nodes, cbc),
                         CBC_OPTIMAL);
        ck_assert_mem_eq(way, again, n * sizeof *way);
        for (uint32_t l = 0; l < n; l++) {
            n_pairs += way[l] == DEEPER_FIRST;
            n_reused += is_reused[l];
        }
    }
    ck_assert_uint_gt(n_pairs, 30);
    ck_assert_uint_gt(n_reused, 0);
    cbc_close(cbc);
}
END_TEST

START_TEST(the_break_needs_the_least_memory)
{
    struct cbc *cbc = open_cbc();
    uint32_t seen[MAX_LAYERS + 1] = {0};
    for (uint64_t seed = 1; seed <= 120; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "break");
        struct deeper_part parts[MAX_LAYERS];
        const uint32_t n = (uint32_t)random_int(&rng, 1, MAX_LAYERS);
        const uint32_t n_nodes = (uint32_t)random_int(&rng, 2, 9);
        const uint32_t run = (uint32_t)random_int(&rng, 0, (int32_t)n);
        double least = INFINITY;
        uint32_t n_tiled = 0;
        for (uint32_t l = 0; l < n; l++) {
            parts[l] = (struct deeper_part){random_scale(&rng, 1, 1000) / (l + 1),
                                            random_scale(&rng, 1, 100) * (l + 1), l < run};
        }
        for (uint32_t b = 0; b <= run; b++) {
            least = fmin(least, deeper_memory(parts, n, n_nodes, b));
        }
        ck_assert_int_eq(deeper_choose_break(&n_tiled, parts, n, n_nodes, cbc), CBC_OPTIMAL);
        ck_assert_uint_le(n_tiled, run);
        ck_assert_double_le(deeper_memory(parts, n, n_nodes, n_tiled), least * (1 + 1e-5));
        seen[n_tiled]++;
    }
    ck_assert(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
    cbc_close(cbc);
}
END_TEST

/* ------------------------------------------------------------------ the solver */

START_TEST(impossible_programs_are_infeasible)
{
    struct cbc *cbc = open_cbc();
    struct cbc_program *program = cbc_program_new();
    ck_assert_ptr_nonnull(program);
    const int x = cbc_program_column(program, 1, 1, true);
    cbc_program_term(program, cbc_program_row(program, 2, cbc_infinity()), x, 1);
    double value = -1;
    ck_assert_int_eq(cbc_program_minimise(&value, program, cbc), CBC_INFEASIBLE);
    ck_assert_double_eq(value, -1);
    cbc_program_free(program);
    cbc_close(cbc);
}
END_TEST

/* Cbc sets a handler of its own while it solves. */
START_TEST(the_interrupt_handler_is_ours_again_behind_a_solution)
{
    struct sigaction before, behind;
    struct cbc *cbc = open_cbc();
    const struct deeper_part parts[] = {{90, 6, true}, {30, 60, true}};
    uint32_t n_tiled;
    ck_assert_int_eq(sigaction(SIGINT, NULL, &before), 0);
    ck_assert_int_eq(deeper_choose_break(&n_tiled, parts, 2, 3, cbc), CBC_OPTIMAL);
    ck_assert_int_eq(sigaction(SIGINT, NULL, &behind), 0);
    ck_assert(before.sa_handler == behind.sa_handler);
    cbc_close(cbc);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        one_layer_exchanges_what_the_formulas_say,
        pairs_and_reuse_save_what_the_formulas_say,
        memory_follows_the_formula,
        the_integer_program_finds_the_fewest_elements,
        the_break_needs_the_least_memory,
        impossible_programs_are_infeasible,
        the_interrupt_handler_is_ours_again_behind_a_solution,
    };
    return run_suite("deeperthings", tests, sizeof tests / sizeof *tests);
}
