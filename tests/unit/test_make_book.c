#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/plugin_fixture.h"
#include "support/suite.h"

static struct plugin_fixture f;

/* Make a book with a strategy that is not trusted: in a child. */
static enum ew_status make(struct ew_book **out, const char *file, const char *id,
                           const char *const *settings)
{
    struct ew_book_request request = {
        .strategy = plugin_fixture_use(&f, file, id, false, settings),
        .params = &f.params,
        .problem = &f.problem,
        .services = &f.services,
        .plan_limit_s = 1,
    };
    return ew_book_make(out, &request, &f.err);
}

static void hostile_gives(const char *id, enum ew_status status, const char *message)
{
    plugin_fixture_init(&f, 3);
    struct ew_book *book = NULL;
    ck_assert_int_eq(make(&book, "hostile", id, NULL), status);
    ck_assert_ptr_null(book);
    const char *expected = test_plugin_path("hostile");
    if (strncmp(message, "FILE", 4) == 0) {
        ck_assert_msg(strncmp(f.err.message, expected, strlen(expected)) == 0, "%s", f.err.message);
        ck_assert_str_eq(f.err.message + strlen(expected), message + 4);
    } else {
        ck_assert_str_eq(f.err.message, message);
    }
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    plugin_fixture_fini(&f);
}

START_TEST(a_plugin_that_does_not_return_is_an_error)
{
    hostile_gives("hostile.abort", EW_EPLUGIN,
                  "FILE: strategy 'hostile.abort': while planning: it called abort");
    hostile_gives("hostile.exit", EW_EPLUGIN,
                  "FILE: strategy 'hostile.exit': while planning: it ended the process (exit code "
                  "0) instead of returning");
    hostile_gives("hostile.segfault", EW_EPLUGIN,
                  "FILE: strategy 'hostile.segfault': while planning: it used memory that is not "
                  "its own (signal 11)");
    hostile_gives("hostile.loop", EW_EPLUGIN,
                  "FILE: strategy 'hostile.loop': while planning: no answer within 1 s");
    hostile_gives("hostile.close_and_loop", EW_EPLUGIN,
                  "FILE: strategy 'hostile.close_and_loop': while planning: no answer within 1 s");
}
END_TEST

START_TEST(reasons_and_faults_come_back_as_they_are)
{
    hostile_gives("hostile.cannot", EW_ENOTSUP, "needs a GPU and has none");
    hostile_gives("hostile.nothing", EW_EPLUGIN,
                  "strategy 'hostile.nothing' made an invalid plan: no plan was begun");
    hostile_gives("hostile.unknown_device", EW_EPLUGIN,
                  "strategy 'hostile.unknown_device': plan failed after the host refused: layer a: "
                  "expected a device below 3, got 10");
}
END_TEST

START_TEST(plan_messages_and_notes_come_back)
{
    plugin_fixture_init(&f, 3);
    struct ew_book *book = NULL;
    ck_assert_msg(make(&book, "good", "good", NULL) == EW_OK, "%s", f.err.message);
    ck_assert_str_eq(book->strategy, "good");
    ck_assert_str_eq(book->plans[0]->name, "all");
    ck_assert_uint_eq(book->plans[0]->pieces[3].device, 2);
    ck_assert_uint_eq(book->plans[0]->n_notes, 1);
    ck_assert(book->plans[0]->predicted_latency_s == 10.0 / 3);
    ck_assert_str_eq(ew_str_text(&f.log), "1 good: tight\n");
    ew_book_free(book);
    plugin_fixture_fini(&f);
}
END_TEST

START_TEST(a_strategy_in_cpp_plans)
{
    plugin_fixture_init(&f, 2);
    struct ew_book *book = NULL;
    ck_assert_msg(make(&book, "abi_cpp", "abi_cpp", NULL) == EW_OK, "%s", f.err.message);
    ck_assert_uint_eq(book->plans[0]->n_pieces, 4);
    ew_book_free(book);
    plugin_fixture_fini(&f);
}
END_TEST

START_TEST(the_plan_is_the_same_in_a_child)
{
    static const char *const modes[] = {"mode=one", "mode=rows"};
    for (int i = 0; i < 2; i++) {
        const char *const settings[] = {modes[i], NULL};
        struct ew_book *books[2] = {NULL, NULL};
        plugin_fixture_init(&f, 3);
        f.problem.seed = 12345;
        for (int is_trusted = 0; is_trusted < 2; is_trusted++) {
            struct ew_strategy_ref ref = plugin_fixture_use(&f, "good", "good", false, settings);
            struct ew_plugin plugin = *ref.plugin;
            plugin.is_trusted = is_trusted;
            ref.plugin = &plugin;
            const struct ew_book_request request = {ref, &f.params, &f.problem, &f.services, 10};
            ck_assert_int_eq(ew_book_make(&books[is_trusted], &request, &f.err), EW_OK);
        }
        const struct ew_plan *a = books[0]->plans[0], *b = books[1]->plans[0];
        ck_assert_uint_eq(a->n_pieces, b->n_pieces);
        for (uint32_t k = 0; k < a->n_pieces; k++) {
            ck_assert_uint_eq(a->pieces[k].device, b->pieces[k].device);
            ck_assert(ew_box_equal(&a->pieces[k].box, &b->pieces[k].box));
        }
        ck_assert_str_eq(a->notes[0].value, b->notes[0].value);
        ew_book_free(books[0]);
        ew_book_free(books[1]);
        plugin_fixture_fini(&f);
    }
}
END_TEST

START_TEST(messages_of_a_failed_plan_come_back_too)
{
    plugin_fixture_init(&f, 3);
    f.services.evaluate = NULL;
    struct ew_book *book = NULL;
    ck_assert_int_eq(make(&book, "good", "good", NULL), EW_ENOTSUP);
    ck_assert_str_eq(f.err.message, "no device can take the network");
    ck_assert_str_eq(ew_str_text(&f.log), "1 good: tight\n");
    ck_assert_int_eq(make(&book, "hostile", "hostile.chatter", NULL), EW_OK);
    ck_assert_uint_eq(f.n_messages, 1 + 1001);
    ew_book_free(book);
    plugin_fixture_fini(&f);
}
END_TEST

START_TEST(what_a_child_prints_goes_nowhere)
{
    plugin_fixture_init(&f, 3);
    struct ew_book *book = NULL;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    ck_assert_int_eq(make(&book, "hostile", "hostile.prints", NULL), EW_OK);
    char byte;
    ck_assert_int_eq(read(ends[0], &byte, 1), -1); /* nothing there */
    ck_assert_int_eq(errno, EAGAIN);
    ew_book_free(book);
    plugin_fixture_fini(&f);
}
END_TEST

/* A plan that owes nothing to chance is good for every seed. In a child nobody can tell. */
START_TEST(drawing_random_numbers_is_noticed)
{
    static const char *const no_note[] = {"note=false", NULL};
    for (int draws = 0; draws < 2; draws++) {
        for (int is_trusted = 0; is_trusted < 2; is_trusted++) {
            plugin_fixture_init(&f, 3);
            bool has_drawn = false;
            struct ew_book *book = NULL;
            struct ew_strategy_ref ref =
                plugin_fixture_use(&f, "good", "good", false, draws ? NULL : no_note);
            struct ew_plugin plugin = *ref.plugin;
            plugin.is_trusted = is_trusted;
            ref.plugin = &plugin;
            f.services.has_drawn = &has_drawn;
            const struct ew_book_request request = {ref, &f.params, &f.problem, &f.services, 10};
            ck_assert_msg(ew_book_make(&book, &request, &f.err) == EW_OK, "%s", f.err.message);
            ck_assert_int_eq(has_drawn, draws || !is_trusted);
            ew_book_free(book);
            plugin_fixture_fini(&f);
        }
    }
}
END_TEST

int main(void)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
    const TTest *const tests[] = {
        a_plugin_that_does_not_return_is_an_error, reasons_and_faults_come_back_as_they_are,
        plan_messages_and_notes_come_back,         a_strategy_in_cpp_plans,
        the_plan_is_the_same_in_a_child,           messages_of_a_failed_plan_come_back_too,
        what_a_child_prints_goes_nowhere,          drawing_random_numbers_is_noticed,
    };
    return run_suite("make_book", tests, sizeof tests / sizeof *tests);
}
