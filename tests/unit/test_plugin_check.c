#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/rng.h"
#include "base/text.h"
#include "plugin/check_problems.h"
#include "plugin/elf_symbols.h"
#include "plugin/plugin_check.h"
#include "support/plugin_fixture.h"
#include "support/suite.h"

static struct ew_check_report report;
static struct ew_error err;

/* Any plan is worth as many seconds as it has pieces. */
static enum ew_status evaluate(void *ctx, const struct ew_problem *problem,
                               const struct ew_plan *plan, struct ew_evaluation *result,
                               struct ew_error *e)
{
    (void)ctx, (void)problem, (void)e;
    result->latency_s = plan->n_pieces;
    return EW_OK;
}

static void check_plugin(const char *name, double limit_s)
{
    static const struct ew_host_services services = {.evaluate = evaluate};
    const struct ew_check_options options = {
        .services = &services, .open_limit_s = limit_s, .plan_limit_s = limit_s};
    report = (struct ew_check_report){0};
    ck_assert_msg(ew_plugin_check(&report, test_plugin_path(name), &options, &err) == EW_OK, "%s",
                  err.message);
}

static const struct ew_finding *find(const char *strategy, const char *check)
{
    for (size_t i = 0; i < report.findings.count; i++) {
        const struct ew_finding *finding = &report.findings.items[i];
        if (strcmp(finding->strategy, strategy) == 0 && strcmp(finding->check, check) == 0) {
            return finding;
        }
    }
    ck_abort_msg("no finding '%s' of '%s'", check, strategy);
    return NULL;
}

static void finds(const char *strategy, const char *check, enum ew_verdict verdict,
                  const char *detail)
{
    const struct ew_finding *finding = find(strategy, check);
    ck_assert_msg(finding->verdict == verdict, "%s: %s: %s: %s", strategy, check,
                  ew_verdict_names[finding->verdict], finding->detail);
    ck_assert_str_eq(finding->detail, detail);
}

START_TEST(a_good_plugin_passes_everything)
{
    check_plugin("good", 20);
    for (size_t i = 0; i < report.findings.count; i++) {
        const struct ew_finding *finding = &report.findings.items[i];
        ck_assert_msg(finding->verdict != EW_VERDICT_FAIL, "%s: %s", finding->check,
                      finding->detail);
    }
    ck_assert_uint_eq(report.counts[EW_VERDICT_FAIL], 0);
    ck_assert_uint_eq(report.counts[EW_VERDICT_SKIP], 1);
    ck_assert_uint_eq(report.counts[EW_VERDICT_PASS], 25);
    finds("", "opens and describes itself", EW_VERDICT_PASS, "ABI 0.2, 1 strategy");
    finds("good", "plans 'chain'", EW_VERDICT_PASS, "8 pieces on 1 device");
    finds("good", "takes all of parameter 'mode'", EW_VERDICT_PASS, "rows, one");
    finds("good", "takes all of parameter 'max_devices'", EW_VERDICT_PASS, "1, 4096");
    finds("good", "takes all of parameter 'title'", EW_VERDICT_PASS,
          "(empty), there is no such thing");
    finds("good", "copes when alloc gives NULL", EW_VERDICT_SKIP, "it makes no such call");
    ew_check_report_fini(&report);
}
END_TEST

START_TEST(two_checks_give_the_same_report)
{
    struct ew_str texts[2] = {{0}, {0}};
    for (int k = 0; k < 2; k++) {
        check_plugin("good", 20);
        for (size_t i = 0; i < report.findings.count; i++) {
            const struct ew_finding *f = &report.findings.items[i];
            ew_str_printf(&texts[k], "%d %s %s %s\n", f->verdict, f->strategy, f->check, f->detail);
        }
        ew_check_report_fini(&report);
    }
    ck_assert_str_eq(ew_str_text(&texts[0]), ew_str_text(&texts[1]));
    ew_str_fini(&texts[0]);
    ew_str_fini(&texts[1]);
}
END_TEST

START_TEST(files_that_are_no_plugins_fail_early)
{
    check_plugin("text_file", 1);
    finds("", "is a shared object", EW_VERDICT_FAIL, "not an ELF file");
    finds("", "opens and describes itself", EW_VERDICT_FAIL,
          "not a loadable shared object: file too short");
    ck_assert_uint_eq(report.findings.count, 2);
    ew_check_report_fini(&report);
    check_plugin("no_symbol", 1);
    finds("", "exports ew_strategy_entry and nothing else", EW_VERDICT_FAIL,
          "there is no data symbol 'ew_strategy_entry'");
    finds("", "opens and describes itself", EW_VERDICT_FAIL,
          "not an EdgeWeave plugin: it exports no symbol 'ew_strategy_entry'");
    ew_check_report_fini(&report);
    check_plugin("loop_in_constructor", 0.3);
    finds("", "opens and describes itself", EW_VERDICT_FAIL,
          "while being opened: no answer within 0.3 s");
    ew_check_report_fini(&report);
    check_plugin("wrong_major", 1);
    finds("", "opens and describes itself", EW_VERDICT_FAIL,
          "built for plugin ABI 2.7, this program has 0.2");
    ew_check_report_fini(&report);
}
END_TEST

START_TEST(settings_replace_defaults)
{
    static const struct ew_host_services services = {.evaluate = evaluate};
    static const struct ew_param_setting settings[] = {{"no_such_parameter", "1"}};
    const struct ew_check_options options = {.services = &services,
                                             .open_limit_s = 1,
                                             .plan_limit_s = 20,
                                             .settings = settings,
                                             .n_settings = 1};
    report = (struct ew_check_report){0};
    ck_assert_int_eq(ew_plugin_check(&report, test_plugin_path("good"), &options, &err), EW_EUSAGE);
    ck_assert(strstr(err.message, "no parameter 'no_such_parameter'"));
    ew_check_report_fini(&report);
}
END_TEST

START_TEST(a_missing_file_cannot_be_checked)
{
    static const struct ew_host_services services = {.evaluate = evaluate};
    const struct ew_check_options options = {
        .services = &services, .open_limit_s = 1, .plan_limit_s = 1};
    report = (struct ew_check_report){0};
    ck_assert_int_eq(ew_plugin_check(&report, "/nowhere/x.so", &options, &err), EW_EINPUT);
    ck_assert(strstr(err.message, "/nowhere/x.so"));
    ck_assert_uint_eq(report.findings.count, 0);
    ew_check_report_fini(&report);
}
END_TEST

START_TEST(each_way_to_misbehave_is_found)
{
    check_plugin("hostile", 0.5);
    finds("hostile.abort", "plans 'chain'", EW_VERDICT_FAIL, "plan: it called abort");
    finds("hostile.abort", "further checks", EW_VERDICT_SKIP, "it does not come back");
    finds("hostile.exit", "plans 'chain'", EW_VERDICT_FAIL,
          "plan: it ended the process (exit code 0) instead of returning");
    finds("hostile.segfault", "plans 'chain'", EW_VERDICT_FAIL,
          "plan: it used memory that is not its own (signal 11)");
    finds("hostile.loop", "plans 'chain'", EW_VERDICT_FAIL, "plan: no answer within 0.5 s");
    finds("hostile.nothing", "plans 'dense'", EW_VERDICT_FAIL,
          "made an invalid plan: no plan was begun");
    finds("hostile.nothing", "further checks", EW_VERDICT_SKIP, "it planned none of the problems");
    finds("hostile.unknown_device", "plans 'residual'", EW_VERDICT_FAIL,
          "plan failed after the host refused: layer conv1: expected a device below 2, got 9");
    finds("hostile.cannot", "plans 'chain'", EW_VERDICT_SKIP,
          "cannot serve: needs a GPU and has none");
    finds("hostile.random", "plans 'chain' alike every time", EW_VERDICT_FAIL,
          "the same problem and seed gave different plans");
    finds("hostile.prints", "prints nothing", EW_VERDICT_FAIL,
          "standard output belongs to the program; use host->log");
    finds("hostile.pokes", "stops when the builder refuses", EW_VERDICT_FAIL,
          "from call 1 of 27 on: plan returned 6; expected 0, or a negative code after host->fail");
    finds("hostile.greedy", "copes when alloc gives NULL", EW_VERDICT_PASS, "");
    finds("hostile.greedy", "frees all memory", EW_VERDICT_PASS, "");
    ck_assert_int_eq(find("hostile.leaks", "frees all memory")->verdict, EW_VERDICT_FAIL);
    ew_check_report_fini(&report);
}
END_TEST

START_TEST(built_in_problems_are_sound)
{
    for (uint32_t i = 0; i < EW_CHECK_PROBLEMS; i++) {
        struct ew_check_problem problem = {0};
        ck_assert_msg(ew_check_problem_init(&problem, i, &err) == EW_OK, "%u: %s", i, err.message);
        ck_assert_uint_eq(problem.platform->n_warnings, 0);
        ew_check_problem_fini(&problem);
    }
}
END_TEST

/* ------------------------------------------------------------------------ symbols */

START_TEST(exported_symbols_are_read_from_the_file)
{
    char *bytes = NULL;
    size_t size = 0;
    struct ew_elf_symbols symbols = {0};
    ck_assert_int_eq(ew_file_read(&bytes, &size, test_plugin_path("good"), 1 << 26, &err), EW_OK);
    ck_assert_msg(ew_elf_symbols_read(&symbols, bytes, size, &err) == EW_OK, "%s", err.message);
    ck_assert_uint_eq(symbols.items.count, 1);
    ck_assert_str_eq(symbols.items.items[0].name, "ew_strategy_entry");
    ck_assert(symbols.items.items[0].is_data);
    ck_assert_uint_eq(symbols.items.items[0].size, sizeof(struct ew_strategy_entry));
    ew_elf_symbols_fini(&symbols);
    free(bytes);
}
END_TEST

/* Cut or changed files give symbols or an error, and nothing outside the file is read (ASan). */
START_TEST(damaged_files_do_no_harm)
{
    char *bytes = NULL;
    size_t size = 0;
    ck_assert_int_eq(ew_file_read(&bytes, &size, test_plugin_path("no_symbol"), 1 << 26, &err),
                     EW_OK);
    struct ew_rng rng = ew_rng_make(1, "test/elf");
    for (int i = 0; i < 4000; i++) {
        const bool is_cut = i % 2;
        const size_t n = is_cut ? ew_rng_below(&rng, size) : size;
        char *copy = malloc(n + 1);
        memcpy(copy, bytes, n);
        copy = realloc(copy, n ? n : 1);
        for (int k = 0; k < 4 && !is_cut; k++) {
            /* the file header, or the section headers at its end */
            const uint64_t from_end = ew_rng_below(&rng, 2400);
            const size_t at = k % 2 ? ew_rng_below(&rng, 64) : size - 1 - (size_t)from_end;
            copy[at] = (char)ew_rng_u64(&rng);
        }
        struct ew_elf_symbols symbols = {0};
        const enum ew_status status = ew_elf_symbols_read(&symbols, copy, n, &err);
        ck_assert(status == EW_OK || status == EW_EPLUGIN);
        size_t total = 0;
        for (size_t k = 0; k < symbols.items.count; k++) {
            total += strlen(symbols.items.items[k].name);
        }
        ck_assert_uint_le(total, n * 64);
        ew_elf_symbols_fini(&symbols);
        free(copy);
    }
    free(bytes);
}
END_TEST

int main(void)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
    const TTest *const tests[] = {
        a_good_plugin_passes_everything,
        two_checks_give_the_same_report,
        files_that_are_no_plugins_fail_early,
        settings_replace_defaults,
        a_missing_file_cannot_be_checked,
        each_way_to_misbehave_is_found,
        built_in_problems_are_sound,
        exported_symbols_are_read_from_the_file,
        damaged_files_do_no_harm,
    };
    return run_suite("plugin_check", tests, sizeof tests / sizeof *tests);
}
