#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/loader.h"
#include "support/suite.h"

static struct ew_registry registry;
static struct ew_error err;

static const char *path_of(const char *name)
{
    static char path[4096];
    (void)snprintf(path, sizeof path, "%s/tests/plugins/%s", EW_BINARY_DIR, name);
    return path;
}

static void begin(void)
{
    registry = (struct ew_registry){.open_limit_s = 1};
    err = (struct ew_error){0};
}

/* Opening tests/plugins/NAME as an untrusted file ends with PATH + message. */
static void refuses(const char *name, const char *message)
{
    begin();
    const struct ew_plugin *plugin = NULL;
    const enum ew_status status = ew_registry_open(&plugin, &registry, path_of(name), false, &err);
    ck_assert_msg(status == EW_EPLUGIN, "%s: status %d, '%s'", name, status, err.message);
    const size_t length = strlen(path_of(name));
    ck_assert_msg(strncmp(err.message, path_of(name), length) == 0, "%s", err.message);
    ck_assert_str_eq(err.message + length, message);
    ck_assert_ptr_null(plugin);
    ck_assert_uint_eq(registry.plugins.count, 0);
    ew_registry_fini(&registry);
}

START_TEST(things_that_are_no_plugins_are_refused)
{
    refuses("nowhere.so", ": no such plugin file");
    refuses("text_file.so", ": not a loadable shared object: file too short");
    refuses("empty_file.so", ": not a loadable shared object: file too short");
    refuses("no_symbol.so", ": not an EdgeWeave plugin: it exports no symbol 'ew_strategy_entry'");
    refuses("missing_function.so", ": not a loadable shared object: undefined symbol: "
                                   "function_that_nobody_has");
    begin();
    const struct ew_plugin *plugin = NULL;
    ck_assert_int_eq(ew_registry_open(&plugin, &registry, "/dev/null", false, &err), EW_EPLUGIN);
    ck_assert_str_eq(err.message, "/dev/null: no such plugin file");
    ew_registry_fini(&registry);
}
END_TEST

START_TEST(entries_are_checked)
{
    refuses("wrong_major.so", ": built for plugin ABI 2.7, this program has 0.2");
    refuses("short_entry.so",
            ": ew_strategy_entry: expected a struct_size of at least 40, found 16");
    refuses("garbage_entry.so",
            ": ew_strategy_entry: expected a struct_size of at least 40, found 3735928559");
    refuses("null_member.so", ": ew_strategy_entry: member 'create' is NULL");
    refuses("many_strategies.so", ": expected 1 to 256 strategies, found 4294967295");
}
END_TEST

START_TEST(descriptors_are_checked)
{
    refuses("null_descriptor.so", ": a descriptor is NULL or its struct_size is not at least 48");
    refuses("null_text.so",
            ": strategy 'null_text': version, summary or citation is not a line of text");
    refuses("bad_id.so", ": expected a strategy id of lower-case letters, digits, '_' and '.', at "
                         "most 64 bytes, found 'Bad Id'");
    refuses("same_id_twice.so", ": strategy 'same_id_twice' is declared twice");
}
END_TEST

START_TEST(parameters_are_checked)
{
    refuses("infinite_range.so", ": strategy 'infinite_range': parameter 'alpha': expected a "
                                 "finite range from low to high, found 0 to inf");
    refuses("nan_range.so", ": strategy 'nan_range': parameter 'count': expected a finite range "
                            "from low to high, found nan to 5");
    refuses("bad_default.so", ": bad default: strategy 'bad_default': parameter 'share_ratio': "
                              "expected a number from 0 to 1 ratio, found '1.5'");
    refuses("no_choices.so", ": strategy 'no_choices': parameter 'mode': a choice without choices");
    refuses("same_param_twice.so",
            ": strategy 'same_param_twice': parameter 'fast': declared twice");
}
END_TEST

START_TEST(a_plugin_that_does_not_survive_opening_is_an_error)
{
    refuses("abort_in_constructor.so", ": while being opened: it called abort");
    refuses("exit_in_constructor.so", ": while being opened: it ended the process (exit code 0) "
                                      "instead of returning");
    refuses("loop_in_constructor.so", ": while being opened: no answer within 1 s");
    refuses("crash_in_describe.so",
            ": while being opened: it used memory that is not its own (signal 11)");
}
END_TEST

START_TEST(a_good_plugin_is_opened_once)
{
    begin();
    const struct ew_plugin *plugin = NULL, *again = NULL;
    ck_assert_msg(ew_registry_open(&plugin, &registry, path_of("good.so"), false, &err) == EW_OK,
                  "%s", err.message);
    ck_assert_uint_eq(plugin->count, 1);
    ck_assert_str_eq(plugin->infos[0]->id, "good");
    ck_assert_str_eq(plugin->infos[0]->version, "1.2.3");
    ck_assert_uint_eq(plugin->infos[0]->param_count, 5);
    ck_assert(!plugin->is_trusted);
    ck_assert_int_eq(ew_registry_open(&again, &registry, path_of("good.so"), false, &err), EW_OK);
    ck_assert_ptr_eq(plugin, again);
    ew_registry_fini(&registry);
}
END_TEST

START_TEST(a_later_minor_version_with_longer_structs_is_fine)
{
    begin();
    const struct ew_plugin *plugin = NULL;
    ck_assert_msg(ew_registry_open(&plugin, &registry, path_of("newer_minor.so"), false, &err) ==
                      EW_OK,
                  "%s", err.message);
    ck_assert_str_eq(plugin->infos[0]->id, "newer_minor");
    ew_registry_fini(&registry);
}
END_TEST

/* A file name without a slash is a file here, not one that the loader searches for. */
START_TEST(a_bare_file_name_means_this_directory)
{
    begin();
    char here[4096];
    (void)snprintf(here, sizeof here, "%s/tests/plugins", EW_BINARY_DIR);
    ck_assert_int_eq(chdir(here), 0);
    struct ew_strategy_ref ref;
    ck_assert_msg(ew_registry_find(&ref, &registry, "good.so", &err) == EW_OK, "%s", err.message);
    ck_assert_str_eq(ref.info->id, "good");
    ew_registry_fini(&registry);
}
END_TEST

/* ------------------------------------------------------------------------ directories */

static char dir_a[] = "/tmp/ew_loader_a_XXXXXX", dir_b[] = "/tmp/ew_loader_b_XXXXXX";

static void put(const char *dir, const char *as, const char *plugin)
{
    char to[4096];
    (void)snprintf(to, sizeof to, "%s/%s", dir, as);
    ck_assert_int_eq(symlink(path_of(plugin), to), 0);
}

static void make_dirs(void)
{
    begin();
    ck_assert_ptr_nonnull(mkdtemp(dir_a));
    ck_assert_ptr_nonnull(mkdtemp(dir_b));
    ck_assert_int_eq(ew_registry_add_dir(&registry, "/nowhere/at/all", false, &err), EW_OK);
    ck_assert_int_eq(ew_registry_add_dir(&registry, dir_a, true, &err), EW_OK);
    ck_assert_int_eq(ew_registry_add_dir(&registry, dir_b, false, &err), EW_OK);
}

static void remove_dir(const char *dir)
{
    static const char *const names[] = {"good.so", "hostile.so", "other.so", "bad.so", "notes.txt"};
    char path[4096];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    ck_assert_int_eq(rmdir(dir), 0);
}

static void end_dirs(void)
{
    ew_registry_fini(&registry);
    remove_dir(dir_a);
    remove_dir(dir_b);
}

START_TEST(an_id_is_found_by_its_file_name_without_opening_others)
{
    make_dirs();
    put(dir_a, "bad.so", "abort_in_constructor.so"); /* trusted: opening it would be the end */
    put(dir_b, "good.so", "good.so");
    struct ew_strategy_ref ref;
    ck_assert_msg(ew_registry_find(&ref, &registry, "good", &err) == EW_OK, "%s", err.message);
    ck_assert_str_eq(ref.info->id, "good");
    ck_assert(!ref.plugin->is_trusted);
    ck_assert_uint_eq(registry.plugins.count, 1);
    end_dirs();
}
END_TEST

START_TEST(the_part_before_a_dot_may_name_the_file)
{
    make_dirs();
    put(dir_b, "hostile.so", "hostile.so");
    struct ew_strategy_ref ref;
    ck_assert_msg(ew_registry_find(&ref, &registry, "hostile.cannot", &err) == EW_OK, "%s",
                  err.message);
    ck_assert_str_eq(ref.info->id, "hostile.cannot");
    end_dirs();
}
END_TEST

START_TEST(an_id_in_a_file_of_another_name_is_found_by_looking)
{
    make_dirs();
    put(dir_a, "other.so", "hostile.so");
    struct ew_strategy_ref ref;
    ck_assert_msg(ew_registry_find(&ref, &registry, "hostile.nothing", &err) == EW_OK, "%s",
                  err.message);
    ck_assert_str_eq(ref.info->id, "hostile.nothing");
    ck_assert(ref.plugin->is_trusted);
    end_dirs();
}
END_TEST

START_TEST(earlier_directories_win_and_files_opened_by_name_win_over_all)
{
    make_dirs();
    put(dir_a, "good.so", "good.so");
    put(dir_b, "good.so", "good.so");
    struct ew_strategy_ref ref;
    ck_assert_int_eq(ew_registry_find(&ref, &registry, "good", &err), EW_OK);
    ck_assert(strncmp(ref.plugin->path, dir_a, strlen(dir_a)) == 0);
    const struct ew_plugin *plugin;
    ck_assert_int_eq(ew_registry_open(&plugin, &registry, path_of("good.so"), false, &err), EW_OK);
    ck_assert_int_eq(ew_registry_find(&ref, &registry, "good", &err), EW_OK);
    ck_assert_ptr_eq(ref.plugin, plugin);
    end_dirs();
}
END_TEST

struct listing {
    struct ew_str ids;
    struct ew_str problems;
};

static void on_strategy(void *ctx, const struct ew_strategy_ref *ref)
{
    ew_str_printf(&((struct listing *)ctx)->ids, "%s\n", ref->info->id);
}

static void on_problem(void *ctx, const char *message)
{
    ew_str_printf(&((struct listing *)ctx)->problems, "%s\n", message);
}

START_TEST(listing_is_sorted_without_doubles_and_reports_what_is_bad)
{
    make_dirs();
    put(dir_a, "other.so", "newer_minor.so");
    put(dir_a, "good.so", "good.so");
    put(dir_b, "good.so", "good.so");
    put(dir_b, "bad.so", "abort_in_constructor.so");
    put(dir_b, "notes.txt", "text_file.so");
    struct listing listing = {0};
    ck_assert_int_eq(ew_registry_each(&registry, on_strategy, on_problem, &listing, &err), EW_OK);
    ck_assert_str_eq(ew_str_text(&listing.ids), "good\nnewer_minor\n");
    char expected[4096];
    (void)snprintf(expected, sizeof expected, "%s/bad.so: while being opened: it called abort\n",
                   dir_b);
    ck_assert_str_eq(ew_str_text(&listing.problems), expected);
    ew_str_fini(&listing.ids);
    ew_str_fini(&listing.problems);
    end_dirs();
}
END_TEST

START_TEST(an_unknown_id_gets_a_suggestion_or_the_problems)
{
    make_dirs();
    struct ew_strategy_ref ref;
    ck_assert_int_eq(ew_registry_find(&ref, &registry, "good", &err), EW_EUSAGE);
    ck_assert_str_eq(err.message,
                     "there is no strategy 'good'; `edgeweave list strategies` shows all");
    put(dir_a, "good.so", "good.so");
    ck_assert_int_eq(ew_registry_find(&ref, &registry, "god", &err), EW_EUSAGE);
    ck_assert_str_eq(err.message, "there is no strategy 'god'; did you mean 'good'?");
    put(dir_b, "bad.so", "wrong_major.so");
    ck_assert_int_eq(ew_registry_find(&ref, &registry, "xyz", &err), EW_EUSAGE);
    char expected[4096];
    (void)snprintf(expected, sizeof expected,
                   "there is no strategy 'xyz'; 1 plugin could not be used, the first: %s/bad.so: "
                   "built for plugin ABI 2.7, this program has 0.2",
                   dir_b);
    ck_assert_str_eq(err.message, expected);
    end_dirs();
}
END_TEST

START_TEST(a_file_that_should_hold_the_id_and_is_bad_is_the_error)
{
    make_dirs();
    put(dir_b, "good.so", "wrong_major.so");
    struct ew_strategy_ref ref;
    ck_assert_int_eq(ew_registry_find(&ref, &registry, "good", &err), EW_EPLUGIN);
    ck_assert(strstr(err.message, "good.so: built for plugin ABI 2.7, this program has 0.2"));
    end_dirs();
}
END_TEST

START_TEST(a_path_must_hold_exactly_one_strategy)
{
    begin();
    struct ew_strategy_ref ref;
    ck_assert_int_eq(ew_registry_find(&ref, &registry, path_of("hostile.so"), &err), EW_EUSAGE);
    ck_assert(strstr(err.message, "expected a plugin with one strategy, found "));
    ck_assert_int_eq(ew_registry_find(&ref, &registry, path_of("good.so"), &err), EW_OK);
    ew_registry_fini(&registry);
}
END_TEST

int main(void)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
    const TTest *const tests[] = {
        things_that_are_no_plugins_are_refused,
        entries_are_checked,
        descriptors_are_checked,
        parameters_are_checked,
        a_plugin_that_does_not_survive_opening_is_an_error,
        a_good_plugin_is_opened_once,
        a_later_minor_version_with_longer_structs_is_fine,
        a_bare_file_name_means_this_directory,
        an_id_is_found_by_its_file_name_without_opening_others,
        the_part_before_a_dot_may_name_the_file,
        an_id_in_a_file_of_another_name_is_found_by_looking,
        earlier_directories_win_and_files_opened_by_name_win_over_all,
        listing_is_sorted_without_doubles_and_reports_what_is_bad,
        an_unknown_id_gets_a_suggestion_or_the_problems,
        a_file_that_should_hold_the_id_and_is_bad_is_the_error,
        a_path_must_hold_exactly_one_strategy,
    };
    return run_suite("loader", tests, sizeof tests / sizeof *tests);
}
