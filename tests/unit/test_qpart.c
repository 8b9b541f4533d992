/* qpart: tables of losses, and the choice of cut, bits and device against trying everything. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/graph_json.h"
#include "qpart/losses.h"
#include "support/planning.h"
#include "support/random_scenario.h"
#include "support/suite.h"
#include "support/tiny.h"

enum { REASON_SIZE = 512, MAX_ROWS = 200 };

static char path[] = "/tmp/ew_test_qpart_XXXXXX";

/* A file with this text, under `path`. */
static void write_file(const char *text)
{
    memcpy(path, "/tmp/ew_test_qpart_XXXXXX", sizeof path);
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    FILE *file = fdopen(fd, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* ------------------------------------------------------------------ tables */

START_TEST(tables_are_read)
{
    struct losses losses = {0};
    char reason[REASON_SIZE] = "";
    write_file("# measured\n\nlayer,bits,loss_ratio\nconv,8,0.01 # some\nconv,4,2e-1\r\nfc,31,0\n");
    ck_assert_msg(losses_read(&losses, path, reason, sizeof reason) == 0, "%s", reason);
    ck_assert_uint_eq(losses.n, 3);
    ck_assert_str_eq(losses.rows[1].layer, "conv");
    ck_assert_uint_eq(losses.rows[1].bits, 4);
    ck_assert_double_eq(losses.rows[1].loss_ratio, 0.2);
    ck_assert_uint_eq(losses.rows[2].bits, 31);
    losses_fini(&losses);
    unlink(path);
}
END_TEST

#define HEAD "layer,bits,loss_ratio\n"

START_TEST(bad_tables_are_refused_with_their_line)
{
    static const struct {
        const char *text;
        const char *reason;
    } bad[] = {
        {"", ":0: expected the header"},
        {"# nothing\n", ":1: expected the header"},
        {"layer,bits\n", ":1: expected the header"},
        {"conv,8,0.1\n", ":1: expected the header"},
        {HEAD "conv,8\n", ":2: expected three values"},
        {HEAD "conv,8,0.1,1\n", ":2: expected three values"},
        {HEAD ",8,0.1\n", ":2: expected the name of a layer"},
        {HEAD "conv,0,0.1\n", ":2: expected bits"},
        {HEAD "conv,32,0.1\n", ":2: expected bits"},
        {HEAD "conv,-8,0.1\n", ":2: expected bits"},
        {HEAD "conv,8.5,0.1\n", ":2: expected bits"},
        {HEAD "conv,99999999999999999999,0.1\n", ":2: expected bits"},
        {HEAD "conv,8,nan\n", ":2: expected a loss"},
        {HEAD "conv,8,-0.1\n", ":2: expected a loss"},
        {HEAD "conv,8,\n", ":2: expected a loss"},
        {HEAD "conv,8,1e999\n", ":2: expected a loss"},
        {HEAD "conv,8,0.1x\n", ":2: expected a loss"},
        {HEAD "conv,8,0\n\nconv,four,0\n", ":4: expected bits"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct losses losses = {0};
        char reason[REASON_SIZE] = "";
        write_file(bad[i].text);
        ck_assert_int_eq(losses_read(&losses, path, reason, sizeof reason), -1);
        ck_assert_msg(strstr(reason, bad[i].reason) && strstr(reason, path), "%s", reason);
        losses_fini(&losses);
        unlink(path);
    }
    struct losses losses = {0};
    char reason[REASON_SIZE] = "", text[700];
    memset(text, 'x', sizeof text);
    memcpy(text, HEAD, strlen(HEAD));
    text[sizeof text - 1] = '\0';
    write_file(text);
    ck_assert_int_eq(losses_read(&losses, path, reason, sizeof reason), -1);
    ck_assert_msg(strstr(reason, ":2: expected a line of at most") != NULL, "%s", reason);
    losses_fini(&losses);
    unlink(path);
    ck_assert_int_eq(losses_read(&losses, "/nowhere/at/all.csv", reason, sizeof reason), -1);
    ck_assert_ptr_nonnull(strstr(reason, "/nowhere/at/all.csv"));
}
END_TEST

/* ------------------------------------------------------------------ budgets */

static struct planning *open_alexnet(void)
{
    const char *dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&graph, "alexnet", dirs, 1, &err) == EW_OK, "%s", err.message);
    return planning_new(graph, tiny_star(2));
}

static void expect_bits(struct planning *planning, const char *settings, const char *bits)
{
    char all[240];
    snprintf(all, sizeof all, "losses=%s cut=features.2 %s", path, settings);
    ck_assert_msg(planning_run(planning, "qpart", all) != NULL, "%s",
                  planning_error(planning)->message);
    ck_assert_str_eq(planning_note(planning, "bits"), bits);
}

START_TEST(a_budget_and_the_accuracy_asked_for_limit_what_is_lost)
{
    /* AlexNet's accuracy is 0.5652; fewer bits are faster, whatever the cut */
    struct planning *planning = open_alexnet();
    write_file(HEAD "features.2,16,0\nfeatures.2,8,0.005\nfeatures.2,4,0.02\nfeatures.5,2,0\n");
    expect_bits(planning, "max_loss_ratio=0", "16");
    expect_bits(planning, "", "8");
    expect_bits(planning, "max_loss_ratio=0.02", "4");
    planning_problem(planning)->min_accuracy = 0.555;
    expect_bits(planning, "max_loss_ratio=0.02", "8");
    expect_bits(planning, "max_loss_ratio=0.02 metric=error", "4");
    planning_problem(planning)->min_accuracy = 0.6; /* out of reach anyhow: nothing may be lost */
    expect_bits(planning, "max_loss_ratio=0.02", "16");
    expect_bits(planning, "bits=3", "3"); /* whatever is lost */
    ck_assert_str_eq(planning_note(planning, "loss"), "");
    planning_free(planning);
    unlink(path);
}
END_TEST

START_TEST(a_message_has_as_many_bits_as_the_plan_says)
{
    /* features.2 is 64 x 27 x 27; links carry 1 MB/s, twice 0.5 ms; the answer is 4000 bytes. Both
     * devices are equally fast, so beside the messages and the conversions nothing differs. */
    struct planning *planning = open_alexnet();
    ck_assert_ptr_nonnull(planning_run(planning, "qpart", "cut=features.2"));
    const double whole_s = planning_latency_s(planning);
    ck_assert_ptr_nonnull(planning_run(planning, "qpart", "cut=features.2 bits=8"));
    const double saved_s = whole_s - planning_latency_s(planning);
    ck_assert_double_le(saved_s, 64 * 27 * 27 * 3 / 1e6);
    ck_assert_double_ge(saved_s, 64 * 27 * 27 * 3 / 1e6 * 0.9);
    planning_free(planning);
}
END_TEST

/* ------------------------------------------------------------------ trying everything */

/* A table with up to three rows for some of the layers. */
static struct losses random_losses(struct ew_rng *rng, const struct ew_graph *graph)
{
    struct losses losses = {.rows = calloc(MAX_ROWS, sizeof *losses.rows)};
    char text[MAX_ROWS * 64] = HEAD;
    size_t used = strlen(text);
    ck_assert_ptr_nonnull(losses.rows);
    for (uint32_t l = 0; l < graph->n_layers; l++) {
        for (int k = random_int(rng, 0, 3); k > 0 && losses.n < MAX_ROWS; k--) {
            struct loss *row = &losses.rows[losses.n++];
            snprintf(row->layer, sizeof row->layer, "%s", graph->layers[l].name);
            row->bits = (uint32_t)random_int(rng, 1, 16);
            row->loss_ratio = 0.001 * random_int(rng, 0, 20);
            used += (size_t)snprintf(text + used, sizeof text - used, "%s,%u,%.3f\n", row->layer,
                                     row->bits, row->loss_ratio);
            ck_assert_uint_lt(used, sizeof text);
        }
    }
    write_file(text);
    return losses;
}

/* Latency with these settings; INFINITY when there is no such plan. */
static double try_settings(struct planning *planning, const char *cut, uint32_t bits)
{
    char settings[240];
    snprintf(settings, sizeof settings, "cut=%s bits=%u", cut, bits);
    return planning_run(planning, "qpart", settings) ? planning_latency_s(planning) : INFINITY;
}

static double best_of_all(struct planning *planning, const struct losses *losses,
                          double budget_ratio)
{
    const struct ew_graph *graph = planning_problem(planning)->context.graph;
    double best_s = try_settings(planning, "input", 0);
    for (uint32_t l = 0; l < graph->n_layers; l++) {
        best_s = fmin(best_s, try_settings(planning, graph->layers[l].name, 0));
    }
    for (size_t i = 0; i < losses->n; i++) {
        const struct loss *row = &losses->rows[i];
        if (row->loss_ratio <= budget_ratio) {
            const bool is_input = graph->n_inputs == 1 &&
                                  strcmp(graph->layers[graph->inputs[0]].name, row->layer) == 0;
            best_s =
                fmin(best_s, try_settings(planning, is_input ? "input" : row->layer, row->bits));
        }
    }
    return best_s;
}

START_TEST(the_choice_is_the_best_of_everything_within_the_budget)
{
    int n_with_bits = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "qpart");
        struct ew_graph *graph = random_graph(&rng);
        struct ew_platform *platform = random_platform(&rng);
        struct planning *planning = planning_new(graph, platform);
        planning_problem(planning)->batch = random_int(&rng, 1, 3);
        struct losses losses = random_losses(&rng, graph);
        const double budget_ratio = 0.001 * random_int(&rng, 0, 20);
        char settings[200];
        snprintf(settings, sizeof settings, "losses=%s max_loss_ratio=%.3f", path, budget_ratio);
        const struct ew_plan *plan = planning_run(planning, "qpart", settings);
        ck_assert_msg(plan != NULL, "seed %d: %s", (int)seed, planning_error(planning)->message);
        const double s = planning_latency_s(planning);
        ck_assert_double_eq_tol(plan->predicted_latency_s, s, 1e-9 * s);
        n_with_bits += planning_note(planning, "bits")[0] != '\0';
        const double best_s = best_of_all(planning, &losses, budget_ratio + 1e-12);
        ck_assert_msg(s <= best_s * (1 + 1e-9) && s >= best_s * (1 - 1e-9),
                      "seed %d: %.12g s, everything: %.12g s", (int)seed, s, best_s);
        losses_fini(&losses);
        unlink(path);
        planning_free(planning);
    }
    ck_assert_int_ge(n_with_bits, 5);
}
END_TEST

START_TEST(what_cannot_be_has_a_reason)
{
    struct planning *planning = planning_new(
        tiny_graph(3, 8, 8, 1,
                   (const struct tiny_layer[]){
                       {.name = "conv", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3},
                   }),
        tiny_star(1));
    ck_assert_ptr_nonnull(planning_run(planning, "qpart", ""));
    ck_assert_str_eq(planning_note(planning, "cut"), "none: all on the source");
    ck_assert_ptr_null(planning_run(planning, "qpart", "bits=8"));
    ck_assert_ptr_nonnull(strstr(planning_error(planning)->message, "no second device"));
    ck_assert_ptr_null(planning_run(planning, "qpart", "cut=nowhere"));
    ck_assert_ptr_nonnull(strstr(planning_error(planning)->message, "nowhere is no layer"));
    ck_assert_ptr_null(planning_run(planning, "qpart", "losses=/nowhere.csv"));
    ck_assert_ptr_nonnull(strstr(planning_error(planning)->message, "/nowhere.csv"));
    ck_assert_ptr_null(planning_run(planning, "qpart", "device=d7"));
    planning_free(planning);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        tables_are_read,
        bad_tables_are_refused_with_their_line,
        a_budget_and_the_accuracy_asked_for_limit_what_is_lost,
        a_message_has_as_many_bits_as_the_plan_says,
        the_choice_is_the_best_of_everything_within_the_budget,
        what_cannot_be_has_a_reason,
    };
    return run_suite("qpart", tests, sizeof tests / sizeof *tests);
}
