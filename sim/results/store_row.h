/*
 * Columns of the store's tables and the rows that go into them: one table says name, type and value
 * of every column, so that they cannot disagree.
 */
#ifndef EW_RESULTS_STORE_ROW_H
#define EW_RESULTS_STORE_ROW_H

#include "results/cells.h"
#include "results/result.h"

/** What a result does not know about its run; borrowed, NULL: not known. */
struct ew_store_labels {
    const char *net;
    const char *energy_rule;
    const char *graph;
    const char *platform;
    const char *arrival;
    uint64_t n_devices;
    uint64_t batch;
    uint64_t seed;
    double min_accuracy;
};

#define EW_STORE_TEXT(x) ew_cell_put_text(out, x)
#define EW_STORE_COUNT(x) ew_cell_put_u64(out, x)
#define EW_STORE_REAL(x) ew_cell_put_double(out, x)
#define EW_STORE_FLAG(x) ew_cell_put_bool(out, x)

/* name, SQL type, how to put it: `l` labels, `r` result. The last two are wall-clock. */
#define EW_STORE_RUN_COLUMNS(X)                                                                    \
    X(strategy, TEXT, EW_STORE_TEXT(r->strategy))                                                  \
    X(strategy_version, TEXT, EW_STORE_TEXT(r->strategy_version))                                  \
    X(params, TEXT, EW_STORE_TEXT(r->params))                                                      \
    X(engine, TEXT, EW_STORE_TEXT(r->engine))                                                      \
    X(net, TEXT, EW_STORE_TEXT(l->net))                                                            \
    X(energy_rule, TEXT, EW_STORE_TEXT(l->energy_rule))                                            \
    X(graph, TEXT, EW_STORE_TEXT(l->graph))                                                        \
    X(platform, TEXT, EW_STORE_TEXT(l->platform))                                                  \
    X(devices, INTEGER, EW_STORE_COUNT(l->n_devices))                                              \
    X(arrival, TEXT, EW_STORE_TEXT(l->arrival))                                                    \
    X(batch, INTEGER, EW_STORE_COUNT(l->batch))                                                    \
    X(seed, INTEGER, EW_STORE_COUNT(l->seed))                                                      \
    X(requests, INTEGER, EW_STORE_COUNT(r->service.counts.requests))                               \
    X(completed, INTEGER, EW_STORE_COUNT(r->service.counts.completed))                             \
    X(late, INTEGER, EW_STORE_COUNT(r->service.counts.late))                                       \
    X(dropped, INTEGER, EW_STORE_COUNT(r->service.counts.dropped))                                 \
    X(failed, INTEGER, EW_STORE_COUNT(r->service.counts.failed))                                   \
    X(open, INTEGER, EW_STORE_COUNT(r->service.counts.open))                                       \
    X(latency_mean_s, REAL, EW_STORE_REAL(r->service.latency.mean_s))                              \
    X(latency_p50_s, REAL, EW_STORE_REAL(r->service.latency.p50_s))                                \
    X(latency_p90_s, REAL, EW_STORE_REAL(r->service.latency.p90_s))                                \
    X(latency_p99_s, REAL, EW_STORE_REAL(r->service.latency.p99_s))                                \
    X(latency_max_s, REAL, EW_STORE_REAL(r->service.latency.max_s))                                \
    X(throughput_per_s, REAL, EW_STORE_REAL(r->service.throughput_per_s))                          \
    X(period_s, REAL, EW_STORE_REAL(r->service.period_s))                                          \
    X(deadline_s, REAL, EW_STORE_REAL(r->service.deadline_s))                                      \
    X(deadline_met_ratio, REAL, EW_STORE_REAL(r->service.deadline_met_ratio))                      \
    X(accuracy, REAL, EW_STORE_REAL(r->service.accuracy))                                          \
    X(min_accuracy, REAL, EW_STORE_REAL(l->min_accuracy))                                          \
    X(exit, TEXT, EW_STORE_TEXT(r->service.exit))                                                  \
    X(requirements_met, INTEGER, EW_STORE_FLAG(r->service.is_met))                                 \
    X(claims_feasible, INTEGER, EW_STORE_FLAG(r->service.claims_feasible))                         \
    X(model_mismatch, INTEGER, EW_STORE_FLAG(r->service.has_model_mismatch))                       \
    X(predicted_latency_s, REAL, EW_STORE_REAL(r->service.predicted_latency_s))                    \
    X(energy_j, REAL, EW_STORE_REAL(r->energy_j))                                                  \
    X(dynamic_energy_j, REAL, EW_STORE_REAL(r->dynamic_energy_j))                                  \
    X(energy_per_request_j, REAL, EW_STORE_REAL(r->energy_per_request_j))                          \
    X(dynamic_energy_per_request_j, REAL, EW_STORE_REAL(r->dynamic_energy_per_request_j))          \
    X(idle_share_per_request_j, REAL, EW_STORE_REAL(r->idle_share_per_request_j))                  \
    X(off_energy_j, REAL, EW_STORE_REAL(r->state_j[EW_POWER_OFF]))                                 \
    X(idle_energy_j, REAL, EW_STORE_REAL(r->state_j[EW_POWER_IDLE]))                               \
    X(compute_energy_j, REAL, EW_STORE_REAL(r->state_j[EW_POWER_COMPUTE]))                         \
    X(tx_energy_j, REAL, EW_STORE_REAL(r->state_j[EW_POWER_TX]))                                   \
    X(rx_energy_j, REAL, EW_STORE_REAL(r->state_j[EW_POWER_RX]))                                   \
    X(horizon_begin_s, REAL, EW_STORE_REAL(r->horizon_begin_s))                                    \
    X(horizon_end_s, REAL, EW_STORE_REAL(r->horizon_end_s))                                        \
    X(devices_used, INTEGER, EW_STORE_COUNT(r->n_devices_used))                                    \
    X(tasks, INTEGER, EW_STORE_COUNT(r->n_tasks))                                                  \
    X(transfers, INTEGER, EW_STORE_COUNT(r->n_transfers))                                          \
    X(transfer_bytes, INTEGER, EW_STORE_COUNT(r->transfer_bytes))                                  \
    X(plan_time_s, REAL, EW_STORE_REAL(r->plan_time_s))                                            \
    X(run_time_s, REAL, EW_STORE_REAL(r->run_time_s))

/* The same for one device `d` of a result; its number comes first and is the row's key. */
#define EW_STORE_DEVICE_COLUMNS(X)                                                                 \
    X(device_id, INTEGER, EW_STORE_COUNT(device_id))                                               \
    X(device, TEXT, EW_STORE_TEXT(d->name))                                                        \
    X(node, TEXT, EW_STORE_TEXT(d->node))                                                          \
    X(profile, TEXT, EW_STORE_TEXT(d->profile))                                                    \
    X(busy_s, REAL, EW_STORE_REAL(d->busy_s))                                                      \
    X(utilisation_ratio, REAL, EW_STORE_REAL(d->utilisation_ratio))                                \
    X(tx_s, REAL, EW_STORE_REAL(d->tx_s))                                                          \
    X(rx_s, REAL, EW_STORE_REAL(d->rx_s))                                                          \
    X(tx_bytes, INTEGER, EW_STORE_COUNT(d->tx_bytes))                                              \
    X(rx_bytes, INTEGER, EW_STORE_COUNT(d->rx_bytes))                                              \
    X(tasks, INTEGER, EW_STORE_COUNT(d->n_tasks))                                                  \
    X(energy_j, REAL, EW_STORE_REAL(d->energy_j))                                                  \
    X(dynamic_energy_j, REAL, EW_STORE_REAL(d->dynamic_energy_j))                                  \
    X(peak_memory_bytes, INTEGER, EW_STORE_COUNT(d->peak_memory_bytes))                            \
    X(rows_share, REAL, EW_STORE_REAL(d->rows_share))

#define EW_STORE_COUNT_ONE(name, type, put) +1
enum {
    EW_STORE_N_RUN = 0 EW_STORE_RUN_COLUMNS(EW_STORE_COUNT_ONE),
    EW_STORE_N_DEVICE = 0 EW_STORE_DEVICE_COLUMNS(EW_STORE_COUNT_ONE),
    EW_STORE_N_FAILURE = 2, /**< kind, message */
};

/** A column that exports have, in letters of any case: a varied key of that name would hide it. */
bool ew_store_has_column(const char *name);

/** Append the cells of a finished run: its row, then a row per device. */
void ew_store_put_run(struct ew_str *out, const struct ew_store_labels *labels,
                      const struct ew_result *result);

/** Append the cells of a failure. */
void ew_store_put_failure(struct ew_str *out, const char *kind, const char *message);

#endif
