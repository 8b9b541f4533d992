/*
 * The metrics fold: counts, latencies, rates, accuracy, attribution to layers, workloads, devices.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "support/suite.h"
#include "unit/results_fixture.h"

#define TOLERANCE 1e-12

static struct fixture fix;
static struct ew_metrics *metrics;
static struct ew_event_sink sink;
static struct ew_result *result;

static void set_up(void)
{
    fixture_init(&fix);
    metrics = NULL;
    result = NULL;
}

static void tear_down(void)
{
    ew_result_free(result);
    ew_metrics_free(metrics);
    fixture_fini(&fix);
}

/* After this, fixture fields must not change any more. */
static void begin(void)
{
    const struct ew_metrics_config config = {
        .run = &fix.run, .workloads = fix.asked, .energy_rule = EW_ENERGY_BOTH};
    struct ew_error err = {0};
    ck_assert_int_eq(ew_metrics_new(&metrics, &config, &err), EW_OK);
    sink = ew_metrics_sink(metrics);
}

static void finish(void)
{
    struct ew_error err = {0};
    ck_assert_int_eq(ew_metrics_finish(&result, metrics, &fix.labels, &err), EW_OK);
}

/* A request of `latency_s` that ends at `end_s`. */
static void request(uint64_t id, double end_s, double latency_s, enum ew_event_kind end)
{
    fixture_arrive(sink, end_s - latency_s, 0, id, INFINITY);
    fixture_end(sink, end, end_s, 0, id, id, 0, latency_s);
}

static const struct ew_layer_result *find_layer(uint32_t workload, uint32_t variant, uint32_t layer)
{
    for (uint32_t i = 0; i < result->n_layers; i++) {
        const struct ew_layer_result *row = &result->layers[i];
        if (row->workload == workload && row->variant == variant && row->layer == layer) {
            return row;
        }
    }
    return NULL;
}

START_TEST(counts_add_up)
{
    begin();
    request(0, 1, 1, EW_EVENT_REQUEST_DONE);
    request(1, 2, 1, EW_EVENT_REQUEST_LATE);
    request(2, 3, 1, EW_EVENT_REQUEST_DROPPED);
    request(3, 4, 1, EW_EVENT_REQUEST_FAILED);
    request(4, 5, 1, EW_EVENT_REQUEST_DONE);
    fixture_arrive(sink, 5, 0, 5, INFINITY);
    finish();
    const struct ew_counts *counts = &result->service.counts;
    ck_assert_uint_eq(counts->requests, 6);
    ck_assert_uint_eq(counts->completed, 3);
    ck_assert_uint_eq(counts->late, 1);
    ck_assert_uint_eq(counts->dropped, 1);
    ck_assert_uint_eq(counts->failed, 1);
    ck_assert_uint_eq(counts->open, 1);
    ck_assert_uint_eq(counts->requests,
                      counts->completed + counts->dropped + counts->failed + counts->open);
    /* in time: 2 of 6 */
    ck_assert_double_eq_tol(result->service.deadline_met_ratio, 2.0 / 6, TOLERANCE);
    ck_assert(!result->service.is_met);
}
END_TEST

START_TEST(latency_is_mean_and_nearest_ranks)
{
    /* 1..10 s: mean 5.5, p50 the 5th, p90 the 9th, p99 and max the 10th; fed out of order. */
    begin();
    for (uint64_t i = 0; i < 10; i++) {
        const double latency_s = (double)(1 + i * 7 % 10);
        request(i, 100 + (double)i, latency_s, EW_EVENT_REQUEST_DONE);
    }
    finish();
    const struct ew_latency *latency = &result->service.latency;
    ck_assert_double_eq_tol(latency->mean_s, 5.5, TOLERANCE);
    ck_assert_double_eq(latency->p50_s, 5);
    ck_assert_double_eq(latency->p90_s, 9);
    ck_assert_double_eq(latency->p99_s, 10);
    ck_assert_double_eq(latency->max_s, 10);
}
END_TEST

START_TEST(rates_follow_from_arrivals_and_completions)
{
    /* First arrival at 2 s, answers at 4, 5, 8 s: 3 / 6 s; mean gap (8 - 4) / 2. */
    begin();
    request(0, 4, 2, EW_EVENT_REQUEST_DONE);
    request(1, 5, 1, EW_EVENT_REQUEST_DONE);
    request(2, 8, 1, EW_EVENT_REQUEST_DONE);
    finish();
    ck_assert_double_eq(result->service.first_arrival_s, 2);
    ck_assert_double_eq(result->service.last_completion_s, 8);
    ck_assert_double_eq_tol(result->service.throughput_per_s, 0.5, TOLERANCE);
    ck_assert_double_eq_tol(result->service.period_s, 2, TOLERANCE);
}
END_TEST

START_TEST(queue_figures_follow_littles_law)
{
    /* Three requests: 0..4, 1..5, 1..8. In the system: 1 for 1 s, 3 for 3 s, 2 for 1 s, 1 for 3 s:
     * 15 / 8 = sum of latencies / span; at most 3. */
    begin();
    fixture_arrive(sink, 0, 0, 0, INFINITY);
    fixture_job(sink, EW_EVENT_JOB_START, 0, 0, 0, 1, 0, 0);
    fixture_arrive(sink, 1, 0, 1, INFINITY);
    fixture_arrive(sink, 1, 0, 2, INFINITY);
    fixture_job(sink, EW_EVENT_JOB_START, 1, 0, 1, 1, 1, 0);
    fixture_job(sink, EW_EVENT_JOB_START, 1, 0, 2, 1, 2, 0);
    fixture_task(sink, &fix, 0, 4, 0, 0, 0, FIX_N_CONV1); /* waited 0 s */
    fixture_end(sink, EW_EVENT_REQUEST_DONE, 4, 0, 0, 0, 0, 4);
    fixture_task(sink, &fix, 4, 5, 0, 1, 0, FIX_N_CONV1); /* 3 s */
    fixture_end(sink, EW_EVENT_REQUEST_DONE, 5, 0, 1, 1, 0, 4);
    fixture_task(sink, &fix, 5, 8, 0, 2, 0, FIX_N_CONV1); /* 4 s */
    fixture_end(sink, EW_EVENT_REQUEST_LATE, 8, 0, 2, 2, 0, 7);
    finish();
    const struct ew_queue_figures *queue = &result->service.queue;
    ck_assert_double_eq_tol(queue->mean_in_system, 15.0 / 8, TOLERANCE);
    ck_assert_double_eq(queue->max_in_system, 3);
    ck_assert_double_eq_tol(queue->mean_wait_s, 7.0 / 3, TOLERANCE);
    ck_assert_double_eq(queue->max_wait_s, 4);
}
END_TEST

START_TEST(loadgen_metrics_are_its_percentiles)
{
    /* Queries of two: 0..3 and 3..5; of a third, 5..9, one sample is lost: no latency. */
    fix.workloads[0].arrival.loadgen = EW_LOADGEN_MULTI_STREAM;
    fix.workloads[0].arrival.group_size = 2;
    begin();
    for (uint64_t query = 0; query < 3; query++) {
        const double begin_s[] = {0, 3, 5}, first_s[] = {1, 5, 8}, second_s[] = {3, 4.5, 9};
        const double ends_s[] = {fmin(first_s[query], second_s[query]),
                                 fmax(first_s[query], second_s[query])};
        for (uint64_t i = 0; i < 2; i++) {
            fixture_arrive(sink, begin_s[query], 0, 2 * query + i, INFINITY);
        }
        for (uint64_t i = 0; i < 2; i++) {
            const bool is_lost = query == 2 && i == 0;
            fixture_end(sink, is_lost ? EW_EVENT_REQUEST_FAILED : EW_EVENT_REQUEST_DONE, ends_s[i],
                        0, 2 * query + i, 0, 0, ends_s[i] - begin_s[query]);
        }
    }
    finish();
    const struct ew_loadgen_result *loadgen = &result->workloads[0].loadgen;
    ck_assert_int_eq(loadgen->scenario, EW_LOADGEN_MULTI_STREAM);
    ck_assert_uint_eq(loadgen->n_queries, 2);
    ck_assert_double_eq(loadgen->latency_s, 3);
    ck_assert_double_eq(loadgen->percentile_ratio, 0.99);
}
END_TEST

START_TEST(nothing_completed_gives_nan_and_no_claim_is_kept)
{
    begin();
    fixture_arrive(sink, 0, 0, 0, 1);
    finish();
    ck_assert_double_nan(result->service.latency.mean_s);
    ck_assert_double_nan(result->service.latency.p99_s);
    ck_assert_double_nan(result->service.throughput_per_s);
    ck_assert_double_nan(result->service.period_s);
    ck_assert_double_nan(result->service.accuracy);
    ck_assert_double_nan(result->energy_per_request_j);
    ck_assert_double_eq(result->service.deadline_met_ratio, 0);
    ck_assert(!result->service.is_met);
}
END_TEST

START_TEST(no_events_at_all_is_a_valid_result)
{
    begin();
    finish();
    ck_assert_uint_eq(result->service.counts.requests, 0);
    ck_assert_double_nan(result->service.deadline_met_ratio);
    ck_assert_double_nan(result->service.first_arrival_s);
    ck_assert_double_eq(result->energy_j, 0);
    ck_assert(!result->service.is_met);
}
END_TEST

START_TEST(one_request_costs_what_the_hand_says)
{
    /* pi idle 2, compute 6, tx 1, rx 0.5; nano 3, 10, 2, 1.5; spare 1 W idle; horizon 5 s.
     * idle (2 + 3 + 1) * 5 = 30; pi computes 1 s * 4; nano 2 s * 7; message 1 s * (1 + 1.5);
     * answer 0.5 s * (2 + 0.5). */
    begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    finish();
    ck_assert(result->has_energy);
    ck_assert_double_eq_tol(result->state_j[EW_POWER_IDLE], 30, TOLERANCE);
    ck_assert_double_eq_tol(result->state_j[EW_POWER_COMPUTE], 18, TOLERANCE);
    ck_assert_double_eq_tol(result->state_j[EW_POWER_TX], 1 + 1, TOLERANCE);
    ck_assert_double_eq_tol(result->state_j[EW_POWER_RX], 1.5 + 0.25, TOLERANCE);
    ck_assert_double_eq_tol(result->dynamic_energy_j, 21.75, TOLERANCE);
    ck_assert_double_eq_tol(result->energy_j, 51.75, TOLERANCE);
    ck_assert_double_eq_tol(result->energy_per_request_j, 51.75, TOLERANCE);
    ck_assert_double_eq_tol(result->idle_share_per_request_j, 30, TOLERANCE);
    ck_assert_uint_eq(result->n_tasks, 2);
    ck_assert_uint_eq(result->n_transfers, 2);
    ck_assert_uint_eq(result->transfer_bytes, 1040);
    ck_assert_uint_eq(result->n_devices_used, 2);
}
END_TEST

START_TEST(energy_goes_to_the_layer_that_computes_or_reads)
{
    fix.book.n_plans = 1 + (uint32_t)_i; /* with 1 no plan uses a variant */
    begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    finish();
    ck_assert_uint_eq(result->n_layers, 3);
    const struct ew_layer_result *conv1 = find_layer(0, 0, FIX_CONV1);
    ck_assert_str_eq(conv1->name, "conv1");
    ck_assert_str_eq(conv1->op, "conv");
    ck_assert_double_eq_tol(conv1->compute_j, 4, TOLERANCE);
    ck_assert_uint_eq(conv1->n_transfers, 0);
    const struct ew_layer_result *conv2 = find_layer(0, 0, FIX_CONV2);
    ck_assert_double_eq_tol(conv2->compute_j, 14, TOLERANCE);
    ck_assert_double_eq_tol(conv2->compute_s, 2, TOLERANCE);
    ck_assert_double_eq_tol(conv2->transfer_j, 2.5, TOLERANCE);
    ck_assert_double_eq_tol(conv2->transfer_s, 1, TOLERANCE);
    ck_assert_uint_eq(conv2->rx_bytes, 1000);
    const struct ew_layer_result *answer = find_layer(0, 0, EW_NONE);
    ck_assert_str_eq(answer->name, "(result)");
    ck_assert_double_eq_tol(answer->transfer_j, 1.25, TOLERANCE);
}
END_TEST

START_TEST(layers_of_variants_are_kept_apart)
{
    begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    fixture_serve(sink, &fix, 5, 0, 1, 1, 1); /* plan "narrow": variant 1 */
    fixture_serve(sink, &fix, 10, 0, 2, 2, 1);
    finish();
    ck_assert_uint_eq(result->n_layers, 6);
    ck_assert_double_eq_tol(find_layer(0, 0, FIX_CONV1)->compute_j, 4, TOLERANCE);
    ck_assert_double_eq_tol(find_layer(0, 1, FIX_CONV1)->compute_j, 8, TOLERANCE);
    ck_assert_uint_eq(find_layer(0, 1, FIX_CONV2)->n_transfers, 2);
    ck_assert_uint_eq(find_layer(0, 1, EW_NONE)->n_transfers, 2);
}
END_TEST

START_TEST(accuracy_is_the_mean_over_requests)
{
    /* one request at 0.8, two at 0.6; predictions 4 s and 5 s. */
    begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    fixture_serve(sink, &fix, 5, 0, 1, 1, 1);
    fixture_serve(sink, &fix, 10, 0, 2, 2, 1);
    finish();
    ck_assert_double_eq_tol(result->service.accuracy, 2.0 / 3, TOLERANCE);
    ck_assert_double_eq_tol(result->service.predicted_latency_s, 14.0 / 3, TOLERANCE);
    const struct ew_workload_result *camera = &result->workloads[0];
    ck_assert_uint_eq(camera->n_plans, 2);
    ck_assert_str_eq(camera->plans[0].name, "wide");
    ck_assert_uint_eq(camera->plans[0].n_completed, 1);
    ck_assert_uint_eq(camera->plans[1].n_completed, 2);
    ck_assert_double_eq(camera->plans[1].expected_accuracy, 0.6);
    ck_assert_uint_eq(camera->plans[0].n_devices, 2);
    ck_assert_str_eq(camera->plans[0].notes[0].value, "conv1 | conv2");
    ck_assert_str_eq(result->service.exit, "full");
}
END_TEST

START_TEST(requests_of_unknown_plans_leave_accuracy_unknown)
{
    begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    fixture_arrive(sink, 5, 0, 1, INFINITY);
    fixture_end(sink, EW_EVENT_REQUEST_DONE, 6, 0, 1, 1, EW_NONE, 1);
    finish();
    ck_assert_double_nan(result->service.accuracy);
}
END_TEST

START_TEST(exit_is_null_when_requests_leave_at_several)
{
    fix.segments[1].exit = 0;
    begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    fixture_serve(sink, &fix, 5, 0, 1, 1, 1);
    finish();
    ck_assert_ptr_null(result->service.exit);
    ck_assert_str_eq(result->workloads[0].plans[1].exits[0], "early");
}
END_TEST

START_TEST(a_claim_that_the_run_refutes_is_marked)
{
    fix.workloads[0].deadline_s = 4.5;
    begin();
    fixture_arrive(sink, 0, 0, 0, 4.5);
    fixture_end(sink, EW_EVENT_REQUEST_LATE, 5, 0, 0, 0, 0, 5);
    finish();
    ck_assert(result->service.claims_feasible);
    ck_assert(!result->service.is_met);
    ck_assert(result->service.has_model_mismatch);
}
END_TEST

START_TEST(no_claim_means_no_mismatch)
{
    fix.plans[0].claims_feasible = false;
    fix.plans[0].infeasible_reason = "deadline 4.5 s, best 5 s";
    begin();
    fixture_arrive(sink, 0, 0, 0, 4.5);
    fixture_end(sink, EW_EVENT_REQUEST_LATE, 5, 0, 0, 0, 0, 5);
    finish();
    ck_assert(!result->service.claims_feasible);
    ck_assert(!result->service.has_model_mismatch);
    ck_assert_str_eq(result->workloads[0].plans[0].infeasible_reason, "deadline 4.5 s, best 5 s");
}
END_TEST

START_TEST(requirements_are_deadline_accuracy_and_throughput)
{
    static const struct {
        double min_accuracy, min_throughput_per_s;
        bool is_met;
    } cases[] = {{0, 0, true}, {0.8, 0.2, true}, {0.81, 0, false}, {0, 0.21, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fix.asked[0].min_accuracy = cases[i].min_accuracy;
        fix.asked[0].min_throughput_per_s = cases[i].min_throughput_per_s;
        begin();
        fixture_serve(sink, &fix, 0, 0, 0, 0, 0); /* accuracy 0.8, 1 / 5 s */
        finish();
        ck_assert_int_eq(result->service.is_met, cases[i].is_met);
        ew_result_free(result);
        ew_metrics_free(metrics);
        metrics = NULL;
        result = NULL;
    }
    fix.task_graphs[0].stats.expected_accuracy = NAN;
    fix.asked[0] = (struct ew_metrics_workload){.context = &fix.context, .min_accuracy = 0.1};
    begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    finish();
    ck_assert(!result->service.is_met); /* unknown is not enough */
}
END_TEST

START_TEST(devices_tell_work_memory_and_share)
{
    begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    finish();
    ck_assert_uint_eq(result->n_devices, 3);
    const struct ew_device_result *nano = &result->devices[1];
    ck_assert_str_eq(nano->name, "nano");
    ck_assert_double_eq_tol(nano->busy_s, 2, TOLERANCE);
    ck_assert_double_eq_tol(nano->utilisation_ratio, 0.4, TOLERANCE);
    ck_assert_double_eq_tol(nano->rx_s, 1, TOLERANCE);
    ck_assert_double_eq_tol(nano->tx_s, 0.5, TOLERANCE);
    ck_assert_uint_eq(nano->tx_bytes, 40);
    ck_assert_uint_eq(nano->rx_bytes, 1000);
    ck_assert_double_eq_tol(nano->dynamic_energy_j, 14 + 1.5 + 1, TOLERANCE);
    ck_assert_double_eq_tol(nano->energy_j, 16.5 + 15, TOLERANCE);
    ck_assert_uint_eq(nano->peak_memory_bytes, 2800); /* the larger of the two plans */
    ck_assert_double_eq_tol(nano->rows_share, 0.5, TOLERANCE);
    ck_assert_uint_eq(result->devices[2].n_tasks, 0);
    ck_assert_double_eq(result->devices[2].rows_share, 0);
}
END_TEST

START_TEST(workloads_are_kept_apart_and_summed)
{
    fix.run.n_workloads = 2;
    begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    fixture_serve(sink, &fix, 5, 1, 0, 1, 1);
    fixture_serve(sink, &fix, 11, 1, 1, 2, 1);
    fixture_arrive(sink, 16, 0, 1, INFINITY);
    fixture_end(sink, EW_EVENT_REQUEST_DONE, 23, 0, 1, 3, 0, 7);
    finish();
    ck_assert_uint_eq(result->n_workloads, 2);
    ck_assert_str_eq(result->workloads[1].name, "other");
    ck_assert_uint_eq(result->workloads[0].service.counts.completed, 2);
    ck_assert_uint_eq(result->workloads[1].service.counts.completed, 2);
    ck_assert_double_eq_tol(result->workloads[0].dynamic_energy_j, 21.75, TOLERANCE);
    ck_assert_double_eq_tol(result->workloads[1].dynamic_energy_j, 43.5, TOLERANCE);
    ck_assert_double_eq_tol(result->dynamic_energy_j, 65.25, TOLERANCE);
    const struct ew_service *whole = &result->service;
    ck_assert_uint_eq(whole->counts.requests, 4);
    ck_assert_double_eq_tol(whole->latency.mean_s, 22.0 / 4, TOLERANCE);
    ck_assert_double_eq(whole->latency.p50_s, 5);
    ck_assert_double_eq(whole->latency.max_s, 7);
    ck_assert_double_eq_tol(whole->throughput_per_s, 4.0 / 23, TOLERANCE);
    ck_assert_double_eq_tol(whole->period_s, (23.0 - 5) / 3, TOLERANCE);
    ck_assert_double_eq_tol(whole->accuracy, 0.7, TOLERANCE);
    ck_assert(whole->is_met);
    /* memory: both workloads keep their larger plan on nano */
    ck_assert_uint_eq(result->devices[1].peak_memory_bytes, 5600);
}
END_TEST

START_TEST(layers_and_idle_add_up_to_the_platform)
{
    fix.run.n_workloads = 2;
    begin();
    struct ew_rng rng = ew_rng_make(11, "test_metrics");
    double time_s = 1000 * ew_rng_unit(&rng);
    for (uint64_t i = 0; i < 20000; i++) {
        fixture_serve(sink, &fix, time_s, (uint32_t)ew_rng_below(&rng, 2), i, i,
                      (uint32_t)ew_rng_below(&rng, 2));
        time_s += 5 + ew_rng_exponential(&rng, 0.1);
    }
    finish();
    double layers_j = 0;
    for (uint32_t i = 0; i < result->n_layers; i++) {
        layers_j += result->layers[i].compute_j + result->layers[i].transfer_j;
    }
    double devices_j = 0;
    for (uint32_t d = 0; d < result->n_devices; d++) {
        devices_j += result->devices[d].energy_j;
    }
    const double workloads_j =
        result->workloads[0].dynamic_energy_j + result->workloads[1].dynamic_energy_j;
    ck_assert(ew_close(layers_j, result->dynamic_energy_j, 1e-9, 0));
    ck_assert(ew_close(workloads_j, result->dynamic_energy_j, 1e-9, 0));
    ck_assert(ew_close(devices_j, result->energy_j, 1e-9, 0));
    ck_assert(ew_close(result->energy_per_request_j * 20000, result->energy_j, 1e-9, 0));
    ck_assert(ew_close(result->dynamic_energy_per_request_j + result->idle_share_per_request_j,
                       result->energy_per_request_j, 1e-9, 0));
}
END_TEST

static void count_event(void *ctx, const struct ew_event *event, const struct ew_joules *joules)
{
    double *sum_j = ctx;
    ck_assert_uint_lt(event->kind, EW_EVENT_COUNT);
    *sum_j += joules->own_j + joules->peer_j;
}

START_TEST(observer_sees_every_event_with_its_energy)
{
    double sum_j = 0;
    const struct ew_metrics_config config = {
        .run = &fix.run, .workloads = fix.asked, .observer = {&sum_j, count_event}};
    ck_assert_int_eq(ew_metrics_new(&metrics, &config, NULL), EW_OK);
    sink = ew_metrics_sink(metrics);
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    ck_assert_double_eq_tol(sum_j, 21.75, TOLERANCE);
}
END_TEST

START_TEST(events_with_ids_out_of_range_do_no_harm)
{
    begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    for (int kind = 0; kind < EW_EVENT_COUNT; kind++) {
        struct ew_event event = fixture_event((enum ew_event_kind)kind, 6);
        event.workload = kind % 2 ? EW_NONE : 0;
        event.layer = event.reader_layer = 999;
        event.plan = 17;
        sink.emit(sink.ctx, &event);
    }
    finish();
    ck_assert_double_eq_tol(result->dynamic_energy_j, 21.75, TOLERANCE);
}
END_TEST

START_TEST(result_outlives_its_sources)
{
    begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    finish();
    ew_metrics_free(metrics);
    metrics = NULL;
    fixture_fini(&fix);
    ck_assert_str_eq(result->strategy, "split");
    ck_assert_str_eq(result->params, "at=conv1");
    ck_assert_str_eq(result->devices[1].node, "nano");
    ck_assert_str_eq(find_layer(0, 0, FIX_CONV2)->name, "conv2");
    fixture_init(&fix);
}
END_TEST

START_TEST(error_result_has_its_reason_and_no_figures)
{
    result = ew_result_new_error(&fix.labels, EW_EINPUT, "no regression for layer fc");
    ck_assert_ptr_nonnull(result);
    ck_assert_str_eq(result->error, "no regression for layer fc");
    ck_assert_int_eq(result->error_status, EW_EINPUT);
    ck_assert_double_nan(result->service.latency.mean_s);
    ck_assert_double_nan(result->energy_j);
    ck_assert_double_eq(result->plan_time_s, 0.001);
}
END_TEST

static Suite *metrics_suite(void)
{
    Suite *suite = begin_suite("metrics");
    TCase *service = tcase_create("service");
    tcase_add_checked_fixture(service, set_up, tear_down);
    tcase_add_test(service, counts_add_up);
    tcase_add_test(service, latency_is_mean_and_nearest_ranks);
    tcase_add_test(service, rates_follow_from_arrivals_and_completions);
    tcase_add_test(service, queue_figures_follow_littles_law);
    tcase_add_test(service, loadgen_metrics_are_its_percentiles);
    tcase_add_test(service, nothing_completed_gives_nan_and_no_claim_is_kept);
    tcase_add_test(service, no_events_at_all_is_a_valid_result);
    tcase_add_test(service, accuracy_is_the_mean_over_requests);
    tcase_add_test(service, requests_of_unknown_plans_leave_accuracy_unknown);
    tcase_add_test(service, exit_is_null_when_requests_leave_at_several);
    tcase_add_test(service, a_claim_that_the_run_refutes_is_marked);
    tcase_add_test(service, no_claim_means_no_mismatch);
    tcase_add_test(service, requirements_are_deadline_accuracy_and_throughput);
    suite_add_tcase(suite, service);
    TCase *attribution = tcase_create("attribution");
    tcase_add_checked_fixture(attribution, set_up, tear_down);
    tcase_add_test(attribution, one_request_costs_what_the_hand_says);
    tcase_add_loop_test(attribution, energy_goes_to_the_layer_that_computes_or_reads, 0, 2);
    tcase_add_test(attribution, layers_of_variants_are_kept_apart);
    tcase_add_test(attribution, devices_tell_work_memory_and_share);
    tcase_add_test(attribution, workloads_are_kept_apart_and_summed);
    tcase_add_test(attribution, layers_and_idle_add_up_to_the_platform);
    tcase_add_test(attribution, observer_sees_every_event_with_its_energy);
    suite_add_tcase(suite, attribution);
    TCase *results = tcase_create("result");
    tcase_add_checked_fixture(results, set_up, tear_down);
    tcase_add_test(results, events_with_ids_out_of_range_do_no_harm);
    tcase_add_test(results, result_outlives_its_sources);
    tcase_add_test(results, error_result_has_its_reason_and_no_figures);
    suite_add_tcase(suite, results);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(metrics_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
