/* Signals, traces and the opening of dynamics on a platform. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/scenario_json.h"
#include "io/series_csv.h"
#include "support/suite.h"
#include "support/tiny.h"
#include "sweep/dynamics_open.h"

/* --- signals --------------------------------------------------------------------------------- */

static const double TIMES_S[] = {1, 3, 4};
static const double VALUES[] = {10, 30, 40};

static struct ew_signal signal_of(double offset_s, double loop_s)
{
    return (struct ew_signal){.quantity = EW_QUANTITY_LINK_BANDWIDTH,
                              .n_steps = 3,
                              .times_s = TIMES_S,
                              .values = VALUES,
                              .offset_s = offset_s,
                              .loop_s = loop_s};
}

START_TEST(signals_hold_the_nominal_value_before_and_the_last_one_after_their_steps)
{
    const struct ew_signal signal = signal_of(0, 0);
    struct ew_signal_cursor cursor;
    ck_assert(ew_signal_begin(&cursor, &signal, 5) == 5);
    for (int i = 0; i < 3; i++) {
        ck_assert(ew_signal_next_s(&cursor, &signal) == TIMES_S[i]);
        ck_assert(ew_signal_step(&cursor, &signal) == VALUES[i]);
    }
    ck_assert(isinf(ew_signal_next_s(&cursor, &signal)));
}
END_TEST

/* A turn of 6 s from 1 s on: steps at 1 3 4 | 7 9 10; the run begins at 3.5 s of the first turn. */
START_TEST(signals_loop_and_begin_inside)
{
    const struct ew_signal signal = signal_of(3.5, 6);
    struct ew_signal_cursor cursor;
    ck_assert(ew_signal_begin(&cursor, &signal, 5) == 30);
    const double expected_s[] = {0.5, 3.5, 5.5, 6.5, 9.5};
    const double expected[] = {40, 10, 30, 40, 10};
    for (int i = 0; i < 5; i++) {
        ck_assert(ew_signal_next_s(&cursor, &signal) == expected_s[i]);
        ck_assert(ew_signal_step(&cursor, &signal) == expected[i]);
    }
    /* an offset beyond the first turn: its beginning holds the last value of the turn before */
    const struct ew_signal later = signal_of(12.5, 6);
    ck_assert(ew_signal_begin(&cursor, &later, 5) == 40);
    ck_assert(ew_signal_next_s(&cursor, &later) == 0.5);
}
END_TEST

/* --- traces ---------------------------------------------------------------------------------- */

START_TEST(traces_are_read_in_their_unit)
{
    const char text[] = "# a walk\r\ntime_s, bandwidth_mbit_per_s\r\n\n0, 8 # first\n1.5,0\n";
    struct ew_series series;
    struct ew_error err = {0};
    ck_assert_msg(ew_series_parse_csv(&series, true, text, strlen(text), "t", &err) == EW_OK, "%s",
                  err.message);
    ck_assert_int_eq(series.quantity, EW_QUANTITY_LINK_BANDWIDTH);
    ck_assert_uint_eq(series.n_steps, 2);
    ck_assert(series.times_s[1] == 1.5 && series.values[0] == 1e6 && series.values[1] == 0);
    ew_series_fini(&series);
    ck_assert_int_eq(ew_series_parse_csv(&series, false, "time_s,up\n0,1\n", 13, "t", &err), EW_OK);
    ck_assert_int_eq(series.quantity, EW_QUANTITY_DEVICE_UP);
    ew_series_fini(&series);
}
END_TEST

static void refuses(bool is_link, const char *text, const char *message)
{
    struct ew_series series;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_series_parse_csv(&series, is_link, text, strlen(text), "t", &err),
                     EW_EINPUT);
    ck_assert_str_eq(err.message, message);
}

START_TEST(malformed_traces_are_named)
{
    const char link_header[] =
        "expected a header 'time_s,QUANTITY' with QUANTITY one of bandwidth_bytes_per_s, "
        "bandwidth_mbit_per_s, latency_s, latency_ms, up; found";
    char message[256];
    refuses(true, "", "t: expected a header and at least one step, found nothing");
    refuses(true, "time_s,latency_s\n",
            "t: expected a header and at least one step, found only the header");
    (void)snprintf(message, sizeof message, "t:1: %s 'bandwidth_kbit'", link_header);
    refuses(true, "time_s,bandwidth_kbit\n0,1\n", message);
    (void)snprintf(message, sizeof message, "t:1: %s 'time_ms'", link_header);
    refuses(true, "time_ms,bandwidth_bytes_per_s\n0,1\n", message);
    (void)snprintf(message, sizeof message, "t:1: %s '1'", link_header);
    refuses(true, "1\n", message);
    refuses(false, "time_s,latency_s\n0,1\n",
            "t:1: expected a header 'time_s,QUANTITY' with QUANTITY one of speed_ratio, up; found "
            "'latency_s'");
    refuses(true, "time_s,latency_s\n2,1\n1,1\n", "t:3: expected ascending times, found 1 after 2");
    refuses(true, "time_s,latency_s\n2,1\n2,1\n", "t:3: expected ascending times, found 2 after 2");
    refuses(true, "time_s,latency_s\n-1,1\n", "t:2: expected a time in 0..1e+12 s, found '-1'");
    refuses(true, "time_s,latency_s\n0,nan\n",
            "t:2: expected a finite number for latency_s, found 'nan'");
    refuses(true, "time_s,latency_s\n0,-1\n",
            "t:2: latency_s: expected a number of at least 0 and at most 1e+09, found -1");
    refuses(false, "time_s,speed_ratio\n0,0\n",
            "t:2: speed_ratio: expected a number of at least 1e-06 and at most 1e+06, found 0");
    refuses(
        true, "time_s,bandwidth_mbit_per_s\n0,1e-320\n",
        "t:2: bandwidth_bytes_per_s: expected 0 or a number of at least 0.001 and at most 1e+15, "
        "found 1.24999e-315");
    refuses(
        false, "time_s,speed_ratio\n0,1e-300\n",
        "t:2: speed_ratio: expected a number of at least 1e-06 and at most 1e+06, found 1e-300");
    refuses(false, "time_s,up\n0,0.5\n", "t:2: up: expected 0 or 1, found 0.5");
    refuses(true, "time_s,latency_s\n0\n", "t:2: expected 'TIME,VALUE', found '0'");
}
END_TEST

/* --- on a platform --------------------------------------------------------------------------- */

/* The dynamics of a scenario with the given object on two devices; NULL with a message. */
static struct ew_dynamics *open_text(const char *object, struct ew_error *err)
{
    char text[2048];
    (void)snprintf(text, sizeof text, "{\"schema\":\"edgeweave.scenario/1\",\"dynamics\":%s}",
                   object);
    struct ew_scenario scenario;
    struct ew_dynamics *dynamics = NULL;
    if (ew_scenario_parse_json(&scenario, text, strlen(text), "s", err) != EW_OK) {
        return NULL;
    }
    struct ew_platform *platform = tiny_star(2);
    (void)ew_dynamics_open(&dynamics, &scenario.dynamics, platform, err);
    ew_platform_free(platform);
    ew_scenario_fini(&scenario);
    return dynamics;
}

START_TEST(dynamics_are_opened_on_a_platform)
{
    struct ew_error err = {0};
    struct ew_dynamics *d = open_text(
        "{\"series\":[{\"link\":\"*\",\"latency_s\":[[0,0.5]]},"
        "{\"link\":\"up1\",\"latency_s\":[[0,0.25],[2,0.5]],\"scale_ratio\":2,\"loop\":true,"
        "\"offset_s\":1}],"
        "\"events\":[{\"time_s\":4,\"device\":\"d1\",\"event\":\"up\"},"
        "{\"time_s\":3,\"device\":\"d1\",\"event\":\"down\"}],"
        "\"stragglers\":[{\"device\":\"d1\",\"sigma\":0.5}],"
        "\"losses\":[{\"link\":\"*\",\"loss_ratio\":0.5,\"retransmit_s\":2}],"
        "\"on_failure\":\"retry\",\"max_attempts\":3}",
        &err);
    ck_assert_msg(d != NULL, "%s", err.message);
    ck_assert_uint_eq(d->n_signals, 5); /* up0 down0 up1 down1, d1 */
    const struct ew_signal *replaced = &d->signals[2];
    ck_assert_uint_eq(replaced->target, 2);
    ck_assert(replaced->values[0] == 0.5 && replaced->values[1] == 1);
    ck_assert(replaced->loop_s == 4 && replaced->offset_s == 1);
    const struct ew_signal *up = &d->signals[4];
    ck_assert_int_eq(up->quantity, EW_QUANTITY_DEVICE_UP);
    ck_assert(up->times_s[0] == 3 && up->values[0] == 0 && up->values[1] == 1);
    ck_assert(d->stragglers[1].sigma == 0.5 && d->stragglers[0].sigma == 0);
    ck_assert(d->losses[3].retransmit_s == 2);
    ck_assert_int_eq(d->policy.on_failure, EW_ON_FAILURE_RETRY);
    ck_assert_uint_eq(d->policy.max_attempts, 3);
    ew_dynamics_free(d);
}
END_TEST

START_TEST(no_dynamics_open_as_nothing)
{
    struct ew_error err = {0};
    ck_assert_ptr_null(open_text("{}", &err));
    ck_assert_int_eq(err.status, EW_OK);
}
END_TEST

static void refuses_dynamics(const char *object, const char *message)
{
    struct ew_error err = {0};
    ck_assert_ptr_null(open_text(object, &err));
    ck_assert_msg(strstr(err.message, message) != NULL, "expected '%s', found '%s'", message,
                  err.message);
}

START_TEST(malformed_dynamics_are_named)
{
    refuses_dynamics("{\"serie\":[]}", "/dynamics: unknown key 'serie'");
    refuses_dynamics("{\"series\":[{\"latency_s\":[[0,1]]}]}",
                     "/dynamics/series/0: expected either \"link\" or \"device\", found neither");
    refuses_dynamics("{\"series\":[{\"link\":\"up1\"}]}", "found 0 of them");
    refuses_dynamics("{\"series\":[{\"link\":\"up1\",\"latency_s\":[]}]}", "found 0");
    refuses_dynamics("{\"series\":[{\"link\":\"up1\",\"latency_s\":[[1,1],[1,2]]}]}",
                     "/dynamics/series/0/latency_s/1/0: expected ascending times, found 1 after 1");
    refuses_dynamics("{\"series\":[{\"device\":\"d1\",\"speed_ratio\":[[1,0]]}]}",
                     "expected a number of at least 1e-06 and at most 1e+06, found 0");
    refuses_dynamics("{\"series\":[{\"link\":\"up9\",\"up\":[[1,0]]}]}",
                     "dynamics: /series/0: expected a link of");
    refuses_dynamics("{\"series\":[{\"link\":\"up1\",\"up\":[[1,0]],\"loop\":true}]}",
                     "expected two steps or more, or loop_s");
    refuses_dynamics("{\"series\":[{\"link\":\"up1\",\"up\":[[1,0]],\"loop_s\":1}]}",
                     "expected loop_s beyond the last step at 1 s, found 1 s");
    refuses_dynamics("{\"events\":[{\"time_s\":1,\"device\":\"d7\",\"event\":\"down\"}]}",
                     "dynamics: /events/0: expected a device of");
    refuses_dynamics("{\"events\":[{\"time_s\":-1,\"device\":\"d1\",\"event\":\"down\"}]}",
                     "/dynamics/events/0/time_s");
    refuses_dynamics("{\"events\":[{\"time_s\":1,\"device\":\"d1\",\"event\":\"off\"}]}",
                     "expected \"down\" or \"up\"");
    refuses_dynamics("{\"series\":[{\"device\":\"d1\",\"up\":[[1,0]]}],"
                     "\"events\":[{\"time_s\":1,\"device\":\"d1\",\"event\":\"down\"}]}",
                     "expected either events or an 'up' series for device 'd1', found both");
    refuses_dynamics("{\"on_failure\":\"cry\"}",
                     "expected \"wait\", \"retry\", \"replan\" or \"fail\", found \"cry\"");
    refuses_dynamics("{\"series\":[{\"link\":\"up1\",\"trace\":\"/nowhere.csv\"}]}",
                     "/nowhere.csv");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        signals_hold_the_nominal_value_before_and_the_last_one_after_their_steps,
        signals_loop_and_begin_inside,
        traces_are_read_in_their_unit,
        malformed_traces_are_named,
        dynamics_are_opened_on_a_platform,
        no_dynamics_open_as_nothing,
        malformed_dynamics_are_named,
    };
    return run_suite("dynamics", tests, sizeof tests / sizeof *tests);
}
