#include "calibrate/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "calibrate/rows.h"

enum { LATENCY, OVERHEAD, PER_BYTE, COLUMNS, LEAST_ROWS_OF_PIECE = 4 };

static const double MAX_BYTES = 1e15;
static const double MAX_SECONDS = 1e7;

/* Two pieces must make the error this much smaller, since they always fit better. */
static const double WORTH_IT = 0.6;

/* --- data ------------------------------------------------------------------------------------ */

static int by_bytes(const void *a, const void *b)
{
    const struct ew_network_row *x = a, *y = b;
    return x->bytes != y->bytes ? (x->bytes > y->bytes) - (x->bytes < y->bytes)
                                : (x->line > y->line) - (x->line < y->line);
}

struct columns {
    size_t bytes, time, messages, device;
    bool has_messages;
    double unit_s;
};

static enum ew_status find_columns(struct columns *c, const struct ew_csv_table *table,
                                   struct ew_error *err)
{
    static const struct ew_rows_unit times[] = {{"seconds", 1}, {"ms", 1e-3}};
    bool has_time = false;
    *c = (struct columns){.unit_s = 1};
    enum ew_status status = ew_csv_table_need(&c->bytes, table, "bytes", err);
    if (status != EW_OK) {
        return status;
    }
    (void)ew_rows_device_column(&c->device, table);
    c->has_messages = ew_csv_table_find(&c->messages, table, "messages");
    status = ew_rows_unit_column(&has_time, &c->time, &c->unit_s, table, "times", times, 2, err);
    return status || has_time
               ? status
               : ew_fail(err, EW_EINPUT, "%s: expected a column seconds or ms", table->path);
}

static enum ew_status read_row(struct ew_network_row *row, const struct columns *c,
                               const struct ew_csv_table *table, const struct ew_csv_row *in,
                               struct ew_error *err)
{
    *row = (struct ew_network_row){.line = in->line, .messages = 1};
    enum ew_status status =
        ew_csv_table_number(&row->bytes, table, in, c->bytes, 0, MAX_BYTES, err);
    if (status == EW_OK) {
        status = ew_csv_table_number(&row->seconds, table, in, c->time, 1e-12, MAX_SECONDS, err);
        row->seconds *= c->unit_s;
    }
    if (status == EW_OK && c->has_messages) {
        status = ew_csv_table_number(&row->messages, table, in, c->messages, 1, 1e9, err);
    }
    return status;
}

static enum ew_status check_rows(const struct ew_network_data *data, struct ew_error *err)
{
    const size_t n = data->n_rows;
    if (n < 2) {
        return ew_fail(err, EW_EINPUT, "%s: expected at least two rows, found %zu", data->path, n);
    }
    if (data->rows[0].bytes == data->rows[n - 1].bytes) {
        return ew_fail(err, EW_EINPUT,
                       "%s: expected messages of different sizes, found %g bytes in all %zu rows: "
                       "latency and bandwidth cannot be told apart",
                       data->path, data->rows[0].bytes, n);
    }
    return EW_OK;
}

enum ew_status ew_network_data_load(struct ew_network_data *out, const char *path,
                                    const char *device, struct ew_error *err)
{
    struct ew_network_data data = {0};
    struct ew_csv_table *table = NULL;
    struct columns c;
    enum ew_status status = ew_csv_table_load(&table, path, err);
    if (status == EW_OK) {
        status = find_columns(&c, table, err);
    }
    if (status == EW_OK) {
        status = ew_rows_check_device(table, device, err);
    }
    if (status == EW_OK) {
        data.path = ew_arena_strdup(&data.arena, path);
        data.rows = ew_arena_calloc(&data.arena, table->n_rows + 1, sizeof *data.rows);
        status = data.path && data.rows ? EW_OK : ew_fail_memory(err);
    }
    for (size_t i = 0; status == EW_OK && i < table->n_rows; i++) {
        const struct ew_csv_row *in = &table->rows[i];
        if (!device || strcmp(in->cells[c.device], device) == 0) {
            status = read_row(&data.rows[data.n_rows], &c, table, in, err);
            data.has_messages = data.has_messages || data.rows[data.n_rows].messages > 1;
            data.n_rows++;
        }
    }
    if (status == EW_OK) {
        qsort(data.rows, data.n_rows, sizeof *data.rows, by_bytes);
        status = check_rows(&data, err);
    }
    ew_csv_table_free(table);
    if (status == EW_OK) {
        *out = data;
    } else {
        ew_network_data_fini(&data);
    }
    return status;
}

void ew_network_data_fini(struct ew_network_data *data)
{
    ew_arena_fini(&data->arena);
    *data = (struct ew_network_data){0};
}

/* --- fit ------------------------------------------------------------------------------------- */

struct fitter {
    const struct ew_network_data *data;
    const struct ew_lapack *lapack;
    double *amounts, *measured;
    bool is_used[COLUMNS];
};

/* Rows [from, to) as a piece; *error_sum gets the sum of their |relative errors|. */
static enum ew_status fit_piece(struct ew_network_fit *out, size_t piece, double *error_sum,
                                const struct fitter *f, size_t from, size_t to,
                                struct ew_error *err)
{
    struct ew_fit fit = {.n_rows = to - from,
                         .n_columns = COLUMNS,
                         .amounts = f->amounts + from * COLUMNS,
                         .measured = f->measured + from,
                         .is_used = f->is_used};
    double x[COLUMNS];
    enum ew_status status = ew_fit_solve(x, f->lapack, &fit, EW_FIT_ALL, err);
    if (status == EW_OK) {
        status = ew_fit_rank(&out->pieces[piece].rank, f->lapack, &fit, err);
    }
    double sum = 0;
    for (size_t i = 0; status == EW_OK && i < fit.n_rows; i++) {
        sum += fabs(ew_fit_predict(&fit, x, i) / fit.measured[i] - 1);
    }
    if (status != EW_OK) {
        return status;
    }
    const struct ew_fit_rank *rank = &out->pieces[piece].rank;
    const double n = (double)fit.n_rows, free_rows = n - (double)rank->rank;
    const double deviation = free_rows > 0 ? sum / n * 1.2533 * sqrt(n / free_rows) : 0;
    out->pieces[piece].from_bytes = f->data->rows[from].bytes;
    out->pieces[piece].n_rows = fit.n_rows;
    out->pieces[piece].latency_s = x[LATENCY];
    out->pieces[piece].overhead_s = x[OVERHEAD];
    out->pieces[piece].bandwidth_bytes_per_s = x[PER_BYTE] > 0 ? 1 / x[PER_BYTE] : INFINITY;
    out->pieces[piece].latency_error_s = deviation * rank->error[LATENCY];
    out->pieces[piece].overhead_error_s = deviation * rank->error[OVERHEAD];
    out->pieces[piece].bandwidth_error_ratio =
        x[PER_BYTE] > 0 ? deviation * rank->error[PER_BYTE] / x[PER_BYTE] : 0;
    *error_sum = sum;
    return EW_OK;
}

/* Where to break: at most 32 places, evenly over the rows. */
static enum ew_status try_two_pieces(struct ew_network_fit *best, double *least,
                                     const struct fitter *f, struct ew_error *err)
{
    const size_t n = f->data->n_rows;
    const size_t step = n / 32 + 1;
    enum ew_status status = EW_OK;
    for (size_t at = LEAST_ROWS_OF_PIECE; status == EW_OK && at + LEAST_ROWS_OF_PIECE <= n;
         at += step) {
        struct ew_network_fit fit = {.n_pieces = 2};
        double low = 0, high = 0;
        if (f->data->rows[at].bytes == f->data->rows[at - 1].bytes) {
            continue;
        }
        status = fit_piece(&fit, 0, &low, f, 0, at, err);
        if (status == EW_OK) {
            status = fit_piece(&fit, 1, &high, f, at, n, err);
        }
        if (status == EW_OK && low + high < *least) {
            *least = low + high;
            *best = fit;
        }
    }
    return status;
}

static enum ew_status choose_pieces(struct ew_network_fit *out, const struct fitter *f,
                                    struct ew_error *err)
{
    const size_t n = f->data->n_rows;
    struct ew_network_fit one = {.n_pieces = 1}, two = {0};
    double sum = 0;
    enum ew_status status = fit_piece(&one, 0, &sum, f, 0, n, err);
    double least = WORTH_IT * sum;
    if (status == EW_OK && sum / (double)n > 1e-3) {
        status = try_two_pieces(&two, &least, f, err);
    }
    if (status == EW_OK) {
        *out = two.n_pieces ? two : one;
        out->in_sample_error = (two.n_pieces ? least : sum) / (double)n;
    }
    return status;
}

enum ew_status ew_network_fit(struct ew_network_fit *out, const struct ew_network_data *data,
                              const struct ew_lapack *lapack, struct ew_error *err)
{
    struct fitter f = {.data = data,
                       .lapack = lapack,
                       .is_used = {true, data->has_messages, true},
                       .amounts = calloc(data->n_rows * COLUMNS + 1, sizeof *f.amounts),
                       .measured = calloc(data->n_rows + 1, sizeof *f.measured)};
    enum ew_status status = f.amounts && f.measured ? EW_OK : ew_fail_memory(err);
    for (size_t i = 0; status == EW_OK && i < data->n_rows; i++) {
        f.amounts[i * COLUMNS + LATENCY] = 1;
        f.amounts[i * COLUMNS + OVERHEAD] = data->rows[i].messages;
        f.amounts[i * COLUMNS + PER_BYTE] = data->rows[i].bytes;
        f.measured[i] = data->rows[i].seconds;
    }
    if (status == EW_OK) {
        status = choose_pieces(out, &f, err);
    }
    free(f.amounts);
    free(f.measured);
    return status;
}

/* Slopes of which more than this share is scatter are none. */
static const double MOST_SCATTER = 0.5;

static bool has_bandwidth(const struct ew_network_fit *fit, size_t piece)
{
    return isfinite(fit->pieces[piece].bandwidth_bytes_per_s) &&
           !fit->pieces[piece].rank.is_mixed[PER_BYTE] &&
           fit->pieces[piece].bandwidth_error_ratio <= MOST_SCATTER;
}

bool ew_network_has_bandwidth(const struct ew_network_fit *fit)
{
    return has_bandwidth(fit, fit->n_pieces - 1);
}

/* --- report ---------------------------------------------------------------------------------- */

void ew_network_put_report(struct ew_str *out, const struct ew_network_fit *fit,
                           double nominal_latency_s, double nominal_bytes_per_s)
{
    ew_str_printf(out, "mean |error| %.1f %%\n", 100 * fit->in_sample_error);
    for (size_t k = 0; k < fit->n_pieces; k++) {
        const struct ew_fit_rank *rank = &fit->pieces[k].rank;
        const double bandwidth = fit->pieces[k].bandwidth_bytes_per_s;
        ew_str_printf(out, "\nfrom %.0f bytes on, %zu rows\n", fit->pieces[k].from_bytes,
                      fit->pieces[k].n_rows);
        ew_str_printf(out, "%-22s %12.4g s       +- %.2g s%s\n", "latency",
                      fit->pieces[k].latency_s, fit->pieces[k].latency_error_s,
                      rank->is_mixed[LATENCY] ? "  not identifiable" : "");
        if (rank->is_absent[OVERHEAD] || fit->pieces[k].overhead_s == 0) {
            ew_str_printf(out,
                          "%-22s %12s         not identifiable without trains of messages: "
                          "part of the latency\n",
                          "overhead per message", "-");
        } else {
            ew_str_printf(out, "%-22s %12.4g s       +- %.2g s%s\n", "overhead per message",
                          fit->pieces[k].overhead_s, fit->pieces[k].overhead_error_s,
                          rank->is_mixed[OVERHEAD] ? "  not identifiable" : "");
        }
        if (has_bandwidth(fit, k)) {
            ew_str_printf(out, "%-22s %12.4g bytes/s +- %.1f %%\n", "bandwidth", bandwidth,
                          100 * fit->pieces[k].bandwidth_error_ratio);
        } else {
            ew_str_printf(out,
                          "%-22s %12s         not identifiable: time does not grow with bytes\n",
                          "bandwidth", "-");
        }
        if (nominal_latency_s > 0) {
            ew_str_printf(out, "%-22s %12.4g\n", "latency factor",
                          fit->pieces[k].latency_s / nominal_latency_s);
        }
        if (nominal_bytes_per_s > 0 && has_bandwidth(fit, k)) {
            ew_str_printf(out, "%-22s %12.4g\n", "bandwidth factor",
                          bandwidth / nominal_bytes_per_s);
        }
    }
}

void ew_network_put_link(struct ew_str *out, const struct ew_network_fit *fit, const char *name)
{
    const size_t k = fit->n_pieces - 1;
    if (fit->n_pieces > 1) {
        ew_str_printf(out, "<!-- for messages of %.0f bytes and more -->\n",
                      fit->pieces[k].from_bytes);
    }
    if (!has_bandwidth(fit, k)) {
        ew_str_printf(out,
                      "<!-- link %s: latency %.4gs; these rows do not tell the bandwidth -->\n",
                      name, fit->pieces[k].latency_s);
        return;
    }
    ew_str_printf(out, "<link id=\"%s\" bandwidth=\"%.4gBps\" latency=\"%.4gs\"/>\n", name,
                  fit->pieces[k].bandwidth_bytes_per_s, fit->pieces[k].latency_s);
    if (fit->pieces[k].overhead_s > 0) {
        ew_str_printf(out,
                      "<!-- in the sender's host -->\n<prop id=\"message_overhead_s\" "
                      "value=\"%.4g\"/>\n",
                      fit->pieces[k].overhead_s);
    }
}
