/*
 * adaptive_batching: how many waiting requests share a job, and how many jobs are under way,
 * decided before every job by the utility of throughput over latency that BCEdge proposes, within
 * the deadline. What BCEdge learns is computed here; see README.md for what is whose.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/devices.h"
#include "common/emit.h"
#include "common/net.h"
#include "common/plugin.h"

enum {
    EVERY_SIZE_UP_TO = 16, /* from there on sizes double */
    MAX_SIZES = 40,
    MAX_JOBS = 64,
};

static const struct ew_param_info PARAM_DEVICE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_STRING,
    .name = "device",
    .unit = "",
    .default_text = "auto",
    .doc = "Name of the device that computes; auto: the one that answers one request first.",
};
static const struct ew_param_info PARAM_MAX_JOBS = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_INT,
    .name = "max_jobs",
    .unit = "",
    .default_text = "0",
    .min_value = 0,
    .max_value = MAX_JOBS,
    .doc = "Most jobs under way; 0: as many as keep the busiest resource busy.",
};
static const struct ew_param_info PARAM_BATCH = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_INT,
    .name = "batch",
    .unit = "requests",
    .default_text = "0",
    .min_value = 0,
    .max_value = 4096,
    .doc = "As many requests per job as wait, at most so many; 0: by the utility.",
};
static const struct ew_param_info *const PARAMS[] = {&PARAM_DEVICE, &PARAM_MAX_JOBS, &PARAM_BATCH};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "adaptive_batching",
    .version = "1.0.0",
    .summary = "batch size and jobs under way by throughput over latency, decided per job",
    .citation = "after Zhang et al., BCEdge, arXiv:2305.01519 (utility; the rest is ours)",
    .params = PARAMS,
};

/* Jobs of one size: plan number = index. */
struct size {
    uint32_t requests;
    double latency_s; /* alone */
    double period_s;  /* between jobs in a stream */
};

struct batching {
    uint32_t device;
    uint32_t max_jobs;
    uint32_t batch; /* 0: by the utility */
    uint32_t n_sizes;
    struct size sizes[MAX_SIZES];
    uint32_t last; /* size of the last job */
};

static void forget(struct batching *batching)
{
    *batching = (struct batching){0};
}

/* ------------------------------------------------------------------ planning */

static int32_t write_size(struct batching *batching, struct ew_plan_builder *builder,
                          struct kit_net *net, uint32_t requests)
{
    const struct ew_host *host = net->host;
    struct size *size = &batching->sizes[batching->n_sizes];
    struct ew_evaluation result = {.struct_size = sizeof result};
    char name[32];
    (void)snprintf(name, sizeof name, "batch %u", requests);
    net->batch = (int32_t)requests * host->requirements(host)->images_per_request;
    int32_t rc = builder->begin_plan(builder, name);
    rc = rc < 0 ? rc : builder->set_batch(builder, net->batch);
    rc = rc < 0 ? rc : kit_emit_all(builder, net, batching->device);
    rc = rc < 0 ? rc : host->evaluate(host, builder, &result);
    rc = rc < 0 ? rc : kit_predict(builder, net, result.latency_s, NAN);
    if (rc >= 0) {
        *size = (struct size){requests, result.latency_s, result.period_s};
        batching->n_sizes++;
    }
    return rc;
}

static int32_t write_sizes(struct batching *batching, struct ew_plan_builder *builder,
                           struct kit_net *net)
{
    const struct ew_requirements_info *asked = net->host->requirements(net->host);
    const uint32_t most = (uint32_t)(asked->batch / asked->images_per_request);
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t n = 1; n <= most && rc >= 0;) {
        rc = write_size(batching, builder, net, n);
        const uint32_t next = n < EVERY_SIZE_UP_TO ? n + 1 : 2 * n;
        n = n < most && next > most ? most : next;
    }
    return rc;
}

static double answer_s(const struct kit_net *net, uint32_t device)
{
    const struct ew_host *host = net->host;
    const struct ew_requirements_info *asked = host->requirements(host);
    if (!kit_fits(host, device, kit_net_memory_bytes(net))) {
        return INFINITY;
    }
    return kit_net_compute_s(net, device) +
           host->transfer_s(host, asked->source_device, device, kit_net_input_bytes(net)) +
           host->transfer_s(host, device, asked->sink_device, kit_net_result_bytes(net));
}

/* Memory for the largest batch, speed for one request. */
static int32_t choose_device(struct batching *batching, struct kit_net *net)
{
    const struct ew_host *host = net->host;
    int32_t rc = kit_param_device(&batching->device, host, "device");
    double best_s = INFINITY;
    for (uint32_t d = 0; rc >= 0 && batching->device == EW_ID_NONE && d < host->device_count(host);
         d++) {
        best_s = fmin(best_s, answer_s(net, d));
    }
    for (uint32_t d = 0; rc >= 0 && batching->device == EW_ID_NONE && d < host->device_count(host);
         d++) {
        if (isfinite(best_s) && answer_s(net, d) <= best_s) {
            batching->device = d;
        }
    }
    if (rc >= 0 && (batching->device == EW_ID_NONE || !isfinite(answer_s(net, batching->device)))) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "no device that can be reached has the memory for the largest batch");
    }
    return rc;
}

/* While one job moves data another can compute: so many keep the busiest resource busy. Times that
 * are equal on paper count as equal. */
static uint32_t enough_jobs(const struct batching *batching)
{
    double most = 1;
    for (uint32_t i = 0; i < batching->n_sizes; i++) {
        const struct size *size = &batching->sizes[i];
        most = fmax(most, size->period_s > 0 ? ceil(size->latency_s / size->period_s - 1e-6) : 1);
    }
    return most < MAX_JOBS ? (uint32_t)most : MAX_JOBS;
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    struct batching *batching = strategy->self;
    struct kit_net net = {0};
    forget(batching);
    int32_t rc = kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS);
    rc = rc < 0 ? rc : choose_device(batching, &net);
    rc = rc < 0 ? rc : write_sizes(batching, builder, &net);
    if (rc >= 0) {
        const int64_t asked = host->param_int(host, "max_jobs");
        batching->batch = (uint32_t)host->param_int(host, "batch");
        batching->max_jobs = asked > 0 ? (uint32_t)asked : enough_jobs(batching);
        rc = kit_note(builder, "device", "%s", host->device(host, batching->device)->name);
    }
    rc = rc < 0 ? rc : kit_note(builder, "jobs", "at most %u under way", batching->max_jobs);
    kit_net_fini(&net);
    return rc < 0 ? rc : builder->set_pick(builder, EW_PICK_MODE_ONLINE);
}

/* ------------------------------------------------------------------ picking */

struct promise {
    double latency_s; /* mean of those that wait */
    double throughput_per_s;
    double in_time; /* how many of them */
};

/* What serving all that wait in jobs of this size would give, tasks being as slow as the last one
 * was. All count as waiting as long as the first. */
static struct promise promise_of(const struct batching *batching, const struct size *size,
                                 const struct ew_job_observation *job)
{
    const double ratio = job->task_ratio[batching->device];
    const double slowness = ratio > 1 ? ratio : 1; /* NAN: not measured */
    const double begin_s =
        job->waited_s + slowness * job->n_running * batching->sizes[batching->last].period_s;
    const double every_s = slowness * fmax(size->period_s, size->latency_s / batching->max_jobs);
    const double first_s = slowness * size->latency_s;
    const double n_jobs = ceil(job->n_waiting / (double)size->requests);
    const double left_s = job->deadline_s - begin_s - first_s;
    const double jobs_in_time = left_s < 0 ? 0 : fmin(floor(left_s / every_s) + 1, n_jobs);
    return (struct promise){
        .latency_s = begin_s + first_s + every_s * (n_jobs - 1) / 2,
        .throughput_per_s = size->requests / every_s,
        .in_time = fmin(jobs_in_time * size->requests, job->n_waiting),
    };
}

/* Most in time; then the utility. When all are late anyway, those behind gain most by throughput.
 */
static bool is_better(const struct promise *a, const struct promise *b)
{
    if (a->in_time < b->in_time || b->in_time < a->in_time) {
        return a->in_time > b->in_time;
    }
    return a->in_time > 0
               ? log(a->throughput_per_s / a->latency_s) > log(b->throughput_per_s / b->latency_s)
               : a->throughput_per_s > b->throughput_per_s;
}

static void take_largest(struct batching *batching, const struct ew_job_observation *job,
                         struct ew_job_decision *decision)
{
    decision->plan = 0;
    while (decision->plan + 1 < batching->n_sizes &&
           batching->sizes[decision->plan + 1].requests <= job->n_waiting &&
           batching->sizes[decision->plan + 1].requests <= batching->batch) {
        decision->plan++;
    }
    decision->n_requests = batching->sizes[decision->plan].requests;
}

static int32_t pick(struct ew_strategy *strategy, const struct ew_host *host,
                    const struct ew_job_observation *job, struct ew_job_decision *decision)
{
    struct batching *batching = strategy->self;
    (void)host;
    if (job->n_running >= batching->max_jobs && job->can_wait) {
        decision->n_requests = 0;
        return EW_STRATEGY_OK;
    }
    if (batching->batch) {
        take_largest(batching, job, decision);
        return EW_STRATEGY_OK;
    }
    struct promise best = {.latency_s = INFINITY, .in_time = -1};
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < batching->n_sizes && batching->sizes[i].requests <= job->n_waiting;
         i++) {
        const struct promise promise = promise_of(batching, &batching->sizes[i], job);
        if (is_better(&promise, &best)) {
            best = promise;
            chosen = i;
        }
    }
    batching->last = decision->plan = chosen;
    decision->n_requests = batching->sizes[batching->last].requests;
    return EW_STRATEGY_OK;
}

/* ------------------------------------------------------------------ entry */

static const struct ew_online ONLINE = {.struct_size = sizeof ONLINE, .pick = pick};

KIT_DEFINE_ONLINE_ENTRY(INFO, struct batching, plan, forget, ONLINE);
