#include "sweep/reproduce_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system.h"
#include "sweep/reproduce_cache.h"
#include "sweep/reproduce_point.h"

enum { MAX_JOBS = 256, MAX_CACHE_ENTRIES = 8192, POLL_MS = 200 };

/* One different scenario. */
struct job {
    const char *scenario;
    struct ew_repro_point point;
    char *key;            /* NULL: not kept */
    struct ew_str record; /* "" until known */
};

/* A child process at work. */
struct worker {
    pid_t pid;
    int fd;
    struct job *job;
};

struct run {
    const struct ew_repro_runner *runner;
    size_t n;
    struct job *jobs;
    uint32_t n_done;
    struct ew_repro_hashes hashes;
    struct worker workers[MAX_JOBS];
    uint32_t n_workers;
};

static bool is_interrupted(const struct run *run)
{
    return run->runner->interrupted && *run->runner->interrupted;
}

static void count_done(struct run *run)
{
    run->n_done++;
    if (run->runner->progress) {
        run->runner->progress(run->runner->progress_ctx, run->n_done, (uint32_t)run->n);
    }
}

/* --- children ----------------------------------------------------------------------------------
 */

static void write_whole(int fd, const char *text, size_t size)
{
    size_t n = 0;
    while (n < size) {
        const ssize_t w = write(fd, text + n, size - n);
        if (w < 0 && errno != EINTR) {
            return; /* the parent sees a cut record */
        }
        n += w > 0 ? (size_t)w : 0;
    }
}

/* In the child: never returns. */
static _Noreturn void work(const struct run *run, const struct job *job, int fd)
{
    struct ew_str record = {0};
    struct ew_error err = {0};
    const enum ew_status status = ew_repro_point_record(&record, &job->point, run->runner, &err);
    if (status != EW_OK) {
        record.length = 0;
        ew_repro_record_print_error(&record, err.message);
    }
    if (!record.failed) {
        write_whole(fd, record.text, record.length);
    }
    _exit(status == EW_OK ? 0 : 1);
}

static enum ew_status start(struct run *run, struct job *job, struct ew_error *err)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return ew_fail(err, EW_EIO, "cannot make a pipe: %s", strerror(errno));
    }
    const pid_t pid = fork();
    if (pid < 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return ew_fail(err, EW_EIO, "cannot start a process: %s", strerror(errno));
    }
    if (pid == 0) {
        (void)close(ends[0]);
        work(run, job, ends[1]);
    }
    (void)close(ends[1]);
    run->workers[run->n_workers++] = (struct worker){pid, ends[0], job};
    return EW_OK;
}

/* Wait for a child that has closed its pipe, and for its record. */
static void finish(struct run *run, uint32_t index)
{
    struct worker w = run->workers[index];
    struct ew_repro_record trial = {0};
    int state = 0;
    (void)close(w.fd);
    ew_wait_child(w.pid, &state);
    run->workers[index] = run->workers[--run->n_workers];
    struct ew_str *record = &w.job->record;
    if (ew_repro_record_parse(&trial, ew_str_text(record), record->length, NULL) != EW_OK) {
        struct ew_str why = {0};
        ew_str_printf(&why, "the process that ran it ended early (%s %d)",
                      WIFSIGNALED(state) ? "signal" : "exit code",
                      WIFSIGNALED(state) ? WTERMSIG(state) : WEXITSTATUS(state));
        record->length = 0;
        ew_repro_record_print_error(record, ew_str_text(&why));
        ew_str_fini(&why);
    } else if (!trial.error && w.job->key) {
        ew_repro_cache_put(run->runner->cache_dir, w.job->key, ew_str_text(record));
    }
    ew_repro_record_fini(&trial);
    count_done(run);
}

static void receive(struct run *run, uint32_t index)
{
    char bytes[4096];
    struct worker *w = &run->workers[index];
    const ssize_t n = read(w->fd, bytes, sizeof bytes);
    if (n > 0) {
        ew_str_append_n(&w->job->record, bytes, (size_t)n);
    } else if (n == 0 || errno != EINTR) {
        finish(run, index);
    }
}

/* Wait until something comes from any child. */
static void attend(struct run *run)
{
    struct pollfd fds[MAX_JOBS];
    for (uint32_t i = 0; i < run->n_workers; i++) {
        fds[i] = (struct pollfd){.fd = run->workers[i].fd, .events = POLLIN};
    }
    if (poll(fds, run->n_workers, POLL_MS) <= 0) {
        return;
    }
    for (uint32_t i = run->n_workers; i-- > 0;) { /* downwards: finish moves the last one */
        if (fds[i].revents) {
            receive(run, i);
        }
    }
}

static void kill_workers(struct run *run)
{
    for (uint32_t i = 0; i < run->n_workers; i++) {
        int state;
        (void)kill(run->workers[i].pid, SIGKILL);
        (void)close(run->workers[i].fd);
        ew_wait_child(run->workers[i].pid, &state);
    }
    run->n_workers = 0;
}

static enum ew_status run_jobs(struct run *run, struct ew_error *err)
{
    const uint32_t most = run->runner->n_jobs < MAX_JOBS ? run->runner->n_jobs : MAX_JOBS;
    enum ew_status status = EW_OK;
    size_t next = 0;
    while (status == EW_OK && (next < run->n || run->n_workers > 0)) {
        if (is_interrupted(run)) {
            status = ew_fail(err, EW_EINTR, "interrupted");
        } else if (next < run->n && run->jobs[next].record.length) {
            next++; /* from the cache */
        } else if (next < run->n && run->n_workers < most) {
            status = start(run, &run->jobs[next++], err);
        } else {
            attend(run);
        }
    }
    kill_workers(run);
    return status;
}

/* --- jobs --------------------------------------------------------------------------------------
 */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_jobs(const void *a, const void *b)
{
    return strcmp(((const struct job *)a)->scenario, ((const struct job *)b)->scenario);
}

/* A job per different text, ordered by text. */
static enum ew_status make_jobs(struct run *run, size_t n, const char *const *scenarios,
                                struct ew_error *err)
{
    const char **sorted = calloc(n ? n : 1, sizeof *sorted);
    run->jobs = calloc(n ? n : 1, sizeof *run->jobs);
    if (!sorted || !run->jobs) {
        free(sorted);
        return ew_fail_memory(err);
    }
    memcpy(sorted, scenarios, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_texts);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(sorted[i], sorted[i - 1]) != 0) {
            run->jobs[run->n++].scenario = sorted[i];
        }
    }
    free(sorted);
    return EW_OK;
}

/* Open a job and look into the cache. */
static enum ew_status prepare(struct run *run, struct job *job, struct ew_error *err)
{
    const struct ew_repro_runner *runner = run->runner;
    struct ew_str key = {0};
    enum ew_status status = ew_repro_point_open(&job->point, runner, job->scenario, err);
    if (status == EW_OK && runner->cache_dir) {
        status = ew_repro_point_key(&key, &job->point, runner, job->scenario, &run->hashes, err);
        if (status == EW_OK && ew_repro_cache_get(&job->record, runner->cache_dir, key.text)) {
            count_done(run);
        }
        job->key = key.text;
        key.text = NULL;
    }
    ew_str_fini(&key);
    return status;
}

static struct job *find_job(const struct run *run, const char *scenario)
{
    const struct job key = {.scenario = scenario};
    return bsearch(&key, run->jobs, run->n, sizeof key, compare_jobs);
}

static enum ew_status hand_out(struct ew_repro_record *records, const struct run *run, size_t n,
                               const char *const *scenarios, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < n; i++) {
        const struct ew_str *text = &find_job(run, scenarios[i])->record;
        status = text->failed ? ew_fail_memory(err)
                              : ew_repro_record_parse(&records[i], text->text, text->length, err);
    }
    return status;
}

enum ew_status ew_repro_run(struct ew_repro_record *records, struct ew_repro_counts *counts,
                            const struct ew_repro_runner *runner, size_t n,
                            const char *const *scenarios, struct ew_error *err)
{
    struct run run = {.runner = runner};
    enum ew_status status = make_jobs(&run, n, scenarios, err);
    for (size_t i = 0; status == EW_OK && i < run.n; i++) {
        status = is_interrupted(&run) ? ew_fail(err, EW_EINTR, "interrupted")
                                      : prepare(&run, &run.jobs[i], err);
    }
    *counts = (struct ew_repro_counts){(uint32_t)run.n, run.n_done};
    if (status == EW_OK) {
        status = run_jobs(&run, err);
    }
    if (status == EW_OK) {
        status = hand_out(records, &run, n, scenarios, err);
    }
    if (runner->cache_dir) {
        ew_repro_cache_trim(runner->cache_dir, MAX_CACHE_ENTRIES);
    }
    for (size_t i = 0; i < run.n; i++) {
        ew_repro_point_fini(&run.jobs[i].point);
        ew_str_fini(&run.jobs[i].record);
        free(run.jobs[i].key);
    }
    free(run.jobs);
    ew_repro_hashes_fini(&run.hashes);
    return status;
}
