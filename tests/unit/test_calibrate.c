/* Calibration of compute time: recovery of known figures, errors on the committed measurements, and
 * data that cannot be used. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "calibrate/probe.h"
#include "io/csv_table.h"
#include "io/graph_json.h"
#include "io/profile_json.h"
#include "support/suite.h"

#define NCNN_LAYERS EW_SOURCE_DIR "/platforms/data/ncnn_layers.csv"
#define NCNN_LATENCY EW_SOURCE_DIR "/platforms/data/ncnn_latency.csv"

static char last_warning[512];

static void keep_warning(void *ctx, const char *message)
{
    (void)ctx;
    (void)snprintf(last_warning, sizeof last_warning, "%s", message);
}

static const char *graph_of_tree(void *ctx, const char *name, struct ew_arena *arena)
{
    (void)ctx;
    char path[512];
    (void)snprintf(path, sizeof path, EW_SOURCE_DIR "/dnn_graphs/%.64s.json", name);
    return ew_file_exists(path) ? ew_arena_strdup(arena, path) : NULL;
}

static struct ew_compute_source source_of(const char *path, const char *layers, const char *device)
{
    return (struct ew_compute_source){
        .data_path = path,
        .layers_path = layers,
        .device = device,
        .find_graph = graph_of_tree,
        .warn = keep_warning,
    };
}

/* A file with that content in the test's working directory. */
static void write_text(char path[64], const char *name, const char *text)
{
    struct ew_error err = {0};
    (void)snprintf(path, 64, "calibrate_%ld_%.32s.csv", (long)getpid(), name);
    ck_assert_msg(ew_file_write(path, text, strlen(text), &err) == EW_OK, "%s", err.message);
}

static enum ew_status load(struct ew_compute_data *data, const char *name, const char *text,
                           struct ew_error *err)
{
    char path[64];
    write_text(path, name, text);
    const struct ew_compute_source source = source_of(path, NULL, NULL);
    const enum ew_status status = ew_compute_data_load(data, &source, err);
    (void)remove(path);
    return status;
}

/* Every second convolution and fc of ncnn's networks as a row of its own. */
static void load_all_layers(struct ew_compute_data *data)
{
    struct ew_error err = {0};
    struct ew_csv_table *table = NULL;
    struct ew_str text = {0};
    char path[64];
    size_t model, layer;
    ck_assert_int_eq(ew_csv_table_load(&table, NCNN_LAYERS, &err), EW_OK);
    ck_assert(ew_csv_table_find(&model, table, "model"));
    ck_assert(ew_csv_table_find(&layer, table, "layer"));
    ew_str_append(&text, "model,layer,seconds\n");
    for (size_t i = 0; i < table->n_rows; i += 2) {
        const char *const *cells = table->rows[i].cells;
        if (strcmp(cells[model], "vision_transformer") != 0) {
            ew_str_printf(&text, "%s,%s,1\n", cells[model], cells[layer]);
        }
    }
    write_text(path, "layers", ew_str_text(&text));
    const struct ew_compute_source source = source_of(path, NCNN_LAYERS, NULL);
    ck_assert_msg(ew_compute_data_load(data, &source, &err) == EW_OK, "%s", err.message);
    (void)remove(path);
    ew_str_fini(&text);
    ew_csv_table_free(table);
}

/* A board with 50, 25, 20, 8 and 10 GFLOP/s, 10, 4 and 3 GB/s, 60 us per layer. */
static const double KNOWN[EW_COMPUTE_COLUMNS] = {
    1 / 50e9, 1 / 25e9, 1 / 20e9, 1 / 8e9, 1 / 10e9, 1 / 10e9, 1 / 4e9, 1 / 3e9, 60e-6,
};

static void measure(struct ew_compute_data *data, int32_t granularity, double noise)
{
    struct ew_rng rng = ew_rng_make(7, "test/calibrate");
    for (size_t i = 0; i < data->n_rows; i++) {
        double amounts[EW_COMPUTE_COLUMNS], sum = 0;
        ew_compute_amounts(amounts, data, i, granularity);
        for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
            sum += amounts[j] * KNOWN[j];
        }
        data->rows[i].measured_s = sum * exp(noise * ew_rng_normal(&rng));
    }
}

static void fit(struct ew_compute_fit *out, const struct ew_compute_data *data)
{
    struct ew_error err = {0};
    struct ew_lapack *lapack = NULL;
    ck_assert_msg(ew_lapack_open(&lapack, &err) == EW_OK, "%s", err.message);
    ck_assert_msg(ew_compute_fit(out, data, lapack, &err) == EW_OK, "%s", err.message);
    ew_lapack_free(lapack);
}

START_TEST(known_figures_come_back_through_five_percent_noise)
{
    struct ew_compute_data data = {0};
    struct ew_compute_fit result = {0};
    load_all_layers(&data);
    measure(&data, 1, 0.05);
    fit(&result, &data);
    ck_assert_int_eq(result.row_granularity, 1);
    ck_assert_uint_eq(result.rank.rank, EW_COMPUTE_COLUMNS);
    size_t n_sharp = 0;
    for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
        const double off = fabs(result.x[j] - KNOWN[j]);
        /* least absolute deviations are up to sqrt(pi / 2) times wider than least squares */
        ck_assert_msg(off < 4 * result.x_error[j], "%s: %g, found %g +- %g",
                      ew_compute_column_name(j), KNOWN[j], result.x[j], result.x_error[j]);
        if (result.x_error[j] < 0.02 * KNOWN[j]) {
            ck_assert_msg(off < 0.05 * KNOWN[j], "%s: %g, found %g", ew_compute_column_name(j),
                          KNOWN[j], result.x[j]);
            n_sharp++;
        }
    }
    ck_assert_uint_ge(n_sharp, 5);
    /* mean of |N(0, 0.05)| = 0.05 * sqrt(2 / pi) = 4.0 % */
    ck_assert_double_lt(fabs(result.left_out_error - 0.0399), 0.004);
    ck_assert_double_gt(result.coverage, 0.75);
    ck_assert_double_lt(result.coverage, 0.85);
    ew_compute_fit_fini(&result);
    ew_compute_data_fini(&data);
}
END_TEST

/* Every layer measured ten times: then all figures are sharp. */
START_TEST(all_figures_come_back_from_ten_measurements_each)
{
    enum { TIMES = 10 };
    struct ew_compute_data data = {0};
    struct ew_lapack *lapack = NULL;
    struct ew_error err = {0};
    load_all_layers(&data);
    const size_t n = data.n_rows * TIMES;
    double *amounts = calloc(n * EW_COMPUTE_COLUMNS, sizeof *amounts);
    double *measured = calloc(n, sizeof *measured);
    ck_assert_ptr_nonnull(amounts);
    ck_assert_ptr_nonnull(measured);
    struct ew_rng rng = ew_rng_make(11, "test/calibrate");
    for (size_t i = 0; i < n; i++) {
        double *row = &amounts[i * EW_COMPUTE_COLUMNS], sum = 0;
        ew_compute_amounts(row, &data, i / TIMES, 1);
        for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
            sum += row[j] * KNOWN[j];
        }
        measured[i] = sum * (1 + 0.05 * ew_rng_normal(&rng));
    }
    const struct ew_fit problem = {
        .n_rows = n, .n_columns = EW_COMPUTE_COLUMNS, .amounts = amounts, .measured = measured};
    double x[EW_COMPUTE_COLUMNS];
    ck_assert_int_eq(ew_lapack_open(&lapack, &err), EW_OK);
    ck_assert_int_eq(ew_fit_solve(x, lapack, &problem, EW_FIT_ALL, &err), EW_OK);
    for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
        ck_assert_msg(fabs(x[j] / KNOWN[j] - 1) < 0.05, "%s: %g, found %g",
                      ew_compute_column_name(j), KNOWN[j], x[j]);
    }
    ew_lapack_free(lapack);
    free(amounts);
    free(measured);
    ew_compute_data_fini(&data);
}
END_TEST

START_TEST(granularity_comes_back_where_rows_were_measured)
{
    struct ew_compute_data data = {0};
    struct ew_compute_fit result = {0};
    struct ew_error err = {0};
    struct ew_str text = {0};
    static const char *const layers[] = {"features.2", "features.5", "features.10", "features.12",
                                         "features.19"};
    ew_str_append(&text, "model,layer,rows,seconds\n");
    for (size_t l = 0; l < sizeof layers / sizeof *layers; l++) {
        for (int rows = 1; rows <= 28; rows++) {
            ew_str_printf(&text, "vgg16,%s,%d,1\n", layers[l], rows);
        }
    }
    ck_assert_msg(load(&data, "rows", ew_str_text(&text), &err) == EW_OK, "%s", err.message);
    ck_assert_uint_eq(data.n_rows, 140);
    ck_assert_uint_eq(data.n_groups, 5);
    measure(&data, 8, 0.02);
    fit(&result, &data);
    ck_assert_int_eq(result.row_granularity, 8);
    ck_assert_double_lt(fabs(result.x[EW_RATE_CONV_3X3_S1] / KNOWN[EW_RATE_CONV_3X3_S1] - 1), 0.05);
    ew_compute_fit_fini(&result);
    ew_compute_data_fini(&data);
    ew_str_fini(&text);
}
END_TEST

/* Bars from docs/calibration.md: leave-one-network-out error, fastest of the loops. */
START_TEST(left_out_networks_are_predicted_on_measured_boards)
{
    static const struct {
        const char *key;
        double at_most;
    } boards[] = {
        {"raspberry_pi_3b_plus_cpu", 0.13}, {"raspberry_pi_4b_cpu", 0.14},
        {"jetson_nano_cpu", 0.15},          {"jetson_agx_xavier_cpu", 0.20},
        {"jetson_tx2_nx_gpu", 0.20},
    };
    double inside = 0, rows = 0;
    for (size_t i = 0; i < sizeof boards / sizeof *boards; i++) {
        const struct ew_compute_source source = source_of(NCNN_LATENCY, NCNN_LAYERS, boards[i].key);
        struct ew_compute_data data = {0};
        struct ew_compute_fit result = {0};
        struct ew_error err = {0};
        ck_assert_msg(ew_compute_data_load(&data, &source, &err) == EW_OK, "%s", err.message);
        fit(&result, &data);
        ck_assert_msg(result.left_out_error <= boards[i].at_most, "%s: %.1f %%", boards[i].key,
                      100 * result.left_out_error);
        inside += result.coverage * (double)data.n_rows;
        rows += (double)data.n_rows;
        ew_compute_fit_fini(&result);
        ew_compute_data_fini(&data);
    }
    ck_assert_double_ge(inside / rows, 0.7);
    ck_assert_double_le(inside / rows, 0.9);
}
END_TEST

/* Every device of the data, also those that nobody looked at: bars of 80 % hold 70 .. 90 % of the
 * networks left out, and the mean error stays what docs/calibration.md says. */
START_TEST(bars_hold_on_every_measured_device)
{
    struct ew_csv_table *table = NULL;
    struct ew_error err = {0};
    size_t key = 0, n_devices = 0;
    const char *last = "";
    double sum = 0;
    ck_assert_int_eq(ew_csv_table_load(&table, NCNN_LATENCY, &err), EW_OK);
    ck_assert(ew_csv_table_find(&key, table, "key"));
    for (size_t i = 0; i < table->n_rows; i++) {
        const char *device = table->rows[i].cells[key];
        if (strcmp(device, last) == 0) { /* rows of a device are together */
            continue;
        }
        last = device;
        const struct ew_compute_source source = source_of(NCNN_LATENCY, NCNN_LAYERS, device);
        struct ew_compute_data data = {0};
        struct ew_compute_fit result = {0};
        ck_assert_msg(ew_compute_data_load(&data, &source, &err) == EW_OK, "%s", err.message);
        fit(&result, &data);
        ck_assert_msg(result.coverage >= 0.7 && result.coverage <= 0.9, "%s: %.0f %%", device,
                      100 * result.coverage);
        sum += result.left_out_error;
        n_devices++;
        ew_compute_fit_fini(&result);
        ew_compute_data_fini(&data);
    }
    ck_assert_uint_eq(n_devices, 30);
    ck_assert_double_le(sum / (double)n_devices, 0.14);
    ew_csv_table_free(table);
}
END_TEST

START_TEST(profile_predicts_what_the_fit_predicts)
{
    const struct ew_compute_source source =
        source_of(NCNN_LATENCY, NCNN_LAYERS, "raspberry_pi_4b_cpu");
    const struct ew_compute_labels labels = {"board.test", "here", "measured"};
    struct ew_compute_data data = {0};
    struct ew_compute_fit result = {0};
    struct ew_error err = {0};
    struct ew_str text = {0};
    struct ew_profile *profile = NULL;
    ck_assert_int_eq(ew_compute_data_load(&data, &source, &err), EW_OK);
    fit(&result, &data);
    ew_compute_put_profile(&text, &data, &result, &labels);
    ck_assert_msg(ew_profile_parse_json(&profile, ew_str_text(&text), text.length, "made", &err) ==
                      EW_OK,
                  "%s", err.message);
    ck_assert_int_eq(profile->kind, EW_PROFILE_ADDITIVE);
    ck_assert_uint_eq(profile->n_residuals, data.n_rows);
    for (size_t i = 0; i < data.n_rows; i++) {
        double sum_s = 0;
        for (size_t w = data.first_work[i]; w < data.first_work[i + 1]; w++) {
            sum_s += ew_layer_work_s(profile, &data.work[w]);
        }
        /* figures are rounded to four digits */
        ck_assert_double_eq_tol(sum_s / data.rows[i].measured_s - 1, result.in_sample[i], 1e-3);
    }
    ew_profile_free(profile);
    ew_str_fini(&text);
    ew_compute_fit_fini(&result);
    ew_compute_data_fini(&data);
}
END_TEST

START_TEST(rows_that_are_no_measurements_are_errors_with_their_line)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"model,ms\nvgg16,10\nalexnet,-3\n",
         ":3: ms: expected a number in 1e-06 .. 1e+09, found '-3'"},
        {"model,ms\nvgg16,nan\n", ":2: ms: expected a number"},
        {"model,ms\nvgg16,\n", ":2: ms: expected a number"},
        {"model,hours\nvgg16,1\n", "expected a column of times with its unit"},
        {"network,ms\nvgg16,1\n", "expected a column 'model', found network, ms"},
        {"model,ms\nvgg16,1,2\n", ":2: expected 2 cells as in the header, found 3"},
        {"model,ms,device\nvgg16,1,a\nvgg16,1,b\n",
         "rows of 2 devices; choose one with --device: a, b"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ew_compute_data data = {0};
        struct ew_error err = {0};
        ck_assert_int_eq(load(&data, "bad", bad[i].text, &err), EW_EINPUT);
        ck_assert_msg(strstr(err.message, bad[i].message), "%s", err.message);
    }
}
END_TEST

START_TEST(unknown_network_is_left_out_with_its_line)
{
    struct ew_compute_data data = {0};
    struct ew_error err = {0};
    ck_assert_int_eq(load(&data, "unknown", "model,ms\nvgg16,500\nmynet,3\nalexnet,80\n", &err),
                     EW_OK);
    ck_assert_uint_eq(data.n_rows, 2);
    ck_assert_uint_eq(data.n_flagged, 1);
    ck_assert_ptr_nonnull(strstr(last_warning, ":3: no graph or layer list of network 'mynet'"));
    ew_compute_data_fini(&data);
}
END_TEST

START_TEST(too_little_data_is_an_error)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"model,ms\nvgg16,500\n", "expected at least two usable rows, found 1"},
        {"model,ms\n", "expected at least two usable rows, found 0"},
        {"model,ms\nvgg16,5\nalexnet,5\nresnet50,5\n", "expected times that differ, found 0.005 s"},
        {"model,ms\nvgg16,500\nvgg16,501\n",
         "expected different networks or layers, found 'vgg16'"},
        {"model,ms\nvgg16,500\nvgg19,400\nalexnet,300\n", "expected times that grow with the work"},
    };
    struct ew_lapack *lapack = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_lapack_open(&lapack, &err), EW_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ew_compute_data data = {0};
        struct ew_compute_fit result = {0};
        ck_assert_int_eq(load(&data, "little", bad[i].text, &err), EW_OK);
        ck_assert_int_eq(ew_compute_fit(&result, &data, lapack, &err), EW_EINPUT);
        ck_assert_msg(strstr(err.message, bad[i].message), "%s", err.message);
        ew_compute_data_fini(&data);
    }
    ew_lapack_free(lapack);
}
END_TEST

/* Two rows determine at most two sums of the seven figures, three rows three: least squares would
 * make layers of the other classes free. */
START_TEST(classes_that_rows_do_not_tell_apart_share_one_rate)
{
    static const char *const few[] = {"model,ms\nvgg16,500\nalexnet,80\n",
                                      "model,ms\nvgg16,500\nvgg19,600\nalexnet,60\n"};
    for (size_t k = 0; k < sizeof few / sizeof *few; k++) {
        struct ew_compute_data data = {0};
        struct ew_compute_fit result = {0};
        struct ew_error err = {0};
        ck_assert_int_eq(load(&data, "few", few[k], &err), EW_OK);
        fit(&result, &data);
        ck_assert(result.is_pooled && result.rank.rank == 2);
        ck_assert(result.x[0] > 0 && result.x[EW_COMPUTE_LAYERS] > 0);
        for (size_t c = 1; c < EW_RATE_COUNT; c++) {
            ck_assert_double_eq(result.x[c], result.x[0]);
        }
        ew_compute_fit_fini(&result);
        ew_compute_data_fini(&data);
    }
}
END_TEST

/* 1x1 layers alone, 0.1 ms and 10 GFLOP/s each: nothing is said of the other classes. */
START_TEST(classes_that_no_row_has_are_not_free)
{
    struct ew_compute_data data = {0};
    struct ew_compute_fit result = {0};
    struct ew_error err = {0};
    ck_assert_int_eq(
        load(&data, "one_class",
             "model,layer,ms\nsqueezenet1_1,features.3.squeeze,0.71952\n"
             "squeezenet1_1,features.3.expand1x1,0.71952\n"
             "squeezenet1_1,features.12.squeeze,1.207514\nsqueezenet1_1,classifier.1,17.4056\n",
             &err),
        EW_OK);
    ck_assert_uint_eq(data.n_rows, 4);
    fit(&result, &data);
    for (size_t c = 0; c < EW_RATE_COUNT; c++) {
        ck_assert_double_gt(result.x[c], 0);
    }
    ew_compute_fit_fini(&result);
    ew_compute_data_fini(&data);
}
END_TEST

START_TEST(probe_measures_layers_whole_and_in_bands)
{
    struct ew_error err = {0};
    struct ew_graph *graph = NULL;
    struct ew_probe probe = {0};
    struct ew_compute_fit result = {0};
    struct ew_str host = {0};
    size_t n_bands = 0;
    ck_assert_int_eq(
        ew_graph_load_json(&graph, EW_SOURCE_DIR "/dnn_graphs/mobilenet_v1_0.25.json", &err),
        EW_OK);
    const struct ew_graph *const graphs[] = {graph};
    ck_assert_msg(ew_probe_measure(&probe, graphs, 1, 0.4, &err) == EW_OK, "%s", err.message);
    ck_assert_uint_ge(probe.data.n_rows, 4);
    for (size_t i = 0; i < probe.data.n_rows; i++) {
        const struct ew_compute_row *row = &probe.data.rows[i];
        ck_assert(row->measured_s > 0 && isfinite(row->measured_s));
        n_bands += i > 0 && strcmp(row->layer, row[-1].layer) == 0 && row->n_rows < row[-1].n_rows;
    }
    ck_assert_uint_ge(n_bands, 2);
    ck_assert_double_gt(probe.copy_bytes_per_s, 0);
    ck_assert_uint_ge(probe.n_threads, 1);
    ck_assert_uint_eq(probe.threads[0].n, 1);
    ck_assert_double_eq(probe.threads[0].speedup, 1);
    for (uint32_t i = 1; i < probe.n_threads; i++) {
        ck_assert_uint_gt(probe.threads[i].n, probe.threads[i - 1].n);
        ck_assert(probe.threads[i].speedup > 0 && probe.threads[i].speedup < 1000);
    }
    fit(&result, &probe.data);
    ew_probe_put_host(&host, &probe, &result, "box", "box.reference");
    ck_assert_ptr_nonnull(strstr(ew_str_text(&host), "<host id=\"box\" speed="));
    ck_assert_ptr_nonnull(strstr(ew_str_text(&host), "wattage_per_state"));
    ck_assert_int_eq(probe.n_threads > 1,
                     strstr(ew_str_text(&host), " times as fast as one") != NULL);
    ew_str_fini(&host);
    ew_compute_fit_fini(&result);
    ew_probe_fini(&probe);
    ew_graph_free(graph);
}
END_TEST

START_TEST(csv_reads_quotes_comments_and_carriage_returns)
{
    static const char text[] = "# about\r\na,b\r\n\"x, \"\"y\"\"\",2\r\n\n# more\n,3\n";
    struct ew_csv_table *table = NULL;
    struct ew_error err = {0};
    double value = 0;
    ck_assert_int_eq(ew_csv_table_parse(&table, text, sizeof text - 1, "t.csv", &err), EW_OK);
    ck_assert_uint_eq(table->n_rows, 2);
    ck_assert_str_eq(table->rows[0].cells[0], "x, \"y\"");
    ck_assert_uint_eq(table->rows[1].line, 6);
    ck_assert_str_eq(table->rows[1].cells[0], "");
    ck_assert_int_eq(ew_csv_table_number(&value, table, &table->rows[1], 1, 0, 5, &err), EW_OK);
    ck_assert_double_eq(value, 3);
    ew_csv_table_free(table);
    static const char sheet[] = "\xEF\xBB\xBF"
                                "a, b \t\n 1 , x y\t,\n";
    ck_assert_int_eq(ew_csv_table_parse(&table, sheet, sizeof sheet - 1, "t.csv", &err), EW_EINPUT);
    ck_assert_int_eq(ew_csv_table_parse(&table, sheet, sizeof sheet - 3, "t.csv", &err), EW_OK);
    ck_assert(strcmp(table->columns[0], "a") == 0 && strcmp(table->columns[1], "b") == 0);
    ck_assert(strcmp(table->rows[0].cells[0], "1") == 0 &&
              strcmp(table->rows[0].cells[1], "x y") == 0);
    ew_csv_table_free(table);
    static const char *const bad[] = {"", "a,a\n1,2\n", "a,b\n\"x,2\n", "a,b\n\"x\"y,2\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(ew_csv_table_parse(&table, bad[i], strlen(bad[i]), "t.csv", &err),
                         EW_EINPUT);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        known_figures_come_back_through_five_percent_noise,
        all_figures_come_back_from_ten_measurements_each,
        granularity_comes_back_where_rows_were_measured,
        left_out_networks_are_predicted_on_measured_boards,
        bars_hold_on_every_measured_device,
        profile_predicts_what_the_fit_predicts,
        rows_that_are_no_measurements_are_errors_with_their_line,
        unknown_network_is_left_out_with_its_line,
        too_little_data_is_an_error,
        classes_that_rows_do_not_tell_apart_share_one_rate,
        classes_that_no_row_has_are_not_free,
        probe_measures_layers_whole_and_in_bands,
        csv_reads_quotes_comments_and_carriage_returns,
    };
    return run_suite("calibrate", tests, sizeof tests / sizeof *tests);
}
