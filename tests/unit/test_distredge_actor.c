/* Trained actors in files: what is written is read, anything else is refused with its place. */
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "distredge/actor_file.h"
#include "support/suite.h"

enum { N_VOLUMES = 2, N_PARTS = 3, REASON_SIZE = 512 };

static char folder[64];
static char path[128];
static int32_t cuts[N_VOLUMES * (N_PARTS + 1)] = {0, 5, 5, 56, 0, 0, 7, 14};
static float *params; /* of the actor, then of the critic */
static struct actor_record record;

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/ew_test_actor_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.actor", folder);
    /* 7 inputs, 400, 200 and 100 hidden units, 2 outputs, with biases */
    uint32_t n = 8 * 400 + 401 * 200 + 201 * 100 + 101 * 2;
    /* 9 inputs, 400, 200, 100 and 100 hidden units, 1 output */
    uint32_t n_critic = 10 * 400 + 401 * 200 + 201 * 100 + 101 * 100 + 101;
    params = calloc(n + n_critic, sizeof *params);
    ck_assert_ptr_nonnull(params);
    for (uint32_t i = 0; i < n + n_critic; i++) {
        params[i] = sinf((float)i) * powf(10.0f, (float)(i % 9) - 6.0f);
    }
    record = (struct actor_record){
        .key = UINT64_C(0x0123456789abcdef),
        .n_volumes = N_VOLUMES,
        .n_parts = N_PARTS,
        .latency_s = 0.1,
        .history = {.n_episodes = 4000,
                    .best_episode = 17,
                    .initial_latency_s = 1.0 / 3.0,
                    .final_latency_s = 0.2},
        .n_evaluated = 4018,
        .cuts = cuts,
        .n_actor = n,
        .actor = params,
        .n_critic = n_critic,
        .critic = params + n,
    };
}

static void tear_down(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left */
    free(params);
}

static void must_save(void)
{
    char reason[REASON_SIZE] = "";
    ck_assert_msg(actor_save(path, &record, reason, sizeof reason) == ACTOR_OK, "%s", reason);
}

START_TEST(what_is_saved_is_loaded_bit_by_bit)
{
    struct actor_record read = {0};
    char reason[REASON_SIZE] = "";
    must_save();
    ck_assert_msg(actor_load(&read, path, reason, sizeof reason) == ACTOR_OK, "%s", reason);
    ck_assert_uint_eq(read.key, record.key);
    ck_assert_uint_eq(read.n_volumes, N_VOLUMES);
    ck_assert_uint_eq(read.n_parts, N_PARTS);
    ck_assert_double_eq(read.latency_s, 0.1);
    ck_assert_double_eq(read.history.initial_latency_s, 1.0 / 3.0);
    ck_assert_uint_eq(read.history.best_episode, 17);
    ck_assert_uint_eq(read.n_evaluated, 4018);
    ck_assert_mem_eq(read.cuts, cuts, sizeof cuts);
    ck_assert_uint_eq(read.n_actor, record.n_actor);
    ck_assert_mem_eq(read.actor, record.actor, record.n_actor * sizeof *params);
    ck_assert_uint_eq(read.n_critic, record.n_critic);
    ck_assert_mem_eq(read.critic, record.critic, record.n_critic * sizeof *params);
    actor_record_fini(&read);
}
END_TEST

START_TEST(saving_again_replaces_the_file)
{
    struct actor_record read = {0};
    char reason[REASON_SIZE] = "";
    must_save();
    record.key = 7;
    must_save();
    ck_assert_int_eq(actor_load(&read, path, reason, sizeof reason), ACTOR_OK);
    ck_assert_uint_eq(read.key, 7);
    actor_record_fini(&read);
}
END_TEST

START_TEST(a_missing_file_is_told_apart)
{
    struct actor_record read = {0};
    char reason[REASON_SIZE] = "";
    ck_assert_int_eq(actor_load(&read, path, reason, sizeof reason), ACTOR_MISSING);
    ck_assert_ptr_nonnull(strstr(reason, path));
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_a_reason)
{
    char reason[REASON_SIZE] = "";
    ck_assert_int_eq(actor_save("/nowhere/at/all.actor", &record, reason, sizeof reason),
                     ACTOR_FAILED);
    ck_assert_ptr_nonnull(strstr(reason, "/nowhere/at/all.actor"));
}
END_TEST

/* Line (from 1) and what it becomes, and what the reason must name. */
static const struct {
    int line;
    const char *text;
    const char *reason;
} damages[] = {
    {1, "edgeweave.distredge.actor/1", ":1: expected edgeweave.distredge.actor/2"},
    {2, "key 12", ":2: expected a key"},
    {2, "key 0123456789abcdeg", ":2: expected a key"},
    {3, "volumes 0", ":3: expected volumes"},
    {3, "volumes -1", ":3: expected volumes"},
    {4, "parts 1", ":4: expected parts"},
    {4, "parts 99999999999999999999", ":4: expected parts"},
    {5, "latency_s nan", ":5: expected latency_s"},
    {5, "latency_s 0.1x", ":5: expected latency_s"},
    {6, "initial 0.1", ":6: expected initial_latency_s"},
    {9, "best_episode", ":9: expected best_episode"},
    {10, "evaluations -1", ":10: expected evaluations"},
    {11, "cut", ":11: expected cuts"},
    {13, "4294967295", ":13: expected ascending cuts"},
    {14, "4", ":14: expected ascending cuts"}, /* after a 5 */
    {16, "1", ":16: expected ascending cuts"}, /* each volume begins at 0 */
    {20, "actor 12", ":20: expected actor and 103702 parameters"},
    {21, "one", ":21: expected a number"},
    {21, "1e999", ":21: expected a number"},
    {21, "", ":21: expected a number"},
    {21 + 103702, "critic 103702", ":103723: expected critic and 114501 parameters"},
    {22 + 103702, "nan", ":103724: expected a number"},
};
enum { N_DAMAGES = sizeof damages / sizeof damages[0] };

/* Rewrite the file with one line changed; line 0: keep only the first `keep` bytes. */
static void damage(int line, const char *text, size_t keep)
{
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    size_t size = 16u << 20;
    char *content = calloc(size, 1);
    ck_assert_ptr_nonnull(content);
    size_t n = fread(content, 1, size - 1, file);
    fclose(file);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    if (line == 0) {
        ck_assert_uint_eq(fwrite(content, 1, keep < n ? keep : n, file), keep < n ? keep : n);
    }
    int at = 1;
    for (char *rest = content, *end; line > 0 && (end = strchr(rest, '\n')); rest = end + 1, at++) {
        *end = '\0';
        fprintf(file, "%s\n", at == line ? text : rest);
    }
    fclose(file);
    free(content);
}

START_TEST(damage_is_refused_with_its_line)
{
    struct actor_record read = {0};
    char reason[REASON_SIZE] = "";
    must_save();
    damage(damages[_i].line, damages[_i].text, 0);
    ck_assert_int_eq(actor_load(&read, path, reason, sizeof reason), ACTOR_FAILED);
    ck_assert_msg(strstr(reason, damages[_i].reason) != NULL, "%s", reason);
    ck_assert_ptr_null(read.cuts);
}
END_TEST

START_TEST(a_cut_off_file_is_refused)
{
    struct actor_record read = {0};
    char reason[REASON_SIZE] = "";
    static const size_t lengths[] = {0, 10, 60, 150, 250, 300, 5000, 500000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        must_save();
        damage(0, "", lengths[i]);
        ck_assert_int_eq(actor_load(&read, path, reason, sizeof reason), ACTOR_FAILED);
    }
}
END_TEST

START_TEST(more_than_belongs_there_is_refused)
{
    struct actor_record read = {0};
    char reason[REASON_SIZE] = "";
    must_save();
    FILE *file = fopen(path, "a");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "1\n");
    fclose(file);
    ck_assert_int_eq(actor_load(&read, path, reason, sizeof reason), ACTOR_FAILED);
    ck_assert_ptr_nonnull(strstr(reason, "the end of the file"));
}
END_TEST

/* Whether the folder has the file. */
static bool has_file(const char *name)
{
    char file[192];
    snprintf(file, sizeof file, "%s/%s", folder, name);
    return access(file, F_OK) == 0;
}

static void must_write(const char *name, long age_s)
{
    char file[192];
    snprintf(file, sizeof file, "%s/%s", folder, name);
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    fclose(out);
    const struct timespec times[2] = {{.tv_sec = 1000000 - age_s}, {.tv_sec = 1000000 - age_s}};
    ck_assert_int_eq(utimensat(AT_FDCWD, file, times, 0), 0);
}

START_TEST(the_oldest_actors_go)
{
    static const char *const names[] = {"b.actor", "c.actor", "d.actor", "e.actor", "old.platform"};
    static const long ages_s[] = {10, 40, 20, 30, 50};
    for (size_t i = 0; i < 5; i++) {
        must_write(names[i], ages_s[i]);
    }
    actor_prune(folder, 4); /* as many as there are */
    ck_assert(has_file("c.actor"));
    actor_prune(folder, 2);
    ck_assert(has_file("b.actor") && has_file("d.actor"));
    ck_assert(!has_file("c.actor") && !has_file("e.actor"));
    ck_assert(has_file("old.platform")); /* not an actor */
    actor_prune(folder, 0);
    ck_assert(!has_file("b.actor") && !has_file("d.actor"));
    actor_prune("/no/such/folder", 0); /* nothing to do */
    snprintf(path, sizeof path, "%s/old.platform", folder);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("distredge_actor");
    TCase *files = tcase_create("file");
    tcase_add_checked_fixture(files, set_up, tear_down);
    tcase_add_test(files, what_is_saved_is_loaded_bit_by_bit);
    tcase_add_test(files, saving_again_replaces_the_file);
    tcase_add_test(files, a_missing_file_is_told_apart);
    tcase_add_test(files, a_folder_that_is_not_there_is_a_reason);
    tcase_add_loop_test(files, damage_is_refused_with_its_line, 0, N_DAMAGES);
    tcase_add_test(files, a_cut_off_file_is_refused);
    tcase_add_test(files, more_than_belongs_there_is_refused);
    tcase_add_test(files, the_oldest_actors_go);
    suite_add_tcase(suite, files);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
