#include "support/closed_form.h"

#include <check.h>
#include <math.h>

const struct ew_engine *const closed_form_engines[CLOSED_FORM_ENGINES] = {&ew_engine_fast,
                                                                          &ew_engine_simgrid};

struct ew_run closed_form_run(const struct ew_platform *platform, const struct ew_run_workload *w,
                              uint32_t n_workloads)
{
    return (struct ew_run){
        .platform = platform,
        .net = ew_net_model_find("ideal"),
        .n_workloads = n_workloads,
        .workloads = w,
        .seed = 1,
    };
}

void closed_form_expect_run(const struct ew_run *run, uint32_t n, const double *latency_s)
{
    for (uint32_t e = 0; e < CLOSED_FORM_ENGINES; e++) {
        struct collect c = {0};
        struct ew_error err = {0};
        ck_assert_msg(collect_run(&c, closed_form_engines[e], *run, &err) == EW_OK, "%s: %s",
                      closed_form_engines[e]->id, err.message);
        ck_assert_uint_eq(c.first_request[c.n_workloads], n);
        for (uint32_t i = 0; i < n; i++) {
            ck_assert_msg(fabs(c.latency_s[i] - latency_s[i]) < CLOSED_FORM_TOLERANCE_S,
                          "%s: request %u: expected %.12g s, got %.12g s",
                          closed_form_engines[e]->id, i, latency_s[i], c.latency_s[i]);
        }
        ck_assert_uint_eq(c.n_disorders, 0);
        ck_assert_uint_eq(c.n_overlaps, 0);
        collect_fini(&c);
    }
}

void closed_form_expect_loop(struct ew_platform *platform, struct ew_task_graph *tasks,
                             uint32_t outstanding, uint32_t n, const double *latency_s)
{
    struct hand_workload w;
    hand_workload_init(&w, tasks, n, outstanding);
    const struct ew_run run = closed_form_run(platform, &w.run, 1);
    closed_form_expect_run(&run, n, latency_s);
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}

void closed_form_expect_one(struct ew_platform *platform, struct ew_task_graph *tasks,
                            double latency_s)
{
    closed_form_expect_loop(platform, tasks, 1, 1, &latency_s);
}
