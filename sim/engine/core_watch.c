#include "engine/core_watch.h"

#include <math.h>
#include <stdlib.h>

#include "base/vec.h"
#include "plan/plan.h"

/* What is shorter says more about rounding than about a device or a link. */
static const double least_measured_s = 100e-6;
/* Times that differ by less may be the same on paper. */
static const double same_time_s = 1e-8;
/* A half on paper may be a little less in one engine. */
static const double half = 0.5 + 1.0 / 64;

enum note_kind { NOTE_READY, NOTE_OVER, NOTE_UP, NOTE_BANDWIDTH, NOTE_ANSWER, NOTE_FAILURE };

struct note {
    double time_s;
    double value;
    uint64_t rank;
    uint32_t kind; /* enum note_kind */
    uint32_t at;   /* device, pair of devices, workload */
    uint32_t plan;
};

/* Which answer was the last. */
struct last_answer {
    double time_s;
    uint64_t rank;
};

struct core_watch {
    uint32_t n_devices;
    struct core_seen_jobs *jobs; /* per workload */
    struct last_answer *answers; /* per workload */
    double *task_ratio;
    uint32_t *queued;
    uint32_t *is_up;
    double *bytes_per_s;
    EW_VEC(struct note) notes; /* not seen yet: from head on */
    size_t head;
    bool is_out_of_memory;
};

struct core_watch *core_watch_new(uint32_t n_devices, uint32_t n_workloads)
{
    struct core_watch *w = calloc(1, sizeof *w);
    if (!w) {
        return NULL;
    }
    const size_t n = n_devices, n_pairs = n * n;
    w->n_devices = n_devices;
    w->jobs = calloc(n_workloads + 1u, sizeof *w->jobs);
    w->answers = calloc(n_workloads + 1u, sizeof *w->answers);
    w->task_ratio = calloc(n + 1, sizeof *w->task_ratio);
    w->queued = calloc(n + 1, sizeof *w->queued);
    w->is_up = calloc(n + 1, sizeof *w->is_up);
    w->bytes_per_s = calloc(n_pairs + 1, sizeof *w->bytes_per_s);
    if (!w->jobs || !w->answers || !w->task_ratio || !w->queued || !w->is_up || !w->bytes_per_s) {
        core_watch_free(w);
        return NULL;
    }
    for (uint32_t i = 0; i < n_workloads; i++) {
        w->jobs[i] = (struct core_seen_jobs){.last_plan = EW_NONE, .last_latency_s = NAN};
    }
    for (size_t d = 0; d < n; d++) {
        w->is_up[d] = 1;
        w->task_ratio[d] = NAN;
    }
    for (size_t p = 0; p < n_pairs; p++) {
        w->bytes_per_s[p] = NAN;
    }
    return w;
}

void core_watch_free(struct core_watch *watch)
{
    if (!watch) {
        return;
    }
    free(watch->jobs);
    free(watch->answers);
    free(watch->task_ratio);
    free(watch->queued);
    free(watch->is_up);
    free(watch->bytes_per_s);
    ew_vec_fini(&watch->notes);
    free(watch);
}

/* --- rounding -------------------------------------------------------------------------------- */

double core_watch_time(double time_s)
{
    return floor(time_s * 1e6 + half) / 1e6;
}

static double three_digits(double x)
{
    if (!(x > 0) || isinf(x)) {
        return x;
    }
    const double shift = 2 - floor(log10(x));
    return shift >= 0 ? floor(x * pow(10, shift) + half) / pow(10, shift)
                      : floor(x / pow(10, -shift) + half) * pow(10, -shift);
}

double core_watch_stretch(double took_s, double nominal_s)
{
    return nominal_s >= least_measured_s ? three_digits(took_s / nominal_s) : NAN;
}

/* --- seeing ---------------------------------------------------------------------------------- */

static void see_answer(struct core_watch *w, const struct note *note)
{
    struct core_seen_jobs *jobs = &w->jobs[note->at];
    struct last_answer *last = &w->answers[note->at];
    jobs->n_running--;
    if (jobs->last_plan != EW_NONE && note->time_s < last->time_s + same_time_s &&
        note->rank < last->rank) {
        return;
    }
    *last = (struct last_answer){note->time_s, note->rank};
    jobs->last_plan = note->plan;
    jobs->last_latency_s = note->value;
}

static void see(struct core_watch *w, const struct note *note)
{
    switch ((enum note_kind)note->kind) {
    case NOTE_READY:
        w->queued[note->at]++;
        break;
    case NOTE_OVER:
        w->queued[note->at]--;
        w->task_ratio[note->at] = isnan(note->value) ? w->task_ratio[note->at] : note->value;
        break;
    case NOTE_UP:
        w->is_up[note->at] = note->value > 0;
        break;
    case NOTE_BANDWIDTH:
        w->bytes_per_s[note->at] = note->value;
        break;
    case NOTE_ANSWER:
        see_answer(w, note);
        break;
    case NOTE_FAILURE:
        w->jobs[note->at].n_running--;
        break;
    }
}

bool core_watch_see(struct core_watch *watch, double seen_s)
{
    while (watch->head < watch->notes.count && watch->notes.items[watch->head].time_s <= seen_s) {
        see(watch, &watch->notes.items[watch->head++]);
    }
    if (watch->head == watch->notes.count) {
        watch->head = watch->notes.count = 0;
    }
    return !watch->is_out_of_memory;
}

/* --- noting ---------------------------------------------------------------------------------- */

static void note(struct core_watch *w, const struct note *note)
{
    /* later notes and looks are at most a grain earlier: so old ones can be seen already */
    (void)core_watch_see(w, note->time_s - CORE_SEEN_AFTER_S - same_time_s);
    if (2 * w->head >= w->notes.count) { /* amortised: moves at most as many as were seen */
        for (size_t i = w->head; i < w->notes.count; i++) {
            w->notes.items[i - w->head] = w->notes.items[i];
        }
        w->notes.count -= w->head;
        w->head = 0;
    }
    w->is_out_of_memory = !ew_vec_push(&w->notes, *note) || w->is_out_of_memory;
}

void core_watch_ready(struct core_watch *watch, uint32_t device, double time_s)
{
    note(watch, &(struct note){.kind = NOTE_READY, .at = device, .time_s = time_s});
}

void core_watch_over(struct core_watch *watch, uint32_t device, double stretch, double time_s)
{
    note(watch,
         &(struct note){.kind = NOTE_OVER, .at = device, .value = stretch, .time_s = time_s});
}

void core_watch_up(struct core_watch *watch, uint32_t device, bool is_up, double time_s)
{
    note(watch, &(struct note){.kind = NOTE_UP, .at = device, .value = is_up, .time_s = time_s});
}

void core_watch_transfer(struct core_watch *watch, uint32_t from, uint32_t to, uint64_t bytes,
                         double flow_s, double time_s)
{
    if (time_s - flow_s >= least_measured_s) {
        note(watch, &(struct note){.kind = NOTE_BANDWIDTH,
                                   .at = from * watch->n_devices + to,
                                   .value = three_digits((double)bytes / (time_s - flow_s)),
                                   .time_s = time_s});
    }
}

void core_watch_job_begins(struct core_watch *watch, uint32_t workload)
{
    watch->jobs[workload].n_running++;
}

void core_watch_answer(struct core_watch *watch, uint32_t workload, uint32_t plan, uint64_t rank,
                       double latency_s, double time_s)
{
    note(watch, &(struct note){.kind = NOTE_ANSWER,
                               .at = workload,
                               .plan = plan,
                               .rank = rank,
                               .value = core_watch_time(latency_s),
                               .time_s = time_s});
}

void core_watch_job_fails(struct core_watch *watch, uint32_t workload, double time_s)
{
    note(watch, &(struct note){.kind = NOTE_FAILURE, .at = workload, .time_s = time_s});
}

/* --- views ----------------------------------------------------------------------------------- */

const struct core_seen_jobs *core_watch_jobs(const struct core_watch *watch, uint32_t workload)
{
    return &watch->jobs[workload];
}

const double *core_watch_task_ratios(const struct core_watch *watch)
{
    return watch->task_ratio;
}

const uint32_t *core_watch_queued(const struct core_watch *watch)
{
    return watch->queued;
}

const uint32_t *core_watch_is_up(const struct core_watch *watch)
{
    return watch->is_up;
}

const double *core_watch_bandwidths(const struct core_watch *watch)
{
    return watch->bytes_per_s;
}
