/* Calibration of power and of network paths: recovery of known figures, the committed measurements
 * of energy per inference, and data that cannot be used. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "calibrate/energy.h"
#include "calibrate/network.h"
#include "io/csv_table.h"
#include "support/suite.h"

#define ENERGY_CSV EW_SOURCE_DIR "/platforms/data/energy.csv"

static char path[64];
static struct ew_lapack *lapack;

static void write_text(const char *text)
{
    struct ew_error err = {0};
    (void)snprintf(path, sizeof path, "calibrate_power_%ld.csv", (long)getpid());
    ck_assert_msg(ew_file_write(path, text, strlen(text), &err) == EW_OK, "%s", err.message);
    if (!lapack) {
        ck_assert_msg(ew_lapack_open(&lapack, &err) == EW_OK, "%s", err.message);
    }
}

static enum ew_status load_energy(struct ew_energy_data *data, const char *text,
                                  struct ew_error *err)
{
    write_text(text);
    const enum ew_status status = ew_energy_data_load(data, path, NULL, err);
    (void)remove(path);
    return status;
}

static void fit_energy(struct ew_energy_fit *out, const char *text)
{
    struct ew_energy_data data = {0};
    struct ew_error err = {0};
    ck_assert_msg(load_energy(&data, text, &err) == EW_OK, "%s", err.message);
    ck_assert_msg(ew_energy_fit(out, &data, data.dvfs[0], lapack, &err) == EW_OK, "%s",
                  err.message);
    ew_energy_data_fini(&data);
}

static void assert_near(double found, double wanted, double ratio)
{
    ck_assert_msg(fabs(found / wanted - 1) < ratio, "wanted %g, found %g", wanted, found);
}

START_TEST(known_powers_come_back_through_five_percent_noise)
{
    /* idle 2 W, epsilon +0.5 W, computing +3 W, tx +0.7 W, rx +0.4 W; 200 samples of each state */
    static const struct {
        const char *state;
        double w;
    } states[] = {{"idle", 2}, {"epsilon", 2.5}, {"compute", 5},        {"compute+tx", 5.7},
                  {"tx", 2.7}, {"rx", 2.4},      {"compute+tx+rx", 6.1}};
    struct ew_rng rng = ew_rng_make(3, "test/power");
    struct ew_str text = {0};
    struct ew_energy_fit fit;
    ew_str_append(&text, "time_s,w,state\n");
    for (int i = 0; i < 7 * 200; i++) {
        const double noise = 1 + 0.05 * ew_rng_normal(&rng);
        ew_str_printf(&text, "%d,%.9g,%s\n", i, states[i % 7].w * noise, states[i % 7].state);
    }
    fit_energy(&fit, ew_str_text(&text));
    assert_near(fit.x[EW_WATTS_IDLE], 2, 0.05);
    assert_near(fit.x[EW_WATTS_EPSILON], 0.5, 0.05);
    assert_near(fit.x[EW_WATTS_BUSY], 3, 0.05);
    assert_near(fit.x[EW_WATTS_TX], 0.7, 0.05);
    assert_near(fit.x[EW_WATTS_RX], 0.4, 0.05);
    ck_assert_uint_eq(fit.rank.rank, EW_WATTS_COLUMNS);
    ck_assert_uint_eq(fit.n_rows_of[EW_WATTS_TX], 600);
    ew_str_fini(&text);
}
END_TEST

START_TEST(joules_alone_give_only_the_sum_of_idle_and_computing)
{
    /* 1 J in 0.2 s: 5 W, however it is divided */
    struct ew_energy_fit fit;
    fit_energy(&fit, "model,latency_s,j\na,0.2,1\nb,0.4,2\n");
    assert_near(fit.x[EW_WATTS_IDLE] + fit.x[EW_WATTS_BUSY], 5, 1e-3);
    ck_assert(fit.rank.is_mixed[EW_WATTS_IDLE] && fit.rank.is_mixed[EW_WATTS_BUSY]);
    ck_assert_ptr_nonnull(strstr(ew_energy_verdict(&fit, EW_WATTS_IDLE), "only sums"));
    ck_assert_ptr_nonnull(strstr(ew_energy_verdict(&fit, EW_WATTS_TX), "no row"));
}
END_TEST

START_TEST(net_joules_tell_computing_from_idle)
{
    /* 5 W in all, 3.5 W above idle */
    struct ew_energy_fit fit;
    fit_energy(&fit, "model,latency_ms,j,j_net_of_idle\na,200,1,0.7\n");
    assert_near(fit.x[EW_WATTS_IDLE], 1.5, 1e-3);
    assert_near(fit.x[EW_WATTS_BUSY], 3.5, 1e-3);
}
END_TEST

START_TEST(load_is_the_share_that_computes)
{
    struct ew_energy_fit fit;
    fit_energy(&fit, "load,mw\n0,1000\n0.5,2500\n1,4000\n");
    assert_near(fit.x[EW_WATTS_IDLE], 1, 1e-3);
    assert_near(fit.x[EW_WATTS_BUSY], 3, 1e-3);
}
END_TEST

START_TEST(samples_of_a_log_count_for_as_long_as_they_last)
{
    /* 1 W for 9 s against 2 W for 1 s: the robust fit follows the time, not the number of samples
     */
    struct ew_energy_fit fit;
    fit_energy(&fit, "time_s,w,state\n0,1,idle\n9,2,idle\n10,3,compute\n");
    ck_assert_double_lt(fit.x[EW_WATTS_IDLE], 1.2);
}
END_TEST

/* The rows of one key without row `without`, as a file of its own; false when none is left. */
static bool others_of(struct ew_str *text, const struct ew_csv_table *table, size_t key,
                      size_t without)
{
    bool any = false;
    for (size_t c = 0; c < table->n_columns; c++) {
        ew_str_printf(text, "%s%s", c ? "," : "", table->columns[c]);
    }
    ew_str_append(text, "\n");
    for (size_t i = 0; i < table->n_rows; i++) {
        const char *const *cells = table->rows[i].cells;
        if (i == without || strcmp(cells[key], table->rows[without].cells[key]) != 0) {
            continue;
        }
        for (size_t c = 0; c < table->n_columns; c++) {
            ew_str_printf(text, "%s%s", c ? "," : "", cells[c]);
        }
        ew_str_append(text, "\n");
        any = true;
    }
    return any;
}

/* Energy per inference = power from the board's other rows times the latency of another log; the
 * table in docs/calibration.md. */
START_TEST(energy_of_inferences_is_predicted_from_other_measurements)
{
    struct ew_csv_table *table = NULL;
    struct ew_error err = {0};
    size_t key, j, latency, timing, n = 0, n_own_power = 0;
    double sum = 0;
    ck_assert_msg(ew_csv_table_load(&table, ENERGY_CSV, &err) == EW_OK, "%s", err.message);
    ck_assert(ew_csv_table_find(&key, table, "key") && ew_csv_table_find(&j, table, "j"));
    ck_assert(ew_csv_table_find(&latency, table, "latency_ms"));
    ck_assert(ew_csv_table_find(&timing, table, "timing_ms"));
    for (size_t i = 0; i < table->n_rows; i++) {
        const char *const *cells = table->rows[i].cells;
        struct ew_str text = {0};
        struct ew_energy_fit fit;
        if (!*cells[j]) {
            continue;
        }
        const bool has_others = others_of(&text, table, key, i);
        if (!has_others) { /* its own power, then; said in the table */
            ew_str_fini(&text);
            text = (struct ew_str){0};
            ew_str_printf(&text, "j,latency_ms\n%s,%s\n", cells[j], cells[latency]);
            n_own_power++;
        }
        fit_energy(&fit, ew_str_text(&text));
        const double power_w = fit.x[EW_WATTS_IDLE] + fit.x[EW_WATTS_BUSY];
        double time_ms = 0, measured_j = 0;
        ck_assert(ew_parse_double(*cells[timing] ? cells[timing] : cells[latency], &time_ms));
        ck_assert(ew_parse_double(cells[j], &measured_j));
        const double error = power_w * time_ms * 1e-3 / measured_j - 1;
        ck_assert_msg(fabs(error) < 0.15, "%s: %+.1f %%", cells[key], 100 * error);
        sum += fabs(error);
        n++;
        ew_str_fini(&text);
    }
    ck_assert_uint_eq(n, 10);
    ck_assert_uint_eq(n_own_power, 1);
    ck_assert_double_lt(sum / (double)n, 0.15);
    ew_csv_table_free(table);
}
END_TEST

START_TEST(bad_power_data_is_an_error_with_its_line)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"state,w\nidle,1\ncompute,-5\n", ":3: w: expected a number"},
        {"state,w\nidle,nan\n", ":2: w: expected a number"},
        {"state,w\nidling,1\n", ":2: state: expected idle, epsilon, compute, tx, rx"},
        {"state,w\ncompute+,1\n", ":2: state: expected"},
        {"load,w\n1.5,3\n", ":2: load: expected a number in 0 .. 1, found '1.5'"},
        {"state,volts\nidle,5\n", "expected columns w or mw with state or load"},
        {"state,w\n", "expected at least one row, found none"},
        {"time_s,w,state\n1,2,idle\n1,2,idle\n", ":3: time_s: expected ascending times"},
        {"latency_s,j,j_net_of_idle\n1,2,3\n", ":2: expected j_net_of_idle up to j"},
        {"key,state,w\na,idle,1\nb,idle,2\n", "rows of 2 devices"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ew_energy_data data = {0};
        struct ew_error err = {0};
        ck_assert_int_eq(load_energy(&data, bad[i].text, &err), EW_EINPUT);
        ck_assert_msg(strstr(err.message, bad[i].message), "%s", err.message);
    }
}
END_TEST

/* --- network --------------------------------------------------------------------------------- */

static enum ew_status fit_network(struct ew_network_fit *out, const char *text,
                                  struct ew_error *err)
{
    struct ew_network_data data = {0};
    write_text(text);
    enum ew_status status = ew_network_data_load(&data, path, NULL, err);
    (void)remove(path);
    if (status == EW_OK) {
        status = ew_network_fit(out, &data, lapack, err);
        ew_network_data_fini(&data);
    }
    return status;
}

START_TEST(known_path_comes_back_through_five_percent_noise)
{
    /* 2 ms, 12.5 MB/s, 0.3 ms per message */
    struct ew_rng rng = ew_rng_make(5, "test/network");
    struct ew_network_fit fit;
    struct ew_error err = {0};
    struct ew_str text = {0};
    ew_str_append(&text, "bytes,seconds,messages\n");
    for (int i = 0; i < 600; i++) {
        const double bytes = exp(ew_rng_unit(&rng) * 14), n = 1 + (double)(i % 3) * 10;
        const double seconds = 2e-3 + n * 3e-4 + bytes / 12.5e6;
        ew_str_printf(&text, "%.0f,%.9g,%g\n", bytes, seconds * (1 + 0.05 * ew_rng_normal(&rng)),
                      n);
    }
    ck_assert_msg(fit_network(&fit, ew_str_text(&text), &err) == EW_OK, "%s", err.message);
    ck_assert_uint_eq(fit.n_pieces, 1);
    assert_near(fit.pieces[0].latency_s, 2e-3, 0.05);
    assert_near(fit.pieces[0].overhead_s, 3e-4, 0.05);
    assert_near(fit.pieces[0].bandwidth_bytes_per_s, 12.5e6, 0.05);
    ew_str_fini(&text);
}
END_TEST

START_TEST(two_regimes_are_two_pieces)
{
    /* up to 64 KiB 1 ms and 5 MB/s, above 8 ms and 50 MB/s */
    struct ew_rng rng = ew_rng_make(9, "test/network");
    struct ew_network_fit fit;
    struct ew_error err = {0};
    struct ew_str text = {0};
    ew_str_append(&text, "bytes,seconds\n");
    for (int i = 0; i < 300; i++) {
        const double bytes = exp(4 + ew_rng_unit(&rng) * 12);
        const double seconds = bytes < 65536 ? 1e-3 + bytes / 5e6 : 8e-3 + bytes / 50e6;
        ew_str_printf(&text, "%.0f,%.9g\n", bytes, seconds * (1 + 0.02 * ew_rng_normal(&rng)));
    }
    ck_assert_msg(fit_network(&fit, ew_str_text(&text), &err) == EW_OK, "%s", err.message);
    ck_assert_uint_eq(fit.n_pieces, 2);
    assert_near(fit.pieces[0].latency_s, 1e-3, 0.1);
    assert_near(fit.pieces[1].bandwidth_bytes_per_s, 50e6, 0.1);
    ck_assert_double_gt(fit.pieces[1].from_bytes, 40000);
    ck_assert_double_lt(fit.pieces[1].from_bytes, 110000);
    ew_str_fini(&text);
}
END_TEST

START_TEST(without_trains_overhead_is_part_of_the_latency)
{
    struct ew_network_fit fit;
    struct ew_error err = {0};
    ck_assert_int_eq(fit_network(&fit, "bytes,ms\n0,1\n1000000,101\n", &err), EW_OK);
    assert_near(fit.pieces[0].latency_s, 1e-3, 1e-2);
    assert_near(fit.pieces[0].bandwidth_bytes_per_s, 1e7, 1e-2);
    ck_assert_double_eq(fit.pieces[0].overhead_s, 0);
}
END_TEST

START_TEST(bad_network_data_is_an_error)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"bytes,seconds\n1,-1\n2,3\n", ":2: seconds: expected a number"},
        {"bytes,seconds\n1,nan\n", ":2: seconds: expected a number"},
        {"bytes,minutes\n1,1\n", "expected a column seconds or ms"},
        {"bytes,seconds\n1,1\n", "expected at least two rows, found 1"},
        {"bytes,seconds\n5,1\n5,2\n", "expected messages of different sizes"},
        {"size,seconds\n5,1\n", "expected a column 'bytes'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ew_network_fit fit;
        struct ew_error err = {0};
        ck_assert_int_eq(fit_network(&fit, bad[i].text, &err), EW_EINPUT);
        ck_assert_msg(strstr(err.message, bad[i].message), "%s", err.message);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        known_powers_come_back_through_five_percent_noise,
        joules_alone_give_only_the_sum_of_idle_and_computing,
        net_joules_tell_computing_from_idle,
        load_is_the_share_that_computes,
        samples_of_a_log_count_for_as_long_as_they_last,
        energy_of_inferences_is_predicted_from_other_measurements,
        bad_power_data_is_an_error_with_its_line,
        known_path_comes_back_through_five_percent_noise,
        two_regimes_are_two_pieces,
        without_trains_overhead_is_part_of_the_latency,
        bad_network_data_is_an_error,
    };
    const int failed = run_suite("calibrate_power", tests, sizeof tests / sizeof *tests);
    ew_lapack_free(lapack);
    return failed;
}
