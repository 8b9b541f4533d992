/* DistrEdge in a changing world: what it keeps, when its agent learns on, and that what it does
 * is never worse than staying, the same every time, and the same with a cached agent. */
#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "distredge/memory.h"
#include "support/planning.h"
#include "support/random_dynamics.h"
#include "support/random_scenario.h"
#include "support/suite.h"
#include "support/tiny.h"

/* Little is learned, and fluctuation is not told from change. */
#define QUICK "episodes=15 finetune_episodes=10 finetune_window_s=0 online_tries=0"
#define QUICK_TRYING "episodes=15 finetune_episodes=10 finetune_window_s=0 online_tries=3"

/* ------------------------------------------------------------------ trends */

START_TEST(means_follow_what_held_and_speeds_are_as_seen)
{
    /* Bandwidth 8 for 60 s, then 2 for 60 s, then 5 is seen: with a window of 60 s the mean is
     * 8 e^-1 + 2 (1 - e^-1). The speed is 3, whatever it was. */
    struct trend trend = {0};
    ck_assert(trend_init(&trend, 2, 1));
    trend_begin(&trend, (const double[]){8, 1}, 10);
    trend_settle(&trend);
    trend_see(&trend, (const double[]){2, 1}, 70, 60);
    ck_assert_double_eq_tol(trend.mean[0], 8, 1e-12);
    ck_assert(!trend_is_off(&trend, 0.1));
    trend_see(&trend, (const double[]){5, 3}, 130, 60);
    ck_assert_double_eq_tol(trend.mean[0], 8 * exp(-1) + 2 * (1 - exp(-1)), 1e-12);
    ck_assert_double_eq(trend.mean[1], 3);
    trend_fini(&trend);
}
END_TEST

START_TEST(a_lasting_change_is_told_from_a_fluctuation)
{
    /* 10 +- 5 every 6 s for an hour: the mean over 120 s stays within (1 - e^-0.05) 5 = 0.25 of
     * 10. From 8 +- 5 on, 10 % of 10 are crossed after 120 s x ln 2 = 83 s, at most 0.25 / 10 later
     * or sooner: 120 s x ln(2 / (1 -+ 0.25)) = 56 and 117 s. */
    struct trend trend = {0};
    ck_assert(trend_init(&trend, 1, 1));
    trend_begin(&trend, (const double[]){10}, 0);
    trend_settle(&trend);
    for (int i = 1; i <= 600; i++) {
        trend_see(&trend, (const double[]){10 + (i % 2 ? 5 : -5)}, 6 * i, 120);
        ck_assert(!trend_is_off(&trend, 0.1));
    }
    int i = 0;
    do {
        i++;
        trend_see(&trend, (const double[]){8 + (i % 2 ? 5 : -5)}, 3600 + 6 * i, 120);
    } while (!trend_is_off(&trend, 0.1) && i < 100);
    ck_assert_int_ge(6 * i, 56);
    ck_assert_int_le(6 * i, 117 + 12); /* what is seen counts from the next time on */
    trend_settle(&trend);
    ck_assert(!trend_is_off(&trend, 0.1));
    trend_fini(&trend);
}
END_TEST

START_TEST(without_a_window_the_present_is_what_is_seen)
{
    struct trend trend = {0};
    ck_assert(trend_init(&trend, 1, 1));
    trend_begin(&trend, (const double[]){10}, 0);
    trend_settle(&trend);
    trend_see(&trend, (const double[]){8.9}, 5, 0);
    ck_assert(trend_is_off(&trend, 0.1));
    ck_assert(!trend_is_off(&trend, 0.12));
    trend_fini(&trend);
}
END_TEST

/* ------------------------------------------------------------------ memory */

/* A cast of two devices and one volume of 64 rows. */
static struct cast *add_cast(struct memory *memory, uint32_t first)
{
    uint32_t devices[] = {first, first + 1}, starts[] = {0};
    int32_t cuts[] = {0, 32, 64};
    struct distredge it = {
        .devices = devices,
        .n_devices = 2,
        .starts = starts,
        .n_volumes = 1,
        .best = {.cuts = cuts},
    };
    struct cast *cast = memory_add(memory, &it);
    ck_assert_ptr_nonnull(cast);
    return cast;
}

START_TEST(the_split_chosen_longest_ago_goes_first)
{
    struct memory memory = {0};
    struct cast *cast = add_cast(&memory, 0);
    for (int32_t cut = 0; cut < MEMORY_SPLITS - 1; cut++) {
        ck_assert(memory_choose(&memory, cast, (const int32_t[]){0, cut, 64}));
    }
    ck_assert_uint_eq(cast->n_splits, MEMORY_SPLITS);
    /* 32 again, so that 0 is the oldest */
    ck_assert(memory_choose(&memory, cast, (const int32_t[]){0, 32, 64}));
    ck_assert_uint_eq(cast->n_splits, MEMORY_SPLITS);
    ck_assert_uint_eq(cast->current, 0);
    ck_assert(memory_choose(&memory, cast, (const int32_t[]){0, 60, 64}));
    ck_assert_uint_eq(cast->current, 1);
    ck_assert_int_eq(cast->splits[0][1], 32);
    ck_assert_int_eq(cast->splits[1][1], 60);
    ck_assert_int_eq(cast->splits[2][1], 1);
    memory_forget(&memory);
}
END_TEST

START_TEST(the_devices_wanted_longest_ago_go_first)
{
    /* but never those of the plan in force, here the second ones */
    struct memory memory = {0};
    for (uint32_t i = 0; i < MEMORY_CASTS; i++) {
        add_cast(&memory, 10 * i);
    }
    ck_assert_ptr_nonnull(memory_find(&memory, (const uint32_t[]){0, 1}, 2));
    memory.in_force = &memory.casts[1];
    add_cast(&memory, 100);
    ck_assert_uint_eq(memory.n_casts, MEMORY_CASTS);
    ck_assert_ptr_nonnull(memory_find(&memory, (const uint32_t[]){0, 1}, 2));
    ck_assert_ptr_nonnull(memory_find(&memory, (const uint32_t[]){10, 11}, 2));
    ck_assert_ptr_null(memory_find(&memory, (const uint32_t[]){20, 21}, 2));
    ck_assert_ptr_null(memory_find(&memory, (const uint32_t[]){0, 1, 2}, 3));
    ck_assert_ptr_nonnull(memory_find(&memory, (const uint32_t[]){100, 101}, 2));
    memory_forget(&memory);
}
END_TEST

/* ------------------------------------------------------------------ reactions */

static const struct tiny_layer LAYERS[] = {
    {.name = "a", .op = EW_OP_CONV, .out_channels = 8, .kernel = 3, .pad = 1},
    {.name = "b", .op = EW_OP_CONV, .out_channels = 8, .kernel = 3, .pad = 1},
    {.name = "c", .op = EW_OP_CONV, .out_channels = 8, .kernel = 3, .stride = 2, .pad = 1},
    {.name = "flat", .op = EW_OP_FLATTEN},
    {.name = "fc", .op = EW_OP_FC, .out_channels = 10},
};

/* d0 asks, d1 to d3 compute. */
static struct planning *begin(const char *settings, const struct ew_dynamics *dynamics)
{
    struct planning *planning = planning_new(tiny_graph(3, 96, 96, 5, LAYERS), tiny_star(4));
    ck_assert_msg(planning_begin(planning, "distredge", settings, dynamics) != NULL, "%s",
                  planning_error(planning)->message);
    return planning;
}

static const struct ew_plan *observe(struct planning *planning, double time_s, uint32_t causes)
{
    planning_advance(planning, time_s);
    return planning_observe(planning, causes);
}

static void must_keep(struct planning *planning, double time_s, uint32_t causes)
{
    ck_assert_ptr_null(observe(planning, time_s, causes));
    ck_assert_msg(planning_error(planning)->status == EW_OK, "%s",
                  planning_error(planning)->message);
}

START_TEST(where_nothing_changes_the_plan_stays)
{
    /* the actor's own split may be better than what it found while it tried things out: once */
    static const struct ew_dynamics still = {0};
    struct planning *planning = begin(QUICK, &still);
    (void)observe(planning, 1, EW_ONLINE_CAUSE_PERIOD);
    for (int i = 2; i < 10; i++) {
        must_keep(planning, i, EW_ONLINE_CAUSE_PERIOD);
    }
    planning_free(planning);
}
END_TEST

static bool uses_device(const struct ew_plan *plan, uint32_t device)
{
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        if (plan->pieces[i].device == device) {
            return true;
        }
    }
    return false;
}

/* d1 at a thousandth of its speed from 10 s on. */
static const double SLOW_S[] = {10}, SLOW[] = {1e-3};
static const struct ew_signal SLOW_SIGNALS[] = {
    {EW_QUANTITY_DEVICE_SPEED, 1, 1, SLOW_S, SLOW, 0, 0},
};
static const struct ew_dynamics SLOWER = {.n_signals = 1, .signals = SLOW_SIGNALS};

START_TEST(tries_are_counted_and_never_lose)
{
    static const struct ew_dynamics still = {0};
    struct planning *planning =
        begin("episodes=15 online_tries=5 online_sigma_squared=0.1", &still);
    double best_s = planning_latency_s(planning);
    for (int i = 1; i < 10; i++) {
        const uint64_t before = planning_evaluations(planning);
        const bool is_replaced = observe(planning, i, EW_ONLINE_CAUSE_PERIOD) != NULL;
        /* single devices, the split in force and what was before it, the actor's, five tries */
        const uint64_t n = planning_evaluations(planning) - before;
        ck_assert_uint_ge(n, 3 + 1 + 1 + 5);
        ck_assert_uint_le(n, 3 + MEMORY_SPLITS + 1 + 5 + 1);
        ck_assert_int_eq(is_replaced, planning_latency_s(planning) < best_s);
        best_s = planning_latency_s(planning);
    }
    planning_free(planning);
}
END_TEST

START_TEST(a_device_that_throttles_is_learned_about)
{
    struct planning *planning = begin(QUICK, &SLOWER);
    (void)observe(planning, 5, EW_ONLINE_CAUSE_PERIOD);
    const uint64_t before = planning_evaluations(planning);
    const struct ew_plan *plan = observe(planning, 10, EW_ONLINE_CAUSE_DEGREE);
    /* single devices, the split in force and the actor's, ten episodes between two roll-outs, and
     * the plan's prediction */
    ck_assert_uint_ge(planning_evaluations(planning) - before, 3 + 2 + 12 + 1);
    ck_assert_ptr_nonnull(plan);
    ck_assert_double_eq(plan->predicted_latency_s, planning_latency_s(planning));
    /* a row on d1 takes a thousand times as long: no plan with it beats any one without */
    ck_assert(!uses_device(plan, 1));
    must_keep(planning, 20, EW_ONLINE_CAUSE_PERIOD);
    planning_free(planning);
}
END_TEST

START_TEST(below_the_threshold_nothing_is_learned)
{
    /* three single devices, the split in force, perhaps one more kept, the actor's, a prediction */
    struct planning *planning = begin(QUICK " finetune_threshold_pct=100", &SLOWER);
    (void)observe(planning, 5, EW_ONLINE_CAUSE_PERIOD);
    const uint64_t before = planning_evaluations(planning);
    (void)observe(planning, 10, EW_ONLINE_CAUSE_DEGREE);
    ck_assert_uint_le(planning_evaluations(planning) - before, 3 + 2 + 1 + 1);
    planning_free(planning);
}
END_TEST

/* d2 away from 10 to 20 s. */
static const double AWAY_S[] = {10, 20}, AWAY[] = {0, 1};
static const struct ew_signal AWAY_SIGNALS[] = {
    {EW_QUANTITY_DEVICE_UP, 2, 2, AWAY_S, AWAY, 0, 0},
};
static const struct ew_dynamics LEAVING = {.n_signals = 1, .signals = AWAY_SIGNALS};

START_TEST(a_device_that_comes_back_is_remembered)
{
    struct planning *planning = begin(QUICK, &LEAVING);
    (void)observe(planning, 5, EW_ONLINE_CAUSE_PERIOD);
    const double before_s = planning_latency_s(planning);
    const uint64_t begin = planning_evaluations(planning);
    (void)observe(planning, 10, EW_ONLINE_CAUSE_SWITCH);
    /* 15 episodes between two roll-outs */
    ck_assert_uint_ge(planning_evaluations(planning) - begin, 17);
    const uint64_t gone = planning_evaluations(planning);
    (void)observe(planning, 20, EW_ONLINE_CAUSE_SWITCH);
    /* single devices and the plan in force, then what was kept for all three: single devices, two
     * splits, the actor's, a prediction */
    ck_assert_uint_le(planning_evaluations(planning) - gone, 3 + 1 + 3 + 2 + 1 + 1);
    ck_assert_double_le(planning_latency_s(planning), before_s);
    planning_free(planning);
}
END_TEST

START_TEST(without_anybody_else_the_source_does_it_all)
{
    static const double times_s[] = {10}, values[] = {0};
    static const struct ew_signal signals[] = {
        {EW_QUANTITY_LINK_UP, 0, 1, times_s, values, 0, 0}, /* d0's way up */
    };
    static const struct ew_dynamics cut_off = {.n_signals = 1, .signals = signals};
    struct planning *planning = begin(QUICK, &cut_off);
    const struct ew_plan *plan = observe(planning, 10, EW_ONLINE_CAUSE_SWITCH);
    ck_assert_ptr_nonnull(plan);
    for (uint32_t d = 1; d < 4; d++) {
        ck_assert(!uses_device(plan, d));
    }
    must_keep(planning, 20, EW_ONLINE_CAUSE_PERIOD);
    planning_free(planning);
}
END_TEST

/* ------------------------------------------------------------------ any world */

enum { N_MOMENTS = 8 };

/* A run of observations. */
struct course {
    bool is_replaced[N_MOMENTS];
    double latency_s[N_MOMENTS]; /* of the plan in force behind the moment; NAN: it cannot run */
};

static struct course follow(struct planning *planning, const struct ew_dynamics *dynamics,
                            const char *settings)
{
    struct course course = {0};
    const struct ew_plan *plan = planning_begin(planning, "distredge", settings, dynamics);
    for (int i = 0; i < N_MOMENTS && plan; i++) {
        planning_advance(planning, i + 1);
        const double before_s =
            planning_can_run(planning) ? planning_latency_s(planning) : INFINITY;
        const struct ew_plan *next =
            planning_observe(planning, EW_ONLINE_CAUSE_DEGREE | EW_ONLINE_CAUSE_SWITCH);
        plan = next ? next : plan;
        const double after_s = planning_can_run(planning) ? planning_latency_s(planning) : INFINITY;
        ck_assert_msg(after_s <= before_s, "moment %d: %.17g s after %.17g s", i, after_s,
                      before_s);
        course.is_replaced[i] = next != NULL;
        course.latency_s[i] = after_s;
    }
    return course;
}

static int expect_equal(const struct course *a, const struct course *b)
{
    int n_replaced = 0;
    for (int i = 0; i < N_MOMENTS; i++) {
        ck_assert_int_eq(a->is_replaced[i], b->is_replaced[i]);
        ck_assert(a->latency_s[i] == b->latency_s[i]);
        n_replaced += a->is_replaced[i];
    }
    return n_replaced;
}

START_TEST(reactions_are_never_worse_than_none_and_the_same_every_time)
{
    struct ew_rng rng = ew_rng_make(700 + (uint64_t)_i, "distredge online");
    int n_replaced = 0;
    for (int trial = 0; trial < 6; trial++) {
        struct ew_graph *graph = random_graph(&rng);
        struct ew_platform *platform = random_platform(&rng);
        struct ew_dynamics *dynamics = random_dynamics(&rng, platform, N_MOMENTS, false);
        struct planning *planning = planning_new(graph, platform);
        const struct course a = follow(planning, dynamics, QUICK_TRYING);
        const struct course b = follow(planning, dynamics, QUICK_TRYING);
        n_replaced += expect_equal(&a, &b);
        planning_free(planning);
        random_dynamics_free(dynamics);
    }
    ck_assert_int_ge(n_replaced, 6);
}
END_TEST

/* Remove a folder and the files in it; how many there were. */
static int clear_folder(const char *folder)
{
    char name[300];
    int n = 0;
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%.100s", folder, entry->d_name);
            ck_assert_int_eq(unlink(name), 0);
            n++;
        }
    }
    closedir(dir);
    ck_assert_int_eq(rmdir(folder), 0);
    return n;
}

START_TEST(a_cached_agent_reacts_as_the_fresh_one)
{
    char folder[] = "/tmp/ew_test_distredge_XXXXXX";
    char settings[200];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(settings, sizeof settings, QUICK_TRYING " cache_dir=%s", folder);
    struct ew_rng rng = ew_rng_make(17, "distredge online");
    struct planning *planning = planning_new(tiny_graph(3, 96, 96, 5, LAYERS), tiny_star(5));
    struct ew_dynamics *dynamics =
        random_dynamics(&rng, planning_problem(planning)->context.platform, N_MOMENTS, false);
    const struct course fresh = follow(planning, dynamics, settings);
    const uint64_t n_fresh = planning_evaluations(planning);
    const struct course cached = follow(planning, dynamics, settings);
    ck_assert_int_ge(expect_equal(&fresh, &cached), 2);
    ck_assert_uint_eq(planning_evaluations(planning), n_fresh); /* they may be charged */
    planning_free(planning);
    random_dynamics_free(dynamics);
    ck_assert_int_eq(clear_folder(folder), 1); /* only what plan has trained */
}
END_TEST

static Suite *distredge_online_suite(void)
{
    Suite *suite = begin_suite("distredge_online");
    TCase *parts = tcase_create("parts");
    tcase_add_test(parts, means_follow_what_held_and_speeds_are_as_seen);
    tcase_add_test(parts, a_lasting_change_is_told_from_a_fluctuation);
    tcase_add_test(parts, without_a_window_the_present_is_what_is_seen);
    tcase_add_test(parts, the_split_chosen_longest_ago_goes_first);
    tcase_add_test(parts, the_devices_wanted_longest_ago_go_first);
    suite_add_tcase(suite, parts);
    TCase *reactions = tcase_create("reactions");
    tcase_set_timeout(reactions, 120);
    tcase_add_test(reactions, where_nothing_changes_the_plan_stays);
    tcase_add_test(reactions, tries_are_counted_and_never_lose);
    tcase_add_test(reactions, a_device_that_throttles_is_learned_about);
    tcase_add_test(reactions, below_the_threshold_nothing_is_learned);
    tcase_add_test(reactions, a_device_that_comes_back_is_remembered);
    tcase_add_test(reactions, without_anybody_else_the_source_does_it_all);
    tcase_add_loop_test(reactions, reactions_are_never_worse_than_none_and_the_same_every_time, 0,
                        4);
    tcase_add_test(reactions, a_cached_agent_reacts_as_the_fresh_one);
    suite_add_tcase(suite, reactions);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(distredge_online_suite());
    srunner_run_all(runner, CK_NORMAL);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? 1 : 0;
}
