/* Closed forms of jobs that go on in the middle, on both engines: a network of two convolutions, a
 * and b, whose only cut is a. */
#include <math.h>
#include <string.h>

#include "plan/lower.h"
#include "support/closed_form.h"
#include "support/suite.h"
#include "support/tiny.h"

/* Plan 0 computes both at d0, plan 1 b at d1, plan 2 both at d1. */
enum { N_PLANS = 3 };

struct bench {
    struct ew_graph *graph;
    struct ew_platform *platform;
    struct ew_plan_context context;
    struct ew_piece pieces[N_PLANS][2];
    struct ew_segment segments[N_PLANS];
    struct ew_plan plans[N_PLANS];
    struct ew_plan *list[N_PLANS];
    struct ew_book book;
    const struct ew_task_graph *graphs[N_PLANS];
    struct ew_continuations *continuations;
    struct ew_plan_schedule schedule;
    double times_s[2];
    uint32_t taken[2];
    struct ew_signal signal;
    double steps_s[2], values[2];
    struct ew_dynamics dynamics;
    struct ew_run_workload workload;
    double a_s, b_s;              /* computing */
    double input_s, cut_s, out_s; /* moving to another device */
};

static double work_s(const struct ew_task_graph *graph, const struct ew_graph *net,
                     const char *layer)
{
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        if (graph->nodes[n].kind == EW_NODE_COMPUTE &&
            strcmp(net->layers[graph->info[n].layer].name, layer) == 0) {
            return graph->nodes[n].work_s;
        }
    }
    return NAN;
}

/* Two links of 0.5 ms and 1 MB/s, four bytes per element. */
static double move_s(double elements)
{
    return 0.001 + 4 * elements / 1e6;
}

static void lower_plans(struct bench *b)
{
    static const uint32_t devices[N_PLANS][2] = {{0, 0}, {0, 1}, {1, 1}};
    struct ew_lower *lower = ew_lower_new();
    const struct ew_lower_options options = {0};
    struct ew_error err = {0};
    for (uint32_t p = 0; p < N_PLANS; p++) {
        struct ew_task_graph *graph = NULL;
        b->pieces[p][0] = tiny_whole(b->graph, "a", devices[p][0]);
        b->pieces[p][1] = tiny_whole(b->graph, "b", devices[p][1]);
        b->plans[p] = tiny_plan(b->graph, &b->segments[p], b->pieces[p], 2);
        b->list[p] = &b->plans[p];
        ck_assert_msg(ew_lower_plan(&graph, lower, &b->context, &b->plans[p], &options, &err) ==
                          EW_OK,
                      "%s", err.message);
        b->graphs[p] = graph;
    }
    ew_lower_free(lower);
}

static void begin(struct bench *b)
{
    static const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_CONV, .out_channels = 8, .kernel = 3, .pad = 1},
        {.name = "b", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    };
    const struct ew_plan_change changes[] = {{0, 1}, {1, 0}, {0, 2}};
    struct ew_error err = {0};
    memset(b, 0, sizeof *b);
    b->graph = tiny_graph(3, 64, 64, 2, layers);
    b->platform = tiny_star(2);
    b->context = (struct ew_plan_context){b->graph, b->platform, ew_element_bytes_of(b->graph)};
    lower_plans(b);
    b->book = (struct ew_book){
        .strategy = "", .pick = EW_PICK_ONLINE, .n_plans = N_PLANS, .plans = b->list};
    ck_assert_int_eq(
        ew_continuations_new(&b->continuations, &b->context, &b->book, b->graphs, 3, changes, &err),
        EW_OK);
    ck_assert_uint_eq(b->continuations->n_cuts, 1);
    ck_assert_uint_eq(b->continuations->n_items, 3);
    b->a_s = work_s(b->graphs[0], b->graph, "a");
    b->b_s = work_s(b->graphs[0], b->graph, "b");
    b->input_s = move_s(3 * 64 * 64);
    b->cut_s = move_s(8 * 64 * 64);
    b->out_s = move_s(4 * 64 * 64);
    b->schedule = (struct ew_plan_schedule){
        .n = 1, .times_s = b->times_s, .plans = b->taken, .moves_jobs = true};
    b->dynamics.policy = ew_failure_policy_default();
    b->workload = (struct ew_run_workload){
        .name = "w",
        .book = &b->continuations->book,
        .task_graphs = b->continuations->graphs,
        .arrival = {.kind = EW_ARRIVAL_CLOSED, .outstanding = 1},
        .n_requests = 1,
        .requests_per_job = 1,
        .deadline_s = INFINITY,
        .schedule = &b->schedule,
        .continuations = b->continuations,
    };
}

static void expect(struct bench *b, double latency_s)
{
    struct ew_run run = closed_form_run(b->platform, &b->workload, 1);
    run.dynamics = &b->dynamics;
    closed_form_expect_run(&run, 1, &latency_s);
}

static void end(struct bench *b)
{
    ew_continuations_free(b->continuations);
    for (uint32_t p = 0; p < N_PLANS; p++) {
        ew_task_graph_free((struct ew_task_graph *)(uintptr_t)b->graphs[p]);
    }
    ew_graph_free(b->graph);
    ew_platform_free(b->platform);
}

/* Plan `from` at first, `to` from time_s on. */
static void change(struct bench *b, uint32_t from, uint32_t to, double time_s)
{
    b->schedule.n = 2;
    b->times_s[1] = time_s;
    b->taken[0] = from;
    b->taken[1] = to;
}

/* A device is away for a time. */
static void lose(struct bench *b, uint32_t device, double from_s, double to_s)
{
    b->steps_s[0] = from_s;
    b->steps_s[1] = to_s;
    b->values[1] = 1;
    b->signal = (struct ew_signal){.quantity = EW_QUANTITY_DEVICE_UP,
                                   .target = device,
                                   .n_steps = 2,
                                   .times_s = b->steps_s,
                                   .values = b->values};
    b->dynamics.n_signals = 1;
    b->dynamics.signals = &b->signal;
}

START_TEST(a_job_moves_at_its_next_cut)
{
    /* The plan changes while a is computed at d0. a ends there; its output goes to d1, b's back. */
    struct bench b;
    begin(&b);
    change(&b, 0, 1, b.a_s / 2);
    expect(&b, b.a_s + b.cut_s + b.b_s + b.out_s);
    b.schedule.moves_jobs = false; /* or stays */
    expect(&b, b.a_s + b.b_s);
    end(&b);
}
END_TEST

START_TEST(what_is_computed_need_not_be_in_the_new_plan)
{
    /* The new plan would compute a at d1; it has been, at d0. */
    struct bench b;
    begin(&b);
    change(&b, 0, 2, b.a_s / 2);
    expect(&b, b.a_s + b.cut_s + b.b_s + b.out_s);
    end(&b);
}
END_TEST

START_TEST(a_job_behind_its_last_cut_stays)
{
    struct bench b;
    begin(&b);
    change(&b, 0, 1, b.a_s + b.b_s / 2);
    expect(&b, b.a_s + b.b_s);
    end(&b);
}
END_TEST

START_TEST(a_change_that_is_taken_back_moves_nobody)
{
    /* Held at a, but the old plan is in force again when a has ended. */
    struct bench b;
    begin(&b);
    double times_s[] = {0, b.a_s / 4, b.a_s / 2};
    uint32_t plans[] = {0, 1, 0};
    b.schedule =
        (struct ew_plan_schedule){.n = 3, .times_s = times_s, .plans = plans, .moves_jobs = true};
    expect(&b, b.a_s + b.b_s);
    end(&b);
}
END_TEST

START_TEST(an_attempt_resumes_behind_what_is_left)
{
    /* d1 goes while it computes b; a's output is still at d0, and is sent again. */
    struct bench b;
    begin(&b);
    b.taken[0] = 1;
    const double back_s = b.a_s + b.cut_s + 2 * b.b_s;
    lose(&b, 1, b.a_s + b.cut_s + b.b_s / 2, back_s);
    b.dynamics.policy.resumes = true;
    expect(&b, back_s + b.cut_s + b.b_s + b.out_s);
    b.dynamics.policy.resumes = false;
    expect(&b, back_s + b.a_s + b.cut_s + b.b_s + b.out_s);
    end(&b);
}
END_TEST

START_TEST(what_lay_on_the_lost_device_is_computed_again)
{
    /* Both at d1, which goes while it computes b. */
    struct bench b;
    begin(&b);
    b.taken[0] = 2;
    const double back_s = b.input_s + b.a_s + 2 * b.b_s;
    lose(&b, 1, b.input_s + b.a_s + b.b_s / 2, back_s);
    b.dynamics.policy.resumes = true;
    expect(&b, back_s + b.input_s + b.a_s + b.b_s + b.out_s);
    end(&b);
}
END_TEST

START_TEST(an_attempt_resumes_with_the_plan_of_now)
{
    /* b at d1, which goes for good; from then on everything at d0. a is not computed again. */
    struct bench b;
    begin(&b);
    const double gone_s = b.a_s + b.cut_s + b.b_s / 2;
    change(&b, 1, 0, gone_s + 0.001);
    lose(&b, 1, gone_s, 1e6);
    b.dynamics.policy.resumes = true;
    expect(&b, gone_s + 0.001 + b.b_s);
    end(&b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_job_moves_at_its_next_cut,
        what_is_computed_need_not_be_in_the_new_plan,
        a_job_behind_its_last_cut_stays,
        a_change_that_is_taken_back_moves_nobody,
        an_attempt_resumes_behind_what_is_left,
        what_lay_on_the_lost_device_is_computed_again,
        an_attempt_resumes_with_the_plan_of_now,
    };
    return run_suite("continue_forms", tests, sizeof tests / sizeof *tests);
}
