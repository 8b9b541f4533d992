#include <string.h>

#include "plugin/params.h"
#include "support/suite.h"

static const char *const modes[] = {"argmin", "first_feasible", NULL};

static const struct ew_param_info infos[] = {
    {.struct_size = sizeof *infos,
     .kind = EW_PARAM_INT,
     .name = "max_iterations",
     .unit = "",
     .default_text = "20",
     .min_value = 1,
     .max_value = 1000,
     .doc = ""},
    {.struct_size = sizeof *infos,
     .kind = EW_PARAM_REAL,
     .name = "threshold_ratio",
     .unit = "ratio",
     .default_text = "0.05",
     .min_value = 0,
     .max_value = 1,
     .doc = ""},
    {.struct_size = sizeof *infos,
     .kind = EW_PARAM_BOOL,
     .name = "repair",
     .unit = "",
     .default_text = "true",
     .doc = ""},
    {.struct_size = sizeof *infos,
     .kind = EW_PARAM_CHOICE,
     .name = "search",
     .unit = "",
     .default_text = "argmin",
     .choices = modes,
     .doc = ""},
    {.struct_size = sizeof *infos,
     .kind = EW_PARAM_STRING,
     .name = "device",
     .unit = "",
     .default_text = "",
     .doc = ""},
};
static const struct ew_param_info *const list[] = {&infos[0], &infos[1], &infos[2], &infos[3],
                                                   &infos[4]};
static const struct ew_strategy_info info = {
    .struct_size = sizeof info, .param_count = 5, .id = "lab.x", .params = list};

static struct ew_params params;
static struct ew_error err;

static enum ew_status make(const char *name, const char *value)
{
    const struct ew_param_setting setting = {name, value};
    return ew_params_make(&params, &info, &setting, 1, &err);
}

static void refuses(const char *name, const char *value, const char *message)
{
    err = (struct ew_error){0};
    params = (struct ew_params){0};
    ck_assert_int_eq(make(name, value), EW_EUSAGE);
    ck_assert_str_eq(err.message, message);
    ck_assert_ptr_null(params.values);
}

START_TEST(defaults_complete_what_is_not_given)
{
    ck_assert_int_eq(ew_params_make(&params, &info, NULL, 0, &err), EW_OK);
    ck_assert_uint_eq(params.count, 5);
    ck_assert_int_eq(ew_params_find(&params, "max_iterations")->integer, 20);
    ck_assert(ew_params_find(&params, "max_iterations")->real == 20);
    ck_assert(ew_params_find(&params, "threshold_ratio")->real == 0.05);
    ck_assert_int_eq(ew_params_find(&params, "repair")->integer, 1);
    ck_assert_int_eq(ew_params_find(&params, "search")->integer, 0);
    ck_assert_str_eq(ew_params_find(&params, "device")->text, "");
    ck_assert(ew_params_find(&params, "device")->is_default);
    ck_assert_ptr_null(ew_params_find(&params, "none"));
    ew_params_fini(&params);
}
END_TEST

START_TEST(given_values_count_and_the_last_one_wins)
{
    char text[] = "0.25";
    const struct ew_param_setting settings[] = {
        {"threshold_ratio", "0.5"}, {"search", "first_feasible"}, {"repair", "false"},
        {"threshold_ratio", text},  {"device", "pi 2"},
    };
    ck_assert_int_eq(ew_params_make(&params, &info, settings, 5, &err), EW_OK);
    memset(text, '9', 3); /* texts are copied */
    ck_assert(ew_params_find(&params, "threshold_ratio")->real == 0.25);
    ck_assert_str_eq(ew_params_find(&params, "threshold_ratio")->text, "0.25");
    ck_assert(!ew_params_find(&params, "threshold_ratio")->is_default);
    ck_assert_int_eq(ew_params_find(&params, "search")->integer, 1);
    ck_assert_int_eq(ew_params_find(&params, "repair")->integer, 0);
    ck_assert_str_eq(ew_params_find(&params, "device")->text, "pi 2");
    ew_params_fini(&params);
}
END_TEST

START_TEST(ends_of_a_range_belong_to_it)
{
    ck_assert_int_eq(make("max_iterations", "1000"), EW_OK);
    ew_params_fini(&params);
    ck_assert_int_eq(make("threshold_ratio", "0"), EW_OK);
    ew_params_fini(&params);
    ck_assert_int_eq(make("threshold_ratio", "1e0"), EW_OK);
    ew_params_fini(&params);
}
END_TEST

START_TEST(values_outside_are_refused_with_the_range)
{
    refuses("max_iterations", "0",
            "strategy 'lab.x': parameter 'max_iterations': expected an integer from 1 to 1000, "
            "found '0'");
    refuses("max_iterations", "99999999999999999999",
            "strategy 'lab.x': parameter 'max_iterations': expected an integer from 1 to 1000, "
            "found '99999999999999999999'");
    refuses("threshold_ratio", "1.01",
            "strategy 'lab.x': parameter 'threshold_ratio': expected a number from 0 to 1 ratio, "
            "found '1.01'");
}
END_TEST

START_TEST(values_of_another_kind_are_refused)
{
    refuses("max_iterations", "2.5",
            "strategy 'lab.x': parameter 'max_iterations': expected an integer from 1 to 1000, "
            "found '2.5'");
    static const char *const numbers[] = {"", " 1", "1 ", "nan", "inf", "1e999", "0x1", "0.5s"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(numbers[i], "0x1") != 0) {
            ck_assert_msg(make("threshold_ratio", numbers[i]) == EW_EUSAGE, "'%s'", numbers[i]);
        }
        ck_assert_msg(make("max_iterations", numbers[i]) == EW_EUSAGE, "'%s'", numbers[i]);
    }
    refuses("repair", "yes",
            "strategy 'lab.x': parameter 'repair': expected true or false, found 'yes'");
    refuses("search", "best",
            "strategy 'lab.x': parameter 'search': expected one of argmin, first_feasible, found "
            "'best'");
}
END_TEST

START_TEST(unknown_names_get_a_suggestion)
{
    refuses("treshold_ratio", "1",
            "strategy 'lab.x' has no parameter 'treshold_ratio'; did you mean 'threshold_ratio'?");
    refuses("colour", "1",
            "strategy 'lab.x' has no parameter 'colour'; see `edgeweave describe strategy lab.x`");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        defaults_complete_what_is_not_given, given_values_count_and_the_last_one_wins,
        ends_of_a_range_belong_to_it,        values_outside_are_refused_with_the_range,
        values_of_another_kind_are_refused,  unknown_names_get_a_suggestion,
    };
    return run_suite("params", tests, sizeof tests / sizeof *tests);
}
