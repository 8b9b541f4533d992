#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/check.h"
#include "support/plugin_fixture.h"
#include "support/suite.h"

static struct plugin_fixture f;

/* Plan with a strategy of hostile.so in this process. */
static enum ew_status plan_hostile(const char *id)
{
    plugin_fixture_init(&f, 3);
    struct ew_book_request request = {
        .strategy = plugin_fixture_use(&f, "hostile", id, true, NULL),
        .params = &f.params,
        .problem = &f.problem,
        .services = &f.services,
    };
    struct ew_book *book = NULL;
    const enum ew_status status = ew_book_make(&book, &request, &f.err);
    ck_assert((status == EW_OK) == (book != NULL));
    ew_book_free(book);
    return status;
}

static void hostile_gives(const char *id, enum ew_status status, const char *message)
{
    ck_assert_msg(plan_hostile(id) == status, "%s: %s", id, f.err.message);
    ck_assert_str_eq(f.err.message, message);
    plugin_fixture_fini(&f);
}

START_TEST(bad_plans_are_the_plugins_fault)
{
    hostile_gives("hostile.nothing", EW_EPLUGIN,
                  "strategy 'hostile.nothing' made an invalid plan: no plan was begun");
    hostile_gives(
        "hostile.incomplete", EW_EPLUGIN,
        "strategy 'hostile.incomplete' made an invalid plan: layer f: all elements of d0's "
        "input (b) are held by nobody");
    hostile_gives("hostile.overlap", EW_EPLUGIN,
                  "strategy 'hostile.overlap' made an invalid plan: layer a: pieces 0 and 4 on d0 "
                  "overlap and share a chain: the same elements would be computed twice by one "
                  "tile");
    hostile_gives("hostile.bad_segments", EW_EPLUGIN,
                  "strategy 'hostile.bad_segments': plan failed after the host refused: assign: "
                  "expected images from 0 up to at most 1, got [1, 2)");
    hostile_gives("hostile.unknown_device", EW_EPLUGIN,
                  "strategy 'hostile.unknown_device': plan failed after the host refused: layer a: "
                  "expected a device below 3, got 10");
    hostile_gives("hostile.infinite_prediction", EW_EPLUGIN,
                  "strategy 'hostile.infinite_prediction': plan failed after the host refused: "
                  "prediction: expected seconds and joules >= 0 (or NAN for unknown), got inf and "
                  "-1");
    hostile_gives("hostile.short_piece", EW_EPLUGIN,
                  "strategy 'hostile.short_piece': plan failed after the host refused: add_piece: "
                  "expected a piece with struct_size 72, found 8");
    hostile_gives(
        "hostile.huge_note", EW_EPLUGIN,
        "strategy 'hostile.huge_note': plan failed after the host refused: note: expected "
        "at most 4096 bytes of text");
    hostile_gives("hostile.endless_pieces", EW_EPLUGIN,
                  "strategy 'hostile.endless_pieces': plan failed after the host refused: expected "
                  "at most 4194304 pieces in a book");
}
END_TEST

START_TEST(a_refusal_that_was_not_looked_at_is_told_with_the_bad_plan)
{
    hostile_gives(
        "hostile.ignores_refusal", EW_EPLUGIN,
        "strategy 'hostile.ignores_refusal' made an invalid plan: result: all elements of "
        "layer f, wanted by d0, are held by nobody (it went on after the host refused: "
        "layer a: expected a device below 3, got 99)");
}
END_TEST

START_TEST(a_harmless_refusal_is_only_a_warning)
{
    ck_assert_msg(plan_hostile("hostile.refused_note") == EW_OK, "%s", f.err.message);
    ck_assert_str_eq(ew_str_text(&f.log),
                     "2 hostile.refused_note: the host refused a call and the strategy went on: "
                     "note: expected a key and a value\n");
    plugin_fixture_fini(&f);
}
END_TEST

START_TEST(only_the_strategy_can_say_that_it_cannot_serve)
{
    hostile_gives("hostile.cannot", EW_ENOTSUP, "needs a GPU and has none");
    hostile_gives("hostile.no_reason", EW_EPLUGIN,
                  "strategy 'hostile.no_reason': plan failed with code -1 and gave no reason");
    hostile_gives("hostile.internal", EW_EPLUGIN,
                  "strategy 'hostile.internal': plan failed: lost count");
    hostile_gives("hostile.fail_zero", EW_EPLUGIN,
                  "strategy 'hostile.fail_zero': plan failed: it gave no reason");
    hostile_gives("hostile.positive", EW_EPLUGIN,
                  "strategy 'hostile.positive': plan returned 3; expected 0, or a negative code "
                  "after host->fail");
}
END_TEST

START_TEST(a_plan_that_does_not_fit_into_memory_is_a_reason_not_a_fault)
{
    plugin_fixture_init(&f, 1);
    ((struct ew_device *)&f.platform->devices[0])->memory_bytes = 100;
    struct ew_book_request request = {
        .strategy = plugin_fixture_use(&f, "newer_minor", "newer_minor", true, NULL),
        .params = &f.params,
        .problem = &f.problem,
        .services = &f.services,
    };
    struct ew_book *book = NULL;
    ck_assert_int_eq(ew_book_make(&book, &request, &f.err), EW_ENOTSUP);
    ck_assert_msg(strstr(f.err.message, "device d0: the plan needs ") != NULL, "%s", f.err.message);
    plugin_fixture_fini(&f);
}
END_TEST

START_TEST(nonsense_arguments_are_answered)
{
    ck_assert_msg(plan_hostile("hostile.pokes") == EW_OK, "%s", f.err.message);
    plugin_fixture_fini(&f);
    ck_assert_msg(plan_hostile("hostile.nan_prediction") == EW_OK, "%s", f.err.message);
    plugin_fixture_fini(&f);
    ck_assert_msg(plan_hostile("hostile.builder_late") == EW_OK, "%s", f.err.message);
    plugin_fixture_fini(&f);
    ck_assert_msg(plan_hostile("hostile.greedy") == EW_OK, "%s", f.err.message);
    plugin_fixture_fini(&f);
}
END_TEST

START_TEST(messages_are_limited_and_levels_known)
{
    ck_assert_msg(plan_hostile("hostile.chatter") == EW_OK, "%s", f.err.message);
    ck_assert_uint_eq(f.n_messages, 1001);
    ck_assert(strncmp(ew_str_text(&f.log), "2 hostile.chatter: again\n", 25) == 0);
    const char *end = "2 hostile.chatter: too many messages; the rest is left out\n";
    ck_assert_str_eq(ew_str_text(&f.log) + f.log.length - strlen(end), end);
    plugin_fixture_fini(&f);
}
END_TEST

START_TEST(objects_that_are_not_whole_are_refused)
{
    static const char *const names[] = {"null_create", "short_strategy"};
    static const char *const messages[] = {
        "strategy 'null_create': create failed with code -4 and gave no reason",
        "strategy 'short_strategy': create returned an object with struct_size 8, expected at "
        "least 32",
    };
    for (int i = 0; i < 2; i++) {
        plugin_fixture_init(&f, 1);
        const struct ew_strategy_ref ref = plugin_fixture_use(&f, names[i], names[i], true, NULL);
        struct ew_instance *instance = NULL;
        ck_assert_int_eq(ew_instance_new(&instance, ref.plugin->entry, ref.info, &f.params,
                                         &f.problem, &f.services, &f.err),
                         EW_EPLUGIN);
        ck_assert_str_eq(f.err.message, messages[i]);
        ck_assert_ptr_null(instance);
        plugin_fixture_fini(&f);
    }
}
END_TEST

/* ------------------------------------------------------------------------ a good strategy */

static struct ew_instance *instance_of_good(const char *const *settings)
{
    const struct ew_strategy_ref ref = plugin_fixture_use(&f, "good", "good", true, settings);
    struct ew_instance *instance = NULL;
    ck_assert_msg(ew_instance_new(&instance, ref.plugin->entry, ref.info, &f.params, &f.problem,
                                  &f.services, &f.err) == EW_OK,
                  "%s", f.err.message);
    return instance;
}

START_TEST(a_search_with_evaluate_finds_the_best_device)
{
    plugin_fixture_init(&f, 3);
    struct ew_instance *instance = instance_of_good(NULL);
    struct ew_book *book = NULL;
    ck_assert_msg(ew_instance_plan(&book, instance, &f.err) == EW_OK, "%s", f.err.message);
    ck_assert_uint_eq(book->n_plans, 1);
    ck_assert_uint_eq(book->plans[0]->n_pieces, 4);
    ck_assert_uint_eq(book->plans[0]->pieces[0].device, 2);
    ck_assert(book->plans[0]->predicted_latency_s == 10.0 / 3);
    ck_assert(isnan(book->plans[0]->predicted_energy_j));
    ck_assert_str_eq(book->strategy, "good");
    ck_assert_uint_eq(ew_instance_evaluations(instance), 3);
    ck_assert_str_eq(ew_str_text(&f.log), "1 good: tight\n");
    ew_book_free(book);
    ew_instance_free(instance);
    plugin_fixture_fini(&f);
}
END_TEST

START_TEST(parameters_reach_the_strategy)
{
    plugin_fixture_init(&f, 3);
    struct ew_instance *instance = instance_of_good(
        (const char *const[]){"mode=rows", "title=bands", "slack_ratio=0.75", "note=false", NULL});
    struct ew_book *book = NULL;
    ck_assert_msg(ew_instance_plan(&book, instance, &f.err) == EW_OK, "%s", f.err.message);
    ck_assert_str_eq(book->plans[0]->name, "bands");
    ck_assert_uint_eq(book->plans[0]->n_notes, 0);
    /* a, r, b: 8 rows on 3 devices; f has one row: 3 * 3 + 1 pieces */
    ck_assert_uint_eq(book->plans[0]->n_pieces, 10);
    ck_assert_str_eq(ew_str_text(&f.log), "1 good: slack\n");
    ew_book_free(book);
    ew_instance_free(instance);
    plugin_fixture_fini(&f);
}
END_TEST

/* The draw is a fair coin: over 64 seeds both sides turn up, and each seed gives its own again. */
START_TEST(the_same_seed_gives_the_same_plan)
{
    uint64_t sides[2] = {0, 0};
    plugin_fixture_init(&f, 1);
    for (int round = 0; round < 2; round++) {
        for (uint64_t seed = 0; seed < 64; seed++) {
            f.problem.seed = seed;
            struct ew_instance *instance = instance_of_good(NULL);
            for (int call = 0; call < 2; call++) {
                struct ew_book *book = NULL;
                ck_assert_int_eq(ew_instance_plan(&book, instance, &f.err), EW_OK);
                const bool is_heads = strcmp(book->plans[0]->notes[0].value, "heads") == 0;
                if (round == 0 && call == 0) {
                    sides[0] |= (uint64_t)is_heads << seed;
                } else {
                    ck_assert((sides[0] >> seed & 1) == is_heads);
                }
                ew_book_free(book);
            }
            ew_instance_free(instance);
        }
    }
    ck_assert(sides[0] != 0 && sides[0] != UINT64_MAX);
    plugin_fixture_fini(&f);
}
END_TEST

START_TEST(texts_are_cleaned)
{
    plugin_fixture_init(&f, 1);
    struct ew_book_request request = {
        .strategy = plugin_fixture_use(&f, "hostile", "hostile.dirty_note", true, NULL),
        .params = &f.params,
        .problem = &f.problem,
        .services = &f.services,
    };
    struct ew_book *book = NULL;
    ck_assert_int_eq(ew_book_make(&book, &request, &f.err), EW_OK);
    ck_assert_str_eq(book->plans[0]->notes[0].value, "a [31mb c?d \xc3\xa9");
    ew_book_free(book);
    plugin_fixture_fini(&f);
}
END_TEST

START_TEST(without_an_evaluator_evaluate_says_so)
{
    plugin_fixture_init(&f, 2);
    f.services.evaluate = NULL;
    struct ew_instance *instance = instance_of_good(NULL);
    struct ew_book *book = NULL;
    ck_assert_int_eq(ew_instance_plan(&book, instance, &f.err), EW_ENOTSUP);
    ck_assert_str_eq(f.err.message, "no device can take the network");
    ew_instance_free(instance);
    plugin_fixture_fini(&f);
}
END_TEST

START_TEST(a_problem_with_unknown_devices_is_refused)
{
    plugin_fixture_init(&f, 2);
    const struct ew_strategy_ref ref = plugin_fixture_use(&f, "good", "good", true, NULL);
    struct ew_instance *instance = NULL;
    f.problem.sink_device = 2;
    ck_assert_int_eq(ew_instance_new(&instance, ref.plugin->entry, ref.info, &f.params, &f.problem,
                                     &f.services, &f.err),
                     EW_EINPUT);
    ck_assert_str_eq(f.err.message, "problem: expected a batch of at least 1 and devices below 2, "
                                    "found batch 1, source 0, sink 2");
    plugin_fixture_fini(&f);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        bad_plans_are_the_plugins_fault,
        a_refusal_that_was_not_looked_at_is_told_with_the_bad_plan,
        a_harmless_refusal_is_only_a_warning,
        only_the_strategy_can_say_that_it_cannot_serve,
        a_plan_that_does_not_fit_into_memory_is_a_reason_not_a_fault,
        nonsense_arguments_are_answered,
        messages_are_limited_and_levels_known,
        objects_that_are_not_whole_are_refused,
        a_search_with_evaluate_finds_the_best_device,
        parameters_reach_the_strategy,
        the_same_seed_gives_the_same_plan,
        texts_are_cleaned,
        without_an_evaluator_evaluate_says_so,
        a_problem_with_unknown_devices_is_refused,
    };
    return run_suite("host", tests, sizeof tests / sizeof *tests);
}
