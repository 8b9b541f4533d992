/* Plans over time: when strategies are asked, what they see, and from when on a plan holds. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/tiny.h"
#include "sweep/replan.h"

/* --- a strategy that notes what it sees ------------------------------------------------------ */

struct notes {
    uint32_t n;
    double bottleneck_bytes_per_s[16]; /* from device 0 to 1; 0: no route */
    uint32_t unable_at;                /* the call that has no plan */
    bool makes_equal_plans;
    const int32_t *wanted; /* batch of the plan to be chosen, choice by choice */
    uint32_t n_choices;
};

static struct ew_book *noting_book(int32_t batch)
{
    struct ew_arena arena = {0};
    struct ew_book *book = ew_arena_calloc(&arena, 1, sizeof *book);
    struct ew_plan *plan = ew_arena_calloc(&arena, 1, sizeof *plan);
    struct ew_plan **plans = ew_arena_calloc(&arena, 1, sizeof(struct ew_plan *));
    plans[0] = plan;
    plan->batch = batch;
    book->strategy = "noting";
    book->n_plans = 1;
    book->plans = plans;
    book->arena = arena;
    return book;
}

static enum ew_status note_and_plan(void *ctx, struct ew_book **out,
                                    const struct ew_problem *problem, uint64_t *n_evaluations,
                                    struct ew_error *err)
{
    struct notes *notes = ctx;
    ck_assert_uint_lt(notes->n, 16);
    notes->bottleneck_bytes_per_s[notes->n++] =
        ew_platform_route(problem->context.platform, 0, 1)->bottleneck_bytes_per_s;
    *n_evaluations += 10;
    if (notes->n == notes->unable_at) {
        return ew_fail(err, EW_ENOTSUP, "cannot");
    }
    *out = noting_book(notes->makes_equal_plans ? 1 : (int32_t)notes->n);
    return EW_OK;
}

/* The wanted plan, which has to be among them. */
static enum ew_status choose_wanted(void *ctx, uint32_t *out, const struct ew_problem *problem,
                                    const struct ew_plan *const *plans, uint32_t n, bool is_asked,
                                    struct ew_error *err)
{
    struct notes *notes = ctx;
    (void)problem, (void)err;
    const int32_t wanted = notes->wanted[notes->n_choices++];
    ck_assert(!is_asked || n >= 2);
    for (*out = 0; *out < n && plans[*out]->batch != wanted; ++*out) {
    }
    ck_assert_msg(*out < n, "choice %u: no plan %d", notes->n_choices, wanted);
    return EW_OK;
}

/* --- a world --------------------------------------------------------------------------------- */

/* Link up0 at 1 MB/s, 0.5 at 10 s, 1 at 20 s, 0.95 at 25 s; device 1 away from 30 to 40 s. */
static const double TIMES_S[] = {10, 20, 25}, VALUES[] = {5e5, 1e6, 9.5e5};
static const double GONE_S[] = {30, 40}, GONE[] = {0, 1};
static const struct ew_signal SIGNALS[] = {
    {EW_QUANTITY_LINK_BANDWIDTH, 0, 3, TIMES_S, VALUES, 0, 0},
    {EW_QUANTITY_DEVICE_UP, 1, 2, GONE_S, GONE, 0, 0},
};

static struct ew_replan *replan(struct notes *notes, struct ew_replan_spec spec, double horizon_s,
                                uint32_t *n_plans)
{
    const struct ew_dynamics dynamics = {.n_signals = 2, .signals = SIGNALS};
    struct ew_platform *platform = tiny_star(2);
    const struct ew_problem problem = {.context = {.platform = platform}};
    const struct ew_replan_maker maker = {
        .ctx = notes,
        .plan = note_and_plan,
        .choose = notes->wanted ? choose_wanted : NULL,
    };
    const struct ew_replan_how how = {
        .spec = spec,
        .maker = &maker,
        .horizon_s = horizon_s,
        .unplanned = notes->wanted ? noting_book(99) : NULL,
    };
    struct ew_replan *out = NULL;
    struct ew_book *book = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_replan_make(&out, &book, &how, &dynamics, &problem, &err) == EW_OK, "%s",
                  err.message);
    *n_plans = book->n_plans;
    for (uint32_t i = 0; i < book->n_plans; i++) {
        ck_assert_int_eq(book->plans[i]->weights,
                         book->n_plans > 1 ? EW_WEIGHTS_ON_CHANGE : EW_WEIGHTS_RESIDENT);
    }
    ew_book_free(book);
    ew_platform_free(platform);
    return out;
}

static void expect_schedule(const struct ew_replan *replan, uint32_t n, const double *times_s,
                            const uint32_t *plans)
{
    ck_assert_uint_eq(replan->schedule.n, n);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_msg(fabs(replan->schedule.times_s[i] - times_s[i]) < 1e-12 &&
                          replan->schedule.plans[i] == plans[i],
                      "entry %u: plan %u from %g s", i, replan->schedule.plans[i],
                      replan->schedule.times_s[i]);
    }
}

START_TEST(changes_beyond_the_ratio_are_planned_for_and_equal_worlds_once)
{
    /* 5 % at 25 s does not count. The world of 20 s is that of 0 s. At 30 s device 1 has gone, at
     * 40 s the world is a new one, 0.95 MB/s. */
    struct notes notes = {0};
    uint32_t n_plans;
    struct ew_replan *r =
        replan(&notes, (struct ew_replan_spec){.when = EW_REPLAN_ON_CHANGE, .change_ratio = 0.1},
               100, &n_plans);
    expect_schedule(r, 5, (const double[]){0, 10, 20, 30, 40}, (const uint32_t[]){0, 1, 0, 2, 3});
    ck_assert_uint_eq(n_plans, 4);
    const double seen[] = {1e6, 5e5, 0, 9.5e5};
    for (int i = 0; i < 4; i++) {
        ck_assert(notes.bottleneck_bytes_per_s[i] == seen[i]);
    }
    ew_replan_free(r);
}
END_TEST

START_TEST(plans_of_before_can_be_chosen_again)
{
    /* Plans 1, 2, 1, 3, 4 are asked for; 99 is the one without planning anew, number 0. */
    struct notes notes = {.wanted = (const int32_t[]){99, 2, 2, 3, 99}};
    uint32_t n_plans;
    struct ew_replan *r =
        replan(&notes, (struct ew_replan_spec){.when = EW_REPLAN_ON_CHANGE, .change_ratio = 0.1},
               100, &n_plans);
    expect_schedule(r, 4, (const double[]){0, 10, 30, 40}, (const uint32_t[]){0, 2, 3, 0});
    ck_assert_uint_eq(notes.n_choices, 5);
    ew_replan_free(r);
    /* no plan for the world of 10 s: those of before are offered all the same */
    notes = (struct notes){.wanted = (const int32_t[]){1, 99, 1, 3, 4}, .unable_at = 2};
    r = replan(&notes, (struct ew_replan_spec){.when = EW_REPLAN_ON_CHANGE, .change_ratio = 0.1},
               100, &n_plans);
    expect_schedule(r, 5, (const double[]){0, 10, 20, 30, 40}, (const uint32_t[]){1, 0, 1, 2, 3});
    ew_replan_free(r);
}
END_TEST

START_TEST(failures_only)
{
    struct notes notes = {0};
    uint32_t n_plans;
    struct ew_replan *r =
        replan(&notes, (struct ew_replan_spec){.when = EW_REPLAN_ON_FAILURE}, 35, &n_plans);
    expect_schedule(r, 2, (const double[]){0, 30}, (const uint32_t[]){0, 1});
    ew_replan_free(r);
}
END_TEST

START_TEST(periods_see_the_world_of_their_time)
{
    /* 15 s: 0.5 MB/s; 30 s: gone; 45 s: 0.95 MB/s, and nothing changes any more. */
    struct notes notes = {0};
    uint32_t n_plans;
    struct ew_replan *r = replan(
        &notes, (struct ew_replan_spec){.when = EW_REPLAN_PERIOD, .period_s = 15}, 100, &n_plans);
    expect_schedule(r, 4, (const double[]){0, 15, 30, 45}, (const uint32_t[]){0, 1, 2, 3});
    ew_replan_free(r);
}
END_TEST

START_TEST(planning_is_charged_and_known_worlds_cost_only_the_fixed_part)
{
    struct notes notes = {0};
    uint32_t n_plans;
    struct ew_replan *r = replan(&notes,
                                 (struct ew_replan_spec){.when = EW_REPLAN_ON_CHANGE,
                                                         .change_ratio = 0.1,
                                                         .charge_s = 1,
                                                         .charge_per_evaluation_s = 0.05},
                                 25, &n_plans);
    expect_schedule(r, 3, (const double[]){0, 11.5, 21}, (const uint32_t[]){0, 1, 0});
    ew_replan_free(r);
}
END_TEST

START_TEST(without_a_plan_the_old_one_stays)
{
    struct notes notes = {.unable_at = 2};
    uint32_t n_plans;
    struct ew_replan *r =
        replan(&notes, (struct ew_replan_spec){.when = EW_REPLAN_ON_CHANGE, .change_ratio = 0.1},
               35, &n_plans);
    expect_schedule(r, 2, (const double[]){0, 30}, (const uint32_t[]){0, 1});
    ck_assert_uint_eq(r->n_unable, 1);
    ew_replan_free(r);
}
END_TEST

START_TEST(equal_plans_are_one)
{
    /* Worlds of 0, 10, 30, 40 s, but one plan, which stays resident. */
    struct notes notes = {.makes_equal_plans = true};
    uint32_t n_plans;
    struct ew_replan *r =
        replan(&notes, (struct ew_replan_spec){.when = EW_REPLAN_ON_CHANGE, .change_ratio = 0.1},
               100, &n_plans);
    expect_schedule(r, 1, (const double[]){0}, (const uint32_t[]){0});
    ck_assert_uint_eq(n_plans, 1);
    ck_assert_uint_eq(r->n_asked, 4);
    ew_replan_free(r);
}
END_TEST

START_TEST(foresight_plans_every_kth_change_but_for_what_goes)
{
    /* Changes at 10, 20, 25, 30, 40 s. Four plans allowed, the first is made: every second change
     * of degree counts. 10 s is the first, 20 s is as planned, 25 s is the second; device 1 goes at
     * 30 s and comes back at 40 s to the world of 25 s. */
    struct notes notes = {0};
    const struct ew_dynamics dynamics = {.n_signals = 2, .signals = SIGNALS};
    struct ew_platform *platform = tiny_star(2);
    const struct ew_problem problem = {.context = {.platform = platform}};
    const struct ew_replan_maker maker = {.ctx = &notes, .plan = note_and_plan};
    const struct ew_replan_how how = {.spec = {.when = EW_REPLAN_ON_CHANGE},
                                      .maker = &maker,
                                      .horizon_s = 100,
                                      .max_plans = 4,
                                      .max_evaluations = 1000,
                                      .keeps_weights = true};
    struct ew_replan *out = NULL;
    struct ew_book *book = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_replan_make(&out, &book, &how, &dynamics, &problem, &err), EW_OK);
    ck_assert_uint_eq(out->n_changes, 5);
    expect_schedule(out, 4, (const double[]){0, 25, 30, 40}, (const uint32_t[]){0, 1, 2, 1});
    ck_assert_int_eq(book->plans[0]->weights, EW_WEIGHTS_RESIDENT);
    ew_book_free(book);
    ew_replan_free(out);
    ew_platform_free(platform);
}
END_TEST

START_TEST(texts_are_parsed)
{
    struct ew_replan_spec spec = {0};
    struct ew_error err = {0};
    ck_assert_int_eq(ew_replan_parse(&spec, "on-change:25", &err), EW_OK);
    ck_assert(spec.when == EW_REPLAN_ON_CHANGE && spec.change_ratio == 0.25);
    ck_assert_int_eq(ew_replan_parse(&spec, "period:2", &err), EW_OK);
    ck_assert(spec.when == EW_REPLAN_PERIOD && spec.period_s == 2);
    ck_assert_int_eq(ew_replan_parse_charge(&spec, "evaluations:1e-3", &err), EW_OK);
    ck_assert(spec.charge_per_evaluation_s == 1e-3 && spec.charge_s == 0);
    const char *const bad[] = {"", "on-change", "on-change:-1", "period:0", "period:nan", "often"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(ew_replan_parse(&spec, bad[i], &err), EW_EINPUT);
    }
    ck_assert_int_eq(ew_replan_parse_charge(&spec, "-1", &err), EW_EINPUT);
    ck_assert_int_eq(ew_replan_parse_charge(&spec, "clock", &err), EW_EINPUT);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        changes_beyond_the_ratio_are_planned_for_and_equal_worlds_once,
        plans_of_before_can_be_chosen_again,
        failures_only,
        periods_see_the_world_of_their_time,
        planning_is_charged_and_known_worlds_cost_only_the_fixed_part,
        without_a_plan_the_old_one_stays,
        equal_plans_are_one,
        foresight_plans_every_kth_change_but_for_what_goes,
        texts_are_parsed,
    };
    return run_suite("replan", tests, sizeof tests / sizeof *tests);
}
