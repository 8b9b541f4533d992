/*
 * Sweep files, their points, the pool of processes, and the store.
 */
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/sweep_json.h"
#include "results/report.h"
#include "results/store.h"
#include "results/store_row.h"
#include "support/suite.h"
#include "sweep/pool.h"
#include "sweep/sweep_points.h"

#define HEAD "{\"schema\": \"edgeweave.sweep/1\", "

static struct ew_sweep_spec spec;
static struct ew_sweep_points points;

static void open_sweep(const char *text)
{
    struct ew_error err = {0};
    ck_assert_msg(ew_sweep_parse_json(&spec, text, strlen(text), "s.json", &err) == EW_OK, "%s",
                  err.message);
    ck_assert_int_eq(ew_sweep_points_init(&points, &spec, &err), EW_OK);
}

static void close_sweep(void)
{
    ew_sweep_points_fini(&points);
    ew_sweep_spec_fini(&spec);
}

static void expect_values(uint64_t raw, const char *expected)
{
    struct ew_str text = {0};
    ew_sweep_points_values(&text, &points, raw);
    ck_assert_str_eq(ew_str_text(&text), expected);
    ew_str_fini(&text);
}

static void expect_error(const char *text, const char *part)
{
    struct ew_error err = {0};
    ck_assert_int_eq(ew_sweep_parse_json(&spec, text, strlen(text), "s.json", &err), EW_EINPUT);
    ck_assert_msg(strstr(err.message, part) != NULL, "'%s' lacks '%s'", err.message, part);
}

/* --- specification -----------------------------------------------------------------------------
 */

START_TEST(last_axis_varies_fastest)
{
    open_sweep(HEAD
               "\"axes\": [{\"key\": \"graph\", \"values\": [\"a\", \"b\"]}, {\"seeds\": 3}]}");
    ck_assert_uint_eq(points.n_raw, 6);
    expect_values(0, "{\"graph\": \"a\", \"seed\": 1}");
    expect_values(2, "{\"graph\": \"a\", \"seed\": 3}");
    expect_values(3, "{\"graph\": \"b\", \"seed\": 1}");
    close_sweep();
}
END_TEST

START_TEST(ranges_have_exact_ends)
{
    open_sweep(HEAD "\"axes\": [{\"key\": \"deadline_s\", \"range\": {\"from\": 0, \"to\": 0.3, "
                    "\"step\": 0.1}}]}");
    ck_assert_uint_eq(points.n_raw, 4); /* 0, 0.1, 0.2, 0.3 */
    expect_values(3, "{\"deadline_s\": 0.3}");
    close_sweep();
    open_sweep(HEAD "\"axes\": [{\"key\": \"deadline_s\", \"range\": {\"from\": 1, \"to\": 2, "
                    "\"count\": 3}}]}");
    expect_values(1, "{\"deadline_s\": 1.5}");
    close_sweep();
    /* the geometric mean of 1 and 100 is 10 */
    open_sweep(HEAD "\"axes\": [{\"key\": \"deadline_s\", \"log_range\": {\"from\": 1, \"to\": "
                    "100, \"count\": 3}}]}");
    expect_values(0, "{\"deadline_s\": 1}");
    expect_values(1, "{\"deadline_s\": 10}");
    expect_values(2, "{\"deadline_s\": 100}");
    close_sweep();
}
END_TEST

START_TEST(zipped_keys_vary_together)
{
    open_sweep(HEAD "\"axes\": [{\"zip\": [{\"key\": \"deadline_s\", \"values\": [1, 2]}, "
                    "{\"key\": \"requests\", \"name\": \"c\", \"values\": [3, 4]}]}]}");
    ck_assert_uint_eq(points.n_raw, 2);
    expect_values(1, "{\"deadline_s\": 2, \"c\": 4}");
    close_sweep();
}
END_TEST

START_TEST(exclusions_leave_out_combinations)
{
    open_sweep(HEAD "\"axes\": [{\"key\": \"deadline_s\", \"values\": [1, 2]}, {\"key\": "
                    "\"requests\", \"values\": "
                    "[1, 2, 3]}], \"exclude\": [{\"deadline_s\": 1, \"requests\": [2, 3]}]}");
    static const bool expected[] = {true, false, false, true, true, true};
    for (uint64_t raw = 0; raw < 6; raw++) {
        ck_assert_int_eq(ew_sweep_points_has(&points, raw), expected[raw]);
    }
    close_sweep();
}
END_TEST

START_TEST(scenarios_are_canonical)
{
    struct ew_str text = {0};
    open_sweep(HEAD "\"scenario\": {\"platform\": \"p\", \"graph\": \"g\", \"param\": {\"x\": 1}}, "
                    "\"axes\": [{\"key\": \"param.x\", \"values\": [2]}, "
                    "{\"key\": \"link.w.latency_s\", \"values\": [0.5]}, "
                    "{\"key\": \"engine\", \"values\": [\"fast\"]}]}");
    ew_sweep_points_scenario(&text, &points, 0);
    ck_assert_str_eq(
        ew_str_text(&text),
        "{\"schema\": \"edgeweave.scenario/1\", \"engine\": \"fast\", \"graph\": \"g\", "
        "\"platform\": \"p\", \"param\": {\"x\": 2}, \"set\": {\"link.w.latency_s\": "
        "0.5}}");
    ew_str_fini(&text);
    ck_assert(!ew_sweep_points_is_simgrid(&points, 0));
    close_sweep();
}
END_TEST

/* Engine and number of requests do not change what strategies are asked; bandwidth does. */
START_TEST(problem_hash_covers_what_planning_sees)
{
    open_sweep(HEAD "\"axes\": [{\"key\": \"link.w.latency_s\", \"values\": [1, 2]}, {\"key\": "
                    "\"requests\", \"values\": [1, 2]}]}");
    uint64_t problem[4], all[4];
    for (uint64_t raw = 0; raw < 4; raw++) {
        problem[raw] = ew_sweep_points_hash(&points, raw, EW_SWEEP_PART_PROBLEM, EW_HASH_BEGIN);
        all[raw] = ew_sweep_points_hash(&points, raw, EW_SWEEP_PART_ALL, EW_HASH_BEGIN);
    }
    ck_assert(problem[0] == problem[1] && problem[2] == problem[3] && problem[0] != problem[2]);
    ck_assert(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
    close_sweep();

    /* made anew, plans reach as far as the requests do */
    open_sweep(HEAD "\"scenario\": {\"replan\": \"on_change\"}, \"axes\": [{\"key\": "
                    "\"requests\", \"values\": [1, 2]}]}");
    ck_assert(ew_sweep_points_hash(&points, 0, EW_SWEEP_PART_PROBLEM, EW_HASH_BEGIN) !=
              ew_sweep_points_hash(&points, 1, EW_SWEEP_PART_PROBLEM, EW_HASH_BEGIN));
    close_sweep();
}
END_TEST

START_TEST(question_hash_leaves_the_seed_out)
{
    open_sweep(HEAD "\"axes\": [{\"key\": \"param.a\", \"values\": [1, 2]}, {\"seeds\": 2}]}");
    uint64_t problem[4], question[4];
    for (uint64_t raw = 0; raw < 4; raw++) {
        problem[raw] = ew_sweep_points_hash(&points, raw, EW_SWEEP_PART_PROBLEM, EW_HASH_BEGIN);
        question[raw] = ew_sweep_points_hash(&points, raw, EW_SWEEP_PART_QUESTION, EW_HASH_BEGIN);
    }
    ck_assert(problem[0] != problem[1] && question[0] == question[1]);
    ck_assert(question[0] != question[2] && question[2] == question[3]);
    ck_assert_uint_eq(ew_sweep_points_per_platform(&points), 4);
    close_sweep();
}
END_TEST

#define TWO                                                                                        \
    "\"scenario\": {\"engine\": \"fast\", \"workloads\": [{\"name\": \"a.b\", \"batch\": 2}, "     \
    "{\"name\": \"cam\", \"graph\": \"g\"}]}, "

START_TEST(one_key_of_one_workload_varies)
{
    struct ew_str text = {0};
    open_sweep(HEAD TWO
               "\"axes\": [{\"key\": \"workload.cam.graph\", \"values\": [\"x\", \"y\"]}, "
               "{\"key\": \"workload.a.b.requests\", \"name\": \"n\", \"values\": [1, 3]}]}");
    ew_sweep_points_scenario(&text, &points, 3);
    ck_assert_str_eq(ew_str_text(&text),
                     "{\"schema\": \"edgeweave.scenario/1\", \"engine\": \"fast\", "
                     "\"workloads\": [{\"batch\": 2, \"name\": \"a.b\", \"requests\": 3}, "
                     "{\"graph\": \"y\", \"name\": \"cam\"}]}");
    ew_str_fini(&text);
    uint64_t problem[4];
    for (uint64_t raw = 0; raw < 4; raw++) {
        problem[raw] = ew_sweep_points_hash(&points, raw, EW_SWEEP_PART_PROBLEM, EW_HASH_BEGIN);
    }
    ck_assert(problem[0] == problem[1] && problem[1] != problem[2]); /* requests do not count */
    close_sweep();

    /* all workloads at once */
    open_sweep(HEAD TWO "\"axes\": [{\"key\": \"workloads\", \"values\": [[{\"name\": \"z\"}]]}]}");
    ew_sweep_points_scenario(&text, &points, 0);
    ck_assert_ptr_null(strstr(ew_str_text(&text), "cam"));
    ck_assert_ptr_nonnull(strstr(ew_str_text(&text), "\"name\": \"z\""));
    ew_str_fini(&text);
    close_sweep();
    expect_error(HEAD TWO "\"axes\": [{\"key\": \"workload.cem.graph\", \"values\": [1]}]}",
                 "did you mean 'cam'");
    expect_error(HEAD TWO "\"axes\": [{\"key\": \"workload.cam\", \"values\": [1]}]}",
                 "workload.NAME.KEY");
    expect_error(HEAD "\"scenario\": {\"workloads\": []}, \"axes\": []}", "at least one");
}
END_TEST

START_TEST(bad_sweep_files_are_refused)
{
    expect_error(HEAD "\"axes\": [{\"key\": \"deadline\", \"values\": [1]}]}",
                 "/axes/0: unknown key 'deadline'; did you mean 'deadline_s'?");
    expect_error(HEAD "\"scenario\": {\"platfrom\": \"p\"}, \"axes\": []}",
                 "/scenario/platfrom: unknown key 'platfrom'; did you mean 'platform'?");
    expect_error(HEAD TWO "\"axes\": [{\"key\": \"workload.cam.grahp\", \"values\": [1]}]}",
                 "/axes/0: unknown key 'grahp'; did you mean 'graph'?");
    expect_error("{\"schema\": \"edgeweave.sweep/1\"}", "axes");
    expect_error(HEAD "\"axes\": [{\"key\": \"deadline_s\"}]}", "values");
    expect_error(HEAD "\"axes\": [{\"key\": \"deadline_s\", \"values\": []}]}", "1..");
    expect_error(HEAD "\"axes\": [{\"key\": \"deadline_s\", \"values\": [1], \"valeus\": [2]}]}",
                 "did you mean 'values'");
    expect_error(HEAD "\"axes\": [{\"seeds\": 2}, {\"key\": \"seed\", \"values\": [1]}]}",
                 "already");
    expect_error(HEAD "\"axes\": [{\"key\": \"deadline_s\", \"range\": {\"from\": 1, \"to\": 2}}]}",
                 "step");
    expect_error(
        HEAD
        "\"axes\": [{\"key\": \"deadline_s\", \"log_range\": {\"from\": 0, \"to\": 2, \"count\": "
        "2}}]}",
        "from");
    expect_error(
        HEAD
        "\"axes\": [{\"zip\": [{\"key\": \"deadline_s\", \"values\": [1]}, {\"key\": \"requests\", "
        "\"values\": [1, 2]}]}]}",
        "neighbours");
    expect_error(
        HEAD "\"axes\": [{\"key\": \"requests\", \"values\": [1]}], \"exclude\": [{\"requets\": "
             "1}]}",
        "did you mean 'requests'");
    expect_error(
        HEAD "\"axes\": [{\"seeds\": 110000}, {\"key\": \"deadline_s\", \"range\": {\"from\": 1, "
             "\"to\": 1000, \"count\": 1000}}]}",
        "combinations");
}
END_TEST

/* --- pool --------------------------------------------------------------------------------------
 */

static void *begin_plain(void *ctx)
{
    return ctx;
}

/* Answers twice the item; 7 crashes, 9 hangs. */
static void work(void *state, uint64_t item, struct ew_str *answer)
{
    (void)state;
    if (item == 7) {
        (void)raise(SIGKILL);
    }
    while (item == 9) {
    }
    const uint64_t twice = 2 * item;
    ew_str_append_n(answer, (const char *)&twice, sizeof twice);
}

struct tally {
    uint32_t n_done, n_died, n_late;
    uint64_t sum;
};

static enum ew_status take(void *ctx, const struct ew_pool_answer *answer, struct ew_error *err)
{
    struct tally *t = ctx;
    (void)err;
    ck_assert_uint_eq(answer->tag, answer->item + 100);
    t->n_died += answer->end == EW_POOL_DIED;
    t->n_late += answer->end == EW_POOL_TIME_LIMIT;
    if (answer->end == EW_POOL_DONE) {
        uint64_t twice;
        ck_assert_uint_eq(answer->size, sizeof twice);
        memcpy(&twice, answer->bytes, sizeof twice);
        t->sum += twice;
        t->n_done++;
    } else {
        ck_assert_uint_eq(answer->item, answer->end == EW_POOL_DIED ? 7 : 9);
    }
    return EW_OK;
}

START_TEST(pool_blames_the_item_that_kills_or_hangs)
{
    const struct ew_pool_job job = {begin_plain, work, NULL, NULL, 0.2};
    struct ew_pool *pool = NULL;
    struct ew_error err = {0};
    struct tally tally = {0};
    ck_assert_int_eq(ew_pool_start(&pool, &job, 3, &err), EW_OK);
    for (uint64_t i = 0; i < 1000; i++) {
        ck_assert_int_eq(ew_pool_add(pool, i, i / 10, i + 100, &err), EW_OK);
    }
    while (ew_pool_open_items(pool) > 0) {
        ck_assert_int_eq(ew_pool_attend(pool, 50, take, &tally, &err), EW_OK);
    }
    ew_pool_stop(pool);
    ck_assert_uint_eq(tally.n_done, 998);
    ck_assert_uint_eq(tally.n_died, 1);
    ck_assert_uint_eq(tally.n_late, 1);
    ck_assert_uint_eq(tally.sum, 999 * 1000 - 2 * (7 + 9)); /* 2 * sum of 0..999, less two */
}
END_TEST

START_TEST(pool_forgets_what_nobody_has)
{
    const struct ew_pool_job job = {begin_plain, work, NULL, NULL, INFINITY};
    struct ew_pool *pool = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_pool_start(&pool, &job, 1, &err), EW_OK);
    for (uint64_t i = 0; i < 5; i++) {
        ck_assert_int_eq(ew_pool_add(pool, i, i, i + 100, &err), EW_OK);
    }
    ck_assert_uint_eq(ew_pool_forget(pool), 5);
    ck_assert_uint_eq(ew_pool_open_items(pool), 0);
    ew_pool_stop(pool);
}
END_TEST

/* --- queue -------------------------------------------------------------------------------------
 */

static size_t take_items(struct ew_item *out, struct ew_item_queue *queue,
                         struct ew_item_taker takers[2], int who, size_t enough, size_t most)
{
    const struct ew_item_taker *const all[2] = {&takers[0], &takers[1]};
    return ew_item_queue_take(out, queue, &takers[who], (struct ew_item_wish){enough, most}, all,
                              2);
}

/* Groups: 0 0 0 0 0 1 1 2 3 */
START_TEST(queue_leaves_a_group_to_whoever_began_it)
{
    static const uint64_t groups[] = {0, 0, 0, 0, 0, 1, 1, 2, 3};
    struct ew_item_queue queue = {0};
    struct ew_item_taker takers[2] = {{0}};
    struct ew_item got[16];
    for (uint64_t i = 0; i < 9; i++) {
        ck_assert(ew_item_queue_add(&queue, (struct ew_item){i, groups[i], i}));
    }
    ck_assert_uint_eq(take_items(got, &queue, takers, 0, 1, 3), 3); /* items 0 1 2 */
    ck_assert_uint_eq(take_items(got, &queue, takers, 1, 1, 3), 2); /* not 3 4, but 5 6 */
    ck_assert(got[0].number == 5 && got[1].number == 6);
    ck_assert_uint_eq(take_items(got, &queue, takers, 0, 1, 16), 2); /* its own rest */
    ck_assert(got[0].number == 3 && got[1].number == 4);
    ck_assert_uint_eq(take_items(got, &queue, takers, 1, 2, 16), 2); /* two small groups */
    ck_assert(got[0].number == 7 && got[1].number == 8);
    ck_assert_uint_eq(take_items(got, &queue, takers, 0, 1, 16), 0);
    for (uint64_t i = 0; i < 3; i++) { /* a group whose taker is not done with it comes back */
        ck_assert(ew_item_queue_add(&queue, (struct ew_item){i, 3, i}));
    }
    ck_assert_uint_eq(take_items(got, &queue, takers, 0, 1, 16), 0);
    takers[1].has_group = false; /* it died */
    ck_assert_uint_eq(take_items(got, &queue, takers, 0, 1, 16), 3);
    ck_assert_uint_eq(ew_item_queue_clear(&queue), 0);
    ew_item_queue_fini(&queue);
}
END_TEST

/* --- store -------------------------------------------------------------------------------------
 */

static char dir[] = "/tmp/ew_store_XXXXXX";
static char path[64], other_path[64];

static void make_dir(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/a.db", dir);
    (void)snprintf(other_path, sizeof other_path, "%s/b.db", dir);
}

static void remove_dir(void)
{
    (void)unlink(path);
    (void)unlink(other_path);
    ck_assert_int_eq(rmdir(dir), 0); /* nothing else is left behind */
}

static struct ew_store *open_store(const char *name)
{
    struct ew_store *store = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_store_open(&store, name, &err) == EW_OK, "%s", err.message);
    return store;
}

static int64_t add_point(struct ew_store *store, uint64_t position, const char *id,
                         enum ew_store_state *state)
{
    const struct ew_store_point point = {position, id, "{\"x\": 1}", "{}"};
    struct ew_error err = {0};
    int64_t number = 0;
    ck_assert_int_eq(ew_store_register(&number, state, store, &point, &err), EW_OK);
    return number;
}

static void add_run(struct ew_store *store, int64_t number, double latency_s)
{
    const struct ew_store_labels labels = {.net = "ideal", .graph = "g", .platform = "p"};
    const struct ew_device_result devices[2] = {{.name = "d0"}, {.name = "d1"}};
    struct ew_result result = {
        .strategy = "local", .engine = "fast", .n_devices = 2, .devices = devices};
    struct ew_str cells = {0};
    struct ew_error err = {0};
    result.service.latency.mean_s = latency_s;
    ew_store_put_run(&cells, &labels, &result);
    ck_assert_int_eq(ew_store_add(store, number, false, cells.text, cells.length, &err), EW_OK);
    ew_str_fini(&cells);
}

static void add_failure(struct ew_store *store, int64_t number)
{
    struct ew_str cells = {0};
    struct ew_error err = {0};
    ew_store_put_failure(&cells, "crash", "it, \"died\"");
    ck_assert_int_eq(ew_store_add(store, number, true, cells.text, cells.length, &err), EW_OK);
    ew_str_fini(&cells);
}

static void begin_round(struct ew_store *store)
{
    struct ew_error err = {0};
    ck_assert_int_eq(ew_store_register_begin(store, "[\"x\"]", "{}", &err), EW_OK);
}

static void end_round(struct ew_store *store)
{
    struct ew_error err = {0};
    ck_assert_int_eq(ew_store_register_end(store, &err), EW_OK);
}

static enum ew_status append(void *ctx, const struct ew_str *text, struct ew_error *err)
{
    (void)err;
    ew_str_append_n(ctx, ew_str_text(text), text->length);
    return EW_OK;
}

static void expect_export(struct ew_store *store, const char *columns, const char *where,
                          const char *expected)
{
    const struct ew_store_query query = {.table = "runs", .columns = columns, .where = where};
    struct ew_str text = {0};
    struct ew_error err = {0};
    ck_assert_msg(ew_store_export(store, &query, append, &text, &err) == EW_OK, "%s", err.message);
    ck_assert_str_eq(ew_str_text(&text), expected);
    ew_str_fini(&text);
}

START_TEST(store_knows_what_is_done)
{
    enum ew_store_state state;
    make_dir();
    struct ew_store *store = open_store(path);
    begin_round(store);
    const int64_t a = add_point(store, 0, "aa", &state);
    const int64_t b = add_point(store, 1, "bb", &state);
    (void)add_point(store, 2, "aa", &state);
    ck_assert_int_eq(state, EW_STORE_REPEATED);
    end_round(store);
    add_run(store, a, 0.5);
    add_failure(store, b);
    ck_assert_int_eq(ew_store_close(store, NULL), EW_OK); /* the open group is rolled back */

    store = open_store(path);
    begin_round(store);
    ck_assert_int_eq(add_point(store, 0, "aa", &state), a);
    ck_assert_int_eq(state, EW_STORE_NEW);
    end_round(store);
    add_run(store, a, 0.5);
    add_failure(store, b);
    ck_assert_int_eq(ew_store_commit(store, NULL), EW_OK);
    ck_assert_int_eq(ew_store_close(store, NULL), EW_OK);

    store = open_store(path);
    begin_round(store);
    (void)add_point(store, 5, "aa", &state);
    ck_assert_int_eq(state, EW_STORE_RUN);
    (void)add_point(store, 6, "bb", &state);
    ck_assert_int_eq(state, EW_STORE_FAILED);
    end_round(store);
    expect_export(store, "point,x,status,error,latency_mean_s", NULL,
                  "point,x,status,error,latency_mean_s\n5,1,ok,,0.5\n"
                  "6,1,crash,\"it, \"\"died\"\"\",\n");
    expect_export(store, "point", "latency_mean_s < 1", "point\n5\n");
    add_run(store, b, 1); /* the failure is gone */
    expect_export(store, "point", "status <> 'ok'", "point\n");
    ck_assert_int_eq(ew_store_close(store, NULL), EW_OK);
    remove_dir();
}
END_TEST

START_TEST(bad_queries_are_refused)
{
    make_dir();
    struct ew_store *store = open_store(path);
    struct ew_error err = {0};
    begin_round(store);
    end_round(store);
    struct ew_str text = {0};
    struct ew_store_query query = {.table = "runs", .columns = "latency_mean"};
    ck_assert_int_eq(ew_store_export(store, &query, append, &text, &err), EW_EUSAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "did you mean 'latency_mean_s'"));
    query = (struct ew_store_query){.table = "runs", .where = "no such thing"};
    ck_assert_int_eq(ew_store_export(store, &query, append, &text, &err), EW_EUSAGE);
    query = (struct ew_store_query){.table = "runs", .where = "\"latency_mean\" > 2"};
    ck_assert_int_eq(ew_store_export(store, &query, append, &text, &err), EW_EUSAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "no such column"));
    query = (struct ew_store_query){.table = "run"};
    ck_assert_int_eq(ew_store_export(store, &query, append, &text, &err), EW_EUSAGE);
    ew_str_fini(&text);
    ck_assert_int_eq(ew_store_close(store, NULL), EW_OK);
    remove_dir();
}
END_TEST

static void write_bytes(const char *name, const char *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static void expect_refused(const char *part)
{
    struct ew_report_input before = {0}, after = {0};
    struct ew_store *store = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_report_input_read(&before, "", path, &err), EW_OK);
    ck_assert_int_eq(ew_store_open(&store, path, &err), EW_EINPUT);
    ck_assert_msg(strstr(err.message, part) != NULL, "'%s' lacks '%s'", err.message, part);
    ck_assert_int_eq(ew_report_input_read(&after, "", path, &err), EW_OK);
    ck_assert(before.hash == after.hash && before.size_bytes == after.size_bytes);
}

START_TEST(foreign_damaged_and_protected_stores_stay_as_they_are)
{
    make_dir();
    write_bytes(path, "a,b\n1,2\n", 8);
    expect_refused("another kind of file");
    char header[200] = "SQLite format 3";
    write_bytes(path, header, sizeof header);
    expect_refused("another program");
    ck_assert_int_eq(unlink(path), 0);

    struct ew_store *store = open_store(path);
    enum ew_store_state state;
    begin_round(store);
    for (int i = 0; i < 200; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "id%d", i);
        add_run(store, add_point(store, (uint64_t)i, id, &state), 1);
    }
    end_round(store);
    ck_assert_int_eq(ew_store_close(store, NULL), EW_OK);

    ck_assert_int_eq(chmod(path, 0444), 0);
    expect_refused("write-protected");
    ck_assert_int_eq(chmod(path, 0644), 0);

    FILE *file = fopen(path, "r+b"); /* scribble over everything behind the first page */
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 4096, SEEK_SET), 0);
    for (int i = 0; i < 8192; i++) {
        ck_assert_int_ne(fputc(i * 31 % 251, file), EOF);
    }
    ck_assert_int_eq(fclose(file), 0);
    expect_refused("damaged");
    remove_dir();
}
END_TEST

/* Another user's results, or an archive: neither the folder nor what is in it can be written. */
START_TEST(stores_in_protected_folders_can_be_read_and_merged)
{
    enum ew_store_state state;
    struct ew_error err = {0};
    make_dir();
    struct ew_store *store = open_store(path);
    begin_round(store);
    add_run(store, add_point(store, 0, "p0", &state), 0.5);
    end_round(store);
    ck_assert_int_eq(ew_store_close(store, NULL), EW_OK);
    char merged[] = "/tmp/ew_test_sweep_XXXXXX";
    const int fd = mkstemp(merged); /* only for a name that others do not have */
    ck_assert_int_ge(fd, 0);
    ck_assert(close(fd) == 0 && unlink(merged) == 0);
    ck_assert_int_eq(chmod(path, 0444), 0);
    ck_assert_int_eq(chmod(dir, 0555), 0);
    const pid_t child = fork(); /* root may write anywhere: as nobody */
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534) != 0) {
            _exit(2);
        }
        bool is_right = ew_store_open_read(&store, path, &err) == EW_OK;
        if (is_right) {
            expect_export(store, "point,latency_mean_s", NULL, "point,latency_mean_s\n0,0.5\n");
            is_right = ew_store_close(store, &err) == EW_OK &&
                       ew_store_open(&store, merged, &err) == EW_OK &&
                       ew_store_merge(store, path, &err) == EW_OK;
        }
        if (is_right) {
            expect_export(store, "point,latency_mean_s", NULL, "point,latency_mean_s\n0,0.5\n");
            is_right = ew_store_close(store, &err) == EW_OK && unlink(merged) == 0;
        } else {
            fprintf(stderr, "%s\n", err.message);
        }
        _exit(is_right ? 0 : 1);
    }
    int ended = 0;
    ck_assert_int_eq(waitpid(child, &ended, 0), child);
    ck_assert(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    ck_assert_int_eq(chmod(dir, 0755), 0);
    remove_dir();
}
END_TEST

START_TEST(names_of_stores_are_no_uris)
{
    enum ew_store_state state;
    char odd[sizeof dir + 16];
    make_dir();
    (void)snprintf(odd, sizeof odd, "%s/a%%3f?b#c.db", dir);
    struct ew_store *store = open_store(odd);
    begin_round(store);
    add_run(store, add_point(store, 0, "p0", &state), 0.5);
    end_round(store);
    ck_assert_int_eq(ew_store_close(store, NULL), EW_OK);
    ck_assert_int_eq(unlink(odd), 0);
    remove_dir();
}
END_TEST

START_TEST(merge_joins_shards_and_refuses_contradictions)
{
    enum ew_store_state state;
    struct ew_error err = {0};
    make_dir();
    struct ew_store *a = open_store(path), *b = open_store(other_path);
    begin_round(a);
    const int64_t a0 = add_point(a, 0, "p0", &state), a1 = add_point(a, 1, "p1", &state);
    end_round(a);
    add_run(a, a0, 0.5);
    add_failure(a, a1);
    ck_assert_int_eq(ew_store_commit(a, NULL), EW_OK);
    begin_round(b);
    const int64_t b1 = add_point(b, 1, "p1", &state), b2 = add_point(b, 2, "p2", &state);
    end_round(b);
    add_run(b, b1, 1.5);
    add_run(b, b2, 2.5);
    ck_assert_int_eq(ew_store_commit(b, NULL), EW_OK);
    ck_assert_int_eq(ew_store_close(b, NULL), EW_OK);
    ck_assert_msg(ew_store_merge(a, other_path, &err) == EW_OK, "%s", err.message);
    expect_export(a, "point,status,latency_mean_s", NULL,
                  "point,status,latency_mean_s\n0,ok,0.5\n1,ok,1.5\n2,ok,2.5\n");
    ck_assert_int_eq(ew_store_merge(a, other_path, &err), EW_OK); /* again: nothing new */
    struct ew_store_counts counts;
    ck_assert_int_eq(ew_store_count(&counts, a, &err), EW_OK);
    ck_assert(counts.points == 3 && counts.runs == 3 && counts.failures == 0);

    b = open_store(other_path);
    add_run(b, b1, 1.75);
    ck_assert_int_eq(ew_store_commit(b, NULL), EW_OK);
    ck_assert_int_eq(ew_store_close(b, NULL), EW_OK);
    ck_assert_int_eq(ew_store_merge(a, other_path, &err), EW_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.message, "another result"));
    ck_assert_int_eq(ew_store_close(a, NULL), EW_OK);
    remove_dir();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {last_axis_varies_fastest,
                                  ranges_have_exact_ends,
                                  zipped_keys_vary_together,
                                  exclusions_leave_out_combinations,
                                  scenarios_are_canonical,
                                  problem_hash_covers_what_planning_sees,
                                  question_hash_leaves_the_seed_out,
                                  one_key_of_one_workload_varies,
                                  bad_sweep_files_are_refused,
                                  queue_leaves_a_group_to_whoever_began_it,
                                  pool_blames_the_item_that_kills_or_hangs,
                                  pool_forgets_what_nobody_has,
                                  store_knows_what_is_done,
                                  bad_queries_are_refused,
                                  foreign_damaged_and_protected_stores_stay_as_they_are,
                                  stores_in_protected_folders_can_be_read_and_merged,
                                  names_of_stores_are_no_uris,
                                  merge_joins_shards_and_refuses_contradictions};
    return run_suite("sweep", tests, sizeof tests / sizeof *tests);
}
