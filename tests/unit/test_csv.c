/*
 * The --out directory: what is in the files, in which order, and that nothing half-written is left
 * under a final name.
 */
#include <check.h>
#include <cjson/cJSON.h>
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "results/csv.h"
#include "support/suite.h"
#include "unit/results_fixture.h"

static struct fixture fix;
static struct ew_csv *csv;
static struct ew_metrics *metrics;
static struct ew_event_sink sink;
static char dir[256];

static void set_up(void)
{
    fixture_init(&fix);
    (void)snprintf(dir, sizeof dir, "%s/csv_test.XXXXXX", EW_BINARY_DIR);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    const struct ew_csv_options options = {.max_task_jobs = UINT64_MAX};
    ck_assert_int_eq(ew_csv_open(&csv, dir, &options, NULL), EW_OK);
    metrics = NULL;
}

static void tear_down(void)
{
    ew_csv_free(csv);
    ew_metrics_free(metrics);
    fixture_fini(&fix);
    DIR *d = opendir(dir);
    for (const struct dirent *entry; (entry = readdir(d));) {
        char path[600];
        (void)snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        (void)unlink(path);
    }
    (void)closedir(d);
    (void)rmdir(dir);
}

static void reopen(uint64_t max_task_jobs)
{
    const struct ew_csv_options options = {.max_task_jobs = max_task_jobs};
    ew_csv_free(csv);
    ck_assert_int_eq(ew_csv_open(&csv, dir, &options, NULL), EW_OK);
}

static void run_begin(void)
{
    struct ew_metrics_config config = {.run = &fix.run, .workloads = fix.asked};
    ck_assert_int_eq(ew_csv_run_begin(&config.observer, csv, &config, "split", NULL), EW_OK);
    ck_assert_int_eq(ew_metrics_new(&metrics, &config, NULL), EW_OK);
    sink = ew_metrics_sink(metrics);
}

static void run_end(void)
{
    struct ew_result *result;
    ck_assert_int_eq(ew_metrics_finish(&result, metrics, &fix.labels, NULL), EW_OK);
    ck_assert_int_eq(ew_csv_run_end(csv, result, NULL), EW_OK);
    ew_result_free(result);
    ew_metrics_free(metrics);
    metrics = NULL;
}

static void finish(void)
{
    static const char *const args[] = {"compare", "--out", "x"};
    static const struct ew_report_input inputs[] = {{"graph", "net.json", 12, 0xabc}};
    const struct ew_report report = {.command = "compare",
                                     .n_args = 3,
                                     .args = args,
                                     .version = "0.0.0",
                                     .engine = "fast",
                                     .seed = 1,
                                     .net = ew_net_model_find("ideal"),
                                     .platform = fix.platform,
                                     .n_inputs = 1,
                                     .inputs = inputs};
    struct ew_error err = {0};
    ck_assert_msg(ew_csv_finish(csv, &report, &err) == EW_OK, "%s", err.message);
}

static char *read_file(const char *name)
{
    char *path = ew_path_join(dir, name), *text;
    size_t size;
    struct ew_error err = {0};
    ck_assert_msg(ew_file_read(&text, &size, path, 1 << 24, &err) == EW_OK, "%s", err.message);
    free(path);
    return text;
}

/* Cell of a file by row (from 0, header not counted) and column name; text lives until the next
 * call. Cells with quotes are not understood: tests of quoting look at the text. */
static const char *cell(const char *name, int row, const char *column)
{
    static char value[256];
    char *text = read_file(name);
    char *line = text;
    int index = -1, i = 0;
    const size_t header_length = strcspn(line, "\n");
    for (char *p = line; p <= line + header_length; p += strcspn(p, ",\n") + 1, i++) {
        const size_t n = strcspn(p, ",\n");
        if (n == strlen(column) && strncmp(p, column, n) == 0) {
            index = i;
        }
    }
    ck_assert_msg(index >= 0, "%s has no column %s", name, column);
    for (int r = 0; r <= row; r++) {
        line += strcspn(line, "\n") + 1;
        ck_assert_msg(*line, "%s has no row %d", name, row);
    }
    for (i = 0; i < index; i++) {
        line += strcspn(line, ",\n") + 1;
    }
    (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(line, ",\n"), line);
    free(text);
    return value;
}

static int count_rows(const char *name)
{
    char *text = read_file(name);
    int n = -1;
    for (const char *p = text; *p; p++) {
        n += *p == '\n';
    }
    free(text);
    return n;
}

static int count_files(void)
{
    DIR *d = opendir(dir);
    int n = 0;
    for (const struct dirent *entry; (entry = readdir(d));) {
        n += entry->d_name[0] != '.';
    }
    (void)closedir(d);
    return n;
}

static bool exists(const char *name)
{
    char *path = ew_path_join(dir, name);
    const bool is_there = ew_file_exists(path);
    free(path);
    return is_there;
}

static const char *const csv_names[] = {"runs.csv",   "workloads.csv", "devices.csv", "energy.csv",
                                        "layers.csv", "requests.csv",  "tasks.csv",   "timing.csv"};
enum { N_CSV = sizeof csv_names / sizeof *csv_names };

START_TEST(no_final_name_before_finish)
{
    run_begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    run_end();
    for (int i = 0; i < N_CSV; i++) {
        ck_assert_msg(!exists(csv_names[i]), "%s", csv_names[i]);
    }
    finish();
    for (int i = 0; i < N_CSV; i++) {
        ck_assert_msg(exists(csv_names[i]), "%s", csv_names[i]);
    }
    ck_assert(exists("manifest.json"));
    ck_assert_int_eq(count_files(), N_CSV + 1); /* no temporary is left */
}
END_TEST

START_TEST(nothing_is_left_without_finish)
{
    run_begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    run_end();
    ew_csv_free(csv);
    csv = NULL;
    ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(unwritable_directory_is_an_error_that_names_it)
{
    struct ew_error err = {0};
    struct ew_csv *other = NULL;
    const struct ew_csv_options options = {0};
    char path[300];
    (void)snprintf(path, sizeof path, "%s/file/sub", dir);
    char *file = ew_path_join(dir, "file");
    ck_assert_int_eq(ew_file_write(file, "x", 1, NULL), EW_OK);
    free(file);
    ck_assert_int_eq(ew_csv_open(&other, path, &options, &err), EW_EIO);
    ck_assert_ptr_null(other);
    ck_assert_ptr_nonnull(strstr(err.message, "/file"));
}
END_TEST

START_TEST(every_row_has_the_header_s_columns)
{
    run_begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    fixture_arrive(sink, 6, 0, 1, INFINITY);
    fixture_end(sink, EW_EVENT_REQUEST_DROPPED, 6, 0, 1, UINT64_MAX, EW_NONE, NAN);
    struct ew_event send = fixture_event(EW_EVENT_SEND_START, 7);
    send.device = 0;
    send.peer = 1;
    send.job = 0;
    sink.emit(sink.ctx, &send);
    run_end();
    struct ew_result *error = ew_result_new_error(&fix.labels, EW_ENOTSUP, "no fc regression");
    ck_assert_int_eq(ew_csv_run_end(csv, error, NULL), EW_OK);
    ew_result_free(error);
    finish();
    for (int i = 0; i < N_CSV; i++) {
        char *text = read_file(csv_names[i]);
        int n_columns = -1;
        for (char *line = text; *line;) {
            int n = 1;
            for (; *line != '\n'; line++) {
                n += *line == ',';
            }
            line++;
            n_columns = n_columns < 0 ? n : n_columns;
            ck_assert_msg(n == n_columns, "%s: %d columns, then %d", csv_names[i], n_columns, n);
        }
        ck_assert_msg(n_columns > 0, "%s is empty", csv_names[i]);
        free(text);
    }
    ck_assert_int_eq(count_rows("runs.csv"), 2);
    ck_assert_str_eq(cell("runs.csv", 1, "status"), "not supported");
    ck_assert_str_eq(cell("runs.csv", 1, "error"), "no fc regression");
    ck_assert_str_eq(cell("runs.csv", 1, "latency_mean_s"), "");
    ck_assert_str_eq(cell("runs.csv", 0, "run"), "0");
    ck_assert_str_eq(cell("runs.csv", 1, "run"), "1");
}
END_TEST

START_TEST(figures_are_those_of_the_result)
{
    run_begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    run_end();
    finish();
    ck_assert_str_eq(cell("runs.csv", 0, "latency_mean_s"), "5");
    ck_assert_str_eq(cell("runs.csv", 0, "energy_j"), "51.75");
    ck_assert_str_eq(cell("runs.csv", 0, "requirements_met"), "1");
    ck_assert_str_eq(cell("runs.csv", 0, "exit"), "full");
    ck_assert_str_eq(cell("workloads.csv", 0, "dynamic_energy_j"), "21.75");
    ck_assert_int_eq(count_rows("devices.csv"), 3);
    ck_assert_str_eq(cell("devices.csv", 1, "device"), "nano");
    ck_assert_str_eq(cell("devices.csv", 1, "peak_memory_bytes"), "2800");
    ck_assert_int_eq(count_rows("energy.csv"), 3 * EW_POWER_STATE_COUNT);
    ck_assert_str_eq(cell("energy.csv", 1, "state"), "idle");
    ck_assert_str_eq(cell("energy.csv", 1, "energy_j"), "10");
    ck_assert_str_eq(cell("layers.csv", 1, "layer"), "conv2");
    ck_assert_str_eq(cell("layers.csv", 1, "transfer_energy_j"), "2.5");
    ck_assert_str_eq(cell("layers.csv", 2, "layer_id"), "");
    ck_assert_str_eq(cell("timing.csv", 0, "plan_time_s"), "0.001");
}
END_TEST

START_TEST(tasks_are_intervals_with_their_box)
{
    run_begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    run_end();
    finish();
    ck_assert_int_eq(count_rows("tasks.csv"), 4);
    ck_assert_str_eq(cell("tasks.csv", 0, "kind"), "compute");
    ck_assert_str_eq(cell("tasks.csv", 0, "device"), "pi");
    ck_assert_str_eq(cell("tasks.csv", 0, "peer"), "");
    ck_assert_str_eq(cell("tasks.csv", 0, "class"), "conv");
    ck_assert_str_eq(cell("tasks.csv", 0, "row_hi"), "8");
    ck_assert_str_eq(cell("tasks.csv", 0, "macs"), "6912");
    ck_assert_str_eq(cell("tasks.csv", 0, "flow_s"), "");
    ck_assert_str_eq(cell("tasks.csv", 1, "kind"), "transfer");
    ck_assert_str_eq(cell("tasks.csv", 1, "start_s"), "1");
    ck_assert_str_eq(cell("tasks.csv", 1, "flow_s"), "1.5");
    ck_assert_str_eq(cell("tasks.csv", 1, "end_s"), "2.5");
    ck_assert_str_eq(cell("tasks.csv", 1, "bytes"), "1000");
    ck_assert_str_eq(cell("tasks.csv", 1, "reader_layer"), "conv2");
    ck_assert_str_eq(cell("tasks.csv", 1, "dynamic_energy_j"), "2.5");
    ck_assert_str_eq(cell("tasks.csv", 2, "last_layer"), "fc");
    ck_assert_str_eq(cell("tasks.csv", 3, "reader_layer"), "");
}
END_TEST

START_TEST(tasks_stop_at_the_wanted_number_of_jobs)
{
    reopen(1);
    run_begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    fixture_serve(sink, &fix, 5, 0, 1, 1, 0);
    run_end();
    finish();
    ck_assert_int_eq(count_rows("tasks.csv"), 4);
    ck_assert_int_eq(count_rows("requests.csv"), 2);
    ck_assert_str_eq(cell("requests.csv", 1, "dynamic_energy_j"), "21.75");
}
END_TEST

START_TEST(requests_come_in_order_with_the_energy_of_their_job)
{
    /* Request 1 ends before request 0; each pays for its own job. */
    run_begin();
    fixture_arrive(sink, 0, 0, 0, 9);
    fixture_job(sink, EW_EVENT_JOB_START, 1, 0, 0, 1, 0, 0);
    fixture_arrive(sink, 2, 0, 1, 4);
    fixture_job(sink, EW_EVENT_JOB_START, 2, 0, 1, 1, 1, 1);
    fixture_task(sink, &fix, 2, 3, 0, 1, 1, FIX_N_CONV1); /* 4 J for job 1 */
    fixture_task(sink, &fix, 3, 5, 0, 0, 0, FIX_N_CONV2); /* 14 J for job 0 */
    fixture_end(sink, EW_EVENT_REQUEST_LATE, 5, 0, 1, 1, 1, 3);
    fixture_job(sink, EW_EVENT_JOB_END, 5, 0, 1, 1, 1, 1);
    fixture_end(sink, EW_EVENT_REQUEST_DONE, 6, 0, 0, 0, 0, 6);
    fixture_task(sink, &fix, 6, 7, 0, 0, 0, FIX_N_CONV1); /* after the answer, still job 0's */
    fixture_job(sink, EW_EVENT_JOB_END, 7, 0, 0, 1, 0, 0);
    run_end();
    finish();
    ck_assert_int_eq(count_rows("requests.csv"), 2);
    ck_assert_str_eq(cell("requests.csv", 0, "request"), "0");
    ck_assert_str_eq(cell("requests.csv", 0, "status"), "done");
    ck_assert_str_eq(cell("requests.csv", 0, "arrival_s"), "0");
    ck_assert_str_eq(cell("requests.csv", 0, "start_s"), "1");
    ck_assert_str_eq(cell("requests.csv", 0, "end_s"), "6");
    ck_assert_str_eq(cell("requests.csv", 0, "deadline_s"), "9");
    ck_assert_str_eq(cell("requests.csv", 0, "dynamic_energy_j"), "18");
    ck_assert_str_eq(cell("requests.csv", 1, "status"), "late");
    ck_assert_str_eq(cell("requests.csv", 1, "plan"), "narrow");
    ck_assert_str_eq(cell("requests.csv", 1, "latency_s"), "3");
    ck_assert_str_eq(cell("requests.csv", 1, "dynamic_energy_j"), "4");
}
END_TEST

START_TEST(requests_of_one_job_share_its_energy)
{
    run_begin();
    for (uint64_t i = 0; i < 4; i++) {
        fixture_arrive(sink, 0, 0, i, INFINITY);
    }
    fixture_job(sink, EW_EVENT_JOB_START, 0, 0, 0, 4, 0, 0);
    fixture_task(sink, &fix, 0, 1, 0, 0, 0, FIX_N_CONV1);
    for (uint64_t i = 0; i < 4; i++) {
        fixture_end(sink, EW_EVENT_REQUEST_DONE, 1, 0, i, 0, 0, 1);
    }
    fixture_job(sink, EW_EVENT_JOB_END, 1, 0, 0, 4, 0, 0);
    run_end();
    finish();
    ck_assert_int_eq(count_rows("requests.csv"), 4);
    ck_assert_str_eq(cell("requests.csv", 3, "job"), "0");
    ck_assert_str_eq(cell("requests.csv", 3, "dynamic_energy_j"), "1");
}
END_TEST

START_TEST(a_request_that_is_dropped_pays_its_part_of_the_job)
{
    /* Dropped while the job computes, for 4 J in all: half of it. */
    run_begin();
    fixture_arrive(sink, 0, 0, 0, 0.5);
    fixture_arrive(sink, 0, 0, 1, 9);
    fixture_job(sink, EW_EVENT_JOB_START, 0, 0, 0, 2, 0, 0);
    fixture_end(sink, EW_EVENT_REQUEST_DROPPED, 0.5, 0, 0, 0, 0, NAN);
    fixture_task(sink, &fix, 0, 1, 0, 0, 0, FIX_N_CONV1);
    fixture_end(sink, EW_EVENT_REQUEST_DONE, 1, 0, 1, 0, 0, 1);
    fixture_job(sink, EW_EVENT_JOB_END, 1, 0, 0, 2, 0, 0);
    run_end();
    finish();
    ck_assert_str_eq(cell("requests.csv", 0, "status"), "dropped");
    ck_assert_str_eq(cell("requests.csv", 0, "dynamic_energy_j"), "2");
    ck_assert_str_eq(cell("requests.csv", 1, "status"), "done");
    ck_assert_str_eq(cell("requests.csv", 1, "dynamic_energy_j"), "2");
}
END_TEST

START_TEST(a_request_that_was_dropped_before_pays_nothing)
{
    run_begin();
    fixture_arrive(sink, 0, 0, 0, 0.5);
    fixture_arrive(sink, 0, 0, 1, 9);
    fixture_end(sink, EW_EVENT_REQUEST_DROPPED, 0.5, 0, 0, UINT64_MAX, EW_NONE, NAN);
    fixture_job(sink, EW_EVENT_JOB_START, 1, 0, 0, 2, 0, 0); /* their job was put off */
    fixture_task(sink, &fix, 1, 2, 0, 0, 0, FIX_N_CONV1);
    fixture_end(sink, EW_EVENT_REQUEST_DONE, 2, 0, 1, 0, 0, 2);
    fixture_job(sink, EW_EVENT_JOB_END, 2, 0, 0, 2, 0, 0);
    run_end();
    finish();
    ck_assert_str_eq(cell("requests.csv", 0, "dynamic_energy_j"), "0");
    ck_assert_str_eq(cell("requests.csv", 0, "job"), "");
    ck_assert_str_eq(cell("requests.csv", 1, "job"), "0");
    ck_assert_str_eq(cell("requests.csv", 1, "start_s"), "1");
    ck_assert_str_eq(cell("requests.csv", 1, "dynamic_energy_j"), "4");
}
END_TEST

START_TEST(requests_without_an_end_are_written_as_open)
{
    run_begin();
    fixture_arrive(sink, 0, 0, 0, INFINITY);
    fixture_arrive(sink, 0, 0, 1, INFINITY);
    fixture_job(sink, EW_EVENT_JOB_START, 0, 0, 0, 1, 0, 0);
    fixture_task(sink, &fix, 0, 1, 0, 0, 0, FIX_N_CONV1);
    fixture_end(sink, EW_EVENT_REQUEST_FAILED, 2, 0, 1, UINT64_MAX, EW_NONE, NAN);
    run_end();
    finish();
    ck_assert_str_eq(cell("requests.csv", 0, "status"), "open");
    ck_assert_str_eq(cell("requests.csv", 0, "end_s"), "");
    ck_assert_str_eq(cell("requests.csv", 0, "dynamic_energy_j"), "4");
    ck_assert_str_eq(cell("requests.csv", 1, "status"), "failed");
    ck_assert_str_eq(cell("requests.csv", 1, "job"), "");
    ck_assert_str_eq(cell("requests.csv", 1, "latency_s"), "");
}
END_TEST

START_TEST(many_overlapping_requests_all_appear_once)
{
    enum { N = 3000 };
    run_begin();
    for (uint64_t i = 0; i < N; i++) { /* 1000 in flight, ended in blocks, newest first */
        fixture_arrive(sink, (double)i, 0, i, INFINITY);
        fixture_job(sink, EW_EVENT_JOB_START, (double)i, 0, i, 1, i, 0);
        for (uint64_t k = 0; i % 1000 == 999 && k < 1000; k++) {
            fixture_end(sink, EW_EVENT_REQUEST_DONE, (double)i, 0, i - k, i - k, 0, (double)k);
            fixture_job(sink, EW_EVENT_JOB_END, (double)i, 0, i - k, 1, i - k, 0);
        }
    }
    run_end();
    finish();
    ck_assert_int_eq(count_rows("requests.csv"), N);
    char number[32];
    for (int i = 0; i < N; i += 500) {
        (void)snprintf(number, sizeof number, "%d", i);
        ck_assert_str_eq(cell("requests.csv", i, "request"), number);
        (void)snprintf(number, sizeof number, "%d", 999 - i % 1000);
        ck_assert_str_eq(cell("requests.csv", i, "latency_s"), number);
    }
}
END_TEST

START_TEST(text_is_quoted_where_needed)
{
    fix.labels.params = "shares=\"1,2\"";
    struct ew_result *error =
        ew_result_new_error(&fix.labels, EW_EINPUT, "two\nlines, and \"quotes\"");
    ck_assert_int_eq(ew_csv_run_end(csv, error, NULL), EW_OK);
    ew_result_free(error);
    finish();
    char *text = read_file("runs.csv");
    ck_assert_ptr_nonnull(strstr(text, "\n0,split,1.0.0,\"shares=\"\"1,2\"\"\",fast,invalid input,"
                                       "\"two lines, and \"\"quotes\"\"\",,"));
    free(text);
}
END_TEST

START_TEST(manifest_lists_every_file_with_size_and_hash)
{
    run_begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    run_end();
    struct ew_str extra = {0};
    ew_str_append(&extra, "{}\n");
    ck_assert_int_eq(ew_csv_add_file(csv, "plan.json", &extra, false, NULL), EW_OK);
    ck_assert_int_eq(ew_csv_add_file(csv, "report.json", &extra, true, NULL), EW_OK);
    ew_str_fini(&extra);
    finish();
    char *text = read_file("manifest.json");
    cJSON *manifest = cJSON_Parse(text);
    ck_assert_ptr_nonnull(manifest);
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(manifest, "files");
    ck_assert_int_eq(cJSON_GetArraySize(files), N_CSV + 2);
    const cJSON *file;
    cJSON_ArrayForEach(file, files)
    {
        const char *name = cJSON_GetObjectItemCaseSensitive(file, "name")->valuestring;
        char *content = read_file(name);
        const cJSON *hash = cJSON_GetObjectItemCaseSensitive(file, "hash_fnv1a64");
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(file, "has_wall_clock"))) {
            ck_assert_ptr_null(hash);
        } else {
            char wanted[17];
            (void)snprintf(wanted, sizeof wanted, "%016" PRIx64,
                           ew_hash_bytes(EW_HASH_BEGIN, content, strlen(content)));
            ck_assert_str_eq(hash->valuestring, wanted);
            ck_assert_double_eq(cJSON_GetObjectItemCaseSensitive(file, "size_bytes")->valuedouble,
                                (double)strlen(content));
        }
        free(content);
    }
    ck_assert_ptr_null(strstr(text, dir)); /* what it says does not depend on where it stands */
    ck_assert_ptr_nonnull(strstr(text, "\"0000000000000abc\""));
    cJSON_Delete(manifest);
    free(text);
}
END_TEST

START_TEST(a_new_set_replaces_an_old_one)
{
    run_begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    run_end();
    finish();
    char *old = read_file("manifest.json");
    reopen(UINT64_MAX);
    char *still = read_file("manifest.json");
    ck_assert_str_eq(old, still); /* old content until the new set is complete */
    run_begin();
    fixture_serve(sink, &fix, 0, 0, 0, 0, 0);
    fixture_serve(sink, &fix, 5, 0, 1, 1, 0);
    run_end();
    finish();
    ck_assert_int_eq(count_rows("requests.csv"), 2);
    ck_assert_int_eq(count_files(), N_CSV + 1);
    char *new = read_file("manifest.json");
    ck_assert_str_ne(old, new);
    free(old);
    free(still);
    free(new);
}
END_TEST

START_TEST(every_column_is_documented)
{
    finish();
    char *docs;
    size_t size;
    struct ew_error err = {0};
    ck_assert_msg(ew_file_read(&docs, &size, EW_SOURCE_DIR "/docs/outputs.md", 1 << 20, &err) ==
                      EW_OK,
                  "%s", err.message);
    for (int i = 0; i < N_CSV; i++) {
        ck_assert_msg(strstr(docs, csv_names[i]) != NULL, "%s", csv_names[i]);
        char *text = read_file(csv_names[i]);
        for (char *p = text; *p; p += strcspn(p, ",\n") + 1) {
            char wanted[80];
            (void)snprintf(wanted, sizeof wanted, "`%.*s`", (int)strcspn(p, ",\n"), p);
            ck_assert_msg(strstr(docs, wanted) != NULL, "%s: column %s", csv_names[i], wanted);
        }
        free(text);
    }
    free(docs);
}
END_TEST

START_TEST(equal_runs_give_equal_bytes)
{
    char *texts[2][N_CSV + 1];
    for (int round = 0; round < 2; round++) {
        reopen(UINT64_MAX);
        fix.labels.plan_time_s = round; /* wall-clock differs */
        run_begin();
        fixture_serve(sink, &fix, 1.0 / 3, 0, 0, 0, 0);
        run_end();
        finish();
        for (int i = 0; i < N_CSV; i++) {
            texts[round][i] = read_file(csv_names[i]);
        }
        texts[round][N_CSV] = read_file("manifest.json");
    }
    for (int i = 0; i <= N_CSV; i++) {
        if (i == N_CSV || strcmp(csv_names[i], "timing.csv") != 0) {
            ck_assert_str_eq(texts[0][i], texts[1][i]);
        }
        free(texts[0][i]);
        free(texts[1][i]);
    }
}
END_TEST

static Suite *csv_suite(void)
{
    Suite *suite = begin_suite("csv");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, set_up, tear_down);
    tcase_add_test(files, no_final_name_before_finish);
    tcase_add_test(files, nothing_is_left_without_finish);
    tcase_add_test(files, unwritable_directory_is_an_error_that_names_it);
    tcase_add_test(files, manifest_lists_every_file_with_size_and_hash);
    tcase_add_test(files, a_new_set_replaces_an_old_one);
    tcase_add_test(files, equal_runs_give_equal_bytes);
    suite_add_tcase(suite, files);
    TCase *rows = tcase_create("rows");
    tcase_add_checked_fixture(rows, set_up, tear_down);
    tcase_add_test(rows, every_row_has_the_header_s_columns);
    tcase_add_test(rows, figures_are_those_of_the_result);
    tcase_add_test(rows, text_is_quoted_where_needed);
    tcase_add_test(rows, every_column_is_documented);
    suite_add_tcase(suite, rows);
    TCase *stream = tcase_create("stream");
    tcase_add_checked_fixture(stream, set_up, tear_down);
    tcase_add_test(stream, tasks_are_intervals_with_their_box);
    tcase_add_test(stream, tasks_stop_at_the_wanted_number_of_jobs);
    tcase_add_test(stream, requests_come_in_order_with_the_energy_of_their_job);
    tcase_add_test(stream, requests_of_one_job_share_its_energy);
    tcase_add_test(stream, a_request_that_is_dropped_pays_its_part_of_the_job);
    tcase_add_test(stream, a_request_that_was_dropped_before_pays_nothing);
    tcase_add_test(stream, requests_without_an_end_are_written_as_open);
    tcase_add_test(stream, many_overlapping_requests_all_appear_once);
    suite_add_tcase(suite, stream);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(csv_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
