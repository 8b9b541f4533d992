#include "calibrate/energy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "calibrate/rows.h"
#include "io/csv_table.h"

static const double MAX_W = 1e6;
static const double MAX_J = 1e9;
static const double MAX_SECONDS = 1e9;

static const char *const NAMES[EW_WATTS_COLUMNS] = {
    [EW_WATTS_IDLE] = "idle", [EW_WATTS_EPSILON] = "epsilon", [EW_WATTS_BUSY] = "computing",
    [EW_WATTS_TX] = "tx",     [EW_WATTS_RX] = "rx",
};

const char *ew_energy_column_name(size_t column)
{
    return column < EW_WATTS_COLUMNS ? NAMES[column] : "";
}

struct columns {
    bool has_w, has_state, has_load, has_time, has_j, has_net, has_latency, has_model, has_dvfs;
    size_t w, state, load, time, j, net, latency, model, dvfs, device;
    double w_unit, latency_unit;
    bool has_device;
};

struct loader {
    const struct ew_csv_table *table;
    struct columns c;
    struct ew_energy_data *data;
    EW_VEC(struct ew_energy_row) rows;
};

static enum ew_status find_columns(struct columns *c, const struct ew_csv_table *t,
                                   struct ew_error *err)
{
    *c = (struct columns){.w_unit = 1, .latency_unit = 1};
    static const struct ew_rows_unit powers[] = {{"w", 1}, {"mw", 1e-3}},
                                     times[] = {{"latency_s", 1}, {"latency_ms", 1e-3}};
    enum ew_status status =
        ew_rows_unit_column(&c->has_w, &c->w, &c->w_unit, t, "power", powers, 2, err);
    status = status ? status
                    : ew_rows_unit_column(&c->has_latency, &c->latency, &c->latency_unit, t,
                                          "latencies", times, 2, err);
    if (status != EW_OK) {
        return status;
    }
    c->has_state = ew_csv_table_find(&c->state, t, "state");
    c->has_load = ew_csv_table_find(&c->load, t, "load");
    c->has_time = ew_csv_table_find(&c->time, t, "time_s");
    c->has_j = ew_csv_table_find(&c->j, t, "j");
    c->has_net = ew_csv_table_find(&c->net, t, "j_net_of_idle");
    c->has_model = ew_csv_table_find(&c->model, t, "model");
    c->has_dvfs =
        ew_csv_table_find(&c->dvfs, t, "dvfs") || ew_csv_table_find(&c->dvfs, t, "freq_mhz");
    c->has_device = ew_rows_device_column(&c->device, t);
    const bool is_power = c->has_w && (c->has_state || c->has_load);
    const bool is_energy = c->has_j && c->has_latency;
    return is_power || is_energy
               ? EW_OK
               : ew_fail(err, EW_EINPUT,
                         "%s: expected columns w or mw with state or load, or j with latency_s or "
                         "latency_ms",
                         t->path);
}

/* "compute+tx": idle, and what the words add. */
static enum ew_status read_state(struct loader *l, const struct ew_csv_row *in, double *amounts,
                                 struct ew_error *err)
{
    static const struct {
        const char *word;
        size_t column;
    } words[] = {{"idle", EW_WATTS_IDLE},
                 {"epsilon", EW_WATTS_EPSILON},
                 {"compute", EW_WATTS_BUSY},
                 {"tx", EW_WATTS_TX},
                 {"rx", EW_WATTS_RX}};
    const char *at = in->cells[l->c.state];
    amounts[EW_WATTS_IDLE] = 1;
    for (;;) {
        const size_t n = strcspn(at, "+");
        bool is_known = false;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            if (strlen(words[i].word) == n && strncmp(at, words[i].word, n) == 0) {
                amounts[words[i].column] = 1;
                is_known = true;
            }
        }
        if (!is_known) {
            return ew_fail(
                err, EW_EINPUT,
                "%s:%zu: state: expected idle, epsilon, compute, tx, rx, or several with "
                "'+', found '%.40s'",
                l->table->path, in->line, in->cells[l->c.state]);
        }
        if (at[n] == '\0') {
            return EW_OK;
        }
        at += n + 1;
    }
}

static enum ew_status read_power(struct loader *l, const struct ew_csv_row *in,
                                 struct ew_energy_row *row, struct ew_error *err)
{
    enum ew_status status = ew_csv_table_number(&row->measured, l->table, in, l->c.w,
                                                1e-9 / l->c.w_unit, MAX_W / l->c.w_unit, err);
    row->measured *= l->c.w_unit;
    row->label = in->cells[l->c.has_state ? l->c.state : l->c.load];
    if (status != EW_OK) {
        return status;
    }
    if (l->c.has_state) {
        return read_state(l, in, row->amounts, err);
    }
    row->amounts[EW_WATTS_IDLE] = 1;
    return ew_csv_table_number(&row->amounts[EW_WATTS_BUSY], l->table, in, l->c.load, 0, 1, err);
}

static bool push(struct loader *l, const struct ew_energy_row *row)
{
    return ew_vec_push(&l->rows, *row);
}

/* A row of joules says what idle and computing sum up to; its net column, if filled, computing
 * alone. */
static enum ew_status read_joules(struct loader *l, const struct ew_csv_row *in,
                                  struct ew_energy_row *row, struct ew_error *err)
{
    double latency_s = 0;
    enum ew_status status =
        ew_csv_table_number(&latency_s, l->table, in, l->c.latency, 1e-9 / l->c.latency_unit,
                            MAX_SECONDS / l->c.latency_unit, err);
    latency_s *= l->c.latency_unit;
    if (status == EW_OK) {
        status = ew_csv_table_number(&row->measured, l->table, in, l->c.j, 1e-12, MAX_J, err);
    }
    row->label = l->c.has_model ? in->cells[l->c.model] : "inference";
    row->amounts[EW_WATTS_IDLE] = row->amounts[EW_WATTS_BUSY] = latency_s;
    if (status == EW_OK && l->c.has_net && *in->cells[l->c.net]) {
        struct ew_energy_row net = *row;
        net.amounts[EW_WATTS_IDLE] = 0;
        status = ew_csv_table_number(&net.measured, l->table, in, l->c.net, 1e-12, MAX_J, err);
        if (status == EW_OK && net.measured > row->measured) {
            status =
                ew_fail(err, EW_EINPUT, "%s:%zu: expected j_net_of_idle up to j, found %g above %g",
                        l->table->path, in->line, net.measured, row->measured);
        }
        if (status == EW_OK && !push(l, &net)) {
            status = ew_fail_memory(err);
        }
    }
    return status;
}

/* Seconds until the next sample of the log; the last one counts like the one before. */
static enum ew_status weigh(struct loader *l, double *last_s, const struct ew_csv_row *in,
                            struct ew_error *err)
{
    double time_s = 0;
    const enum ew_status status =
        ew_csv_table_number(&time_s, l->table, in, l->c.time, -MAX_SECONDS, MAX_SECONDS, err);
    if (status != EW_OK) {
        return status;
    }
    if (l->rows.count) {
        struct ew_energy_row *before = &l->rows.items[l->rows.count - 1];
        before->weight = time_s - *last_s;
        if (!(before->weight > 0)) {
            return ew_fail(err, EW_EINPUT,
                           "%s:%zu: time_s: expected ascending times, found %g "
                           "after %g",
                           l->table->path, in->line, time_s, *last_s);
        }
    }
    *last_s = time_s;
    return EW_OK;
}

static enum ew_status read_rows(struct loader *l, const char *device, struct ew_error *err)
{
    enum ew_status status = ew_rows_check_device(l->table, device, err);
    double last_s = 0;
    for (size_t i = 0; status == EW_OK && i < l->table->n_rows; i++) {
        const struct ew_csv_row *in = &l->table->rows[i];
        struct ew_energy_row row = {.line = in->line, .dvfs = "", .weight = 1};
        if (device && strcmp(in->cells[l->c.device], device) != 0) {
            continue;
        }
        if (l->c.has_dvfs) {
            row.dvfs = in->cells[l->c.dvfs];
        }
        if (l->c.has_time) {
            status = weigh(l, &last_s, in, err);
            row.weight = l->rows.count ? l->rows.items[l->rows.count - 1].weight : 1;
        }
        const bool is_power = l->c.has_w && *in->cells[l->c.w];
        if (status == EW_OK) {
            status = is_power ? read_power(l, in, &row, err)
                     : l->c.has_j && l->c.has_latency
                         ? read_joules(l, in, &row, err)
                         : ew_csv_table_number(&row.measured, l->table, in, l->c.w, 0, 1, err);
        }
        if (status == EW_OK && !push(l, &row)) {
            status = ew_fail_memory(err);
        }
    }
    if (status == EW_OK && l->rows.count == 0) {
        status =
            ew_fail(err, EW_EINPUT, "%s: expected at least one row, found none", l->table->path);
    }
    return status;
}

/* Texts and rows into the data's own arena; DVFS states in their order. */
static enum ew_status keep(struct ew_energy_data *data, const struct loader *l,
                           struct ew_error *err)
{
    const size_t n = l->rows.count;
    data->path = ew_arena_strdup(&data->arena, l->table->path);
    data->rows = ew_arena_calloc(&data->arena, n, sizeof *data->rows);
    data->dvfs = ew_arena_calloc(&data->arena, n, sizeof *data->dvfs);
    if (!data->path || !data->rows || !data->dvfs) {
        return ew_fail_memory(err);
    }
    data->n_rows = n;
    for (size_t i = 0; i < n; i++) {
        struct ew_energy_row *row = &data->rows[i];
        *row = l->rows.items[i];
        row->label = ew_arena_strdup(&data->arena, row->label);
        row->dvfs = ew_arena_strdup(&data->arena, row->dvfs);
        if (!row->label || !row->dvfs) {
            return ew_fail_memory(err);
        }
        bool is_new = true;
        for (size_t k = 0; is_new && k < data->n_dvfs; k++) {
            is_new = strcmp(data->dvfs[k], row->dvfs) != 0;
        }
        if (is_new) {
            data->dvfs[data->n_dvfs++] = row->dvfs;
        }
    }
    return EW_OK;
}

enum ew_status ew_energy_data_load(struct ew_energy_data *out, const char *path, const char *device,
                                   struct ew_error *err)
{
    struct ew_csv_table *table = NULL;
    struct ew_energy_data data = {0};
    struct loader l = {.data = &data};
    enum ew_status status = ew_csv_table_load(&table, path, err);
    l.table = table;
    if (status == EW_OK) {
        status = find_columns(&l.c, table, err);
    }
    if (status == EW_OK) {
        status = read_rows(&l, device, err);
    }
    if (status == EW_OK) {
        status = keep(&data, &l, err);
    }
    ew_vec_fini(&l.rows);
    ew_csv_table_free(table);
    if (status == EW_OK) {
        *out = data;
    } else {
        ew_energy_data_fini(&data);
    }
    return status;
}

void ew_energy_data_fini(struct ew_energy_data *data)
{
    ew_arena_fini(&data->arena);
    *data = (struct ew_energy_data){0};
}

/* --- fit ------------------------------------------------------------------------------------- */

static void count_rows(struct ew_energy_fit *out, const struct ew_fit *fit)
{
    double sum = 0;
    for (size_t i = 0; i < fit->n_rows; i++) {
        sum += fabs(ew_fit_predict(fit, out->x, i) / fit->measured[i] - 1);
        for (size_t j = 0; j < EW_WATTS_COLUMNS; j++) {
            out->n_rows_of[j] += fit->amounts[i * EW_WATTS_COLUMNS + j] > 0;
        }
    }
    const double n = (double)fit->n_rows, free_rows = n - (double)out->rank.rank;
    out->in_sample_error = sum / n;
    for (size_t j = 0; free_rows > 0 && j < EW_WATTS_COLUMNS; j++) {
        out->x_error[j] = out->in_sample_error * 1.2533 * sqrt(n / free_rows) * out->rank.error[j];
    }
}

enum ew_status ew_energy_fit(struct ew_energy_fit *out, const struct ew_energy_data *data,
                             const char *dvfs, const struct ew_lapack *lapack, struct ew_error *err)
{
    double *amounts = calloc(data->n_rows * EW_WATTS_COLUMNS + 1, sizeof *amounts);
    double *measured = calloc(data->n_rows + 1, sizeof *measured);
    double *weights = calloc(data->n_rows + 1, sizeof *weights);
    enum ew_status status = amounts && measured && weights ? EW_OK : ew_fail_memory(err);
    struct ew_fit fit = {.n_columns = EW_WATTS_COLUMNS,
                         .amounts = amounts,
                         .measured = measured,
                         .weights = weights};
    for (size_t i = 0; status == EW_OK && i < data->n_rows; i++) {
        const struct ew_energy_row *row = &data->rows[i];
        if (strcmp(row->dvfs, dvfs) == 0) {
            memcpy(&amounts[fit.n_rows * EW_WATTS_COLUMNS], row->amounts, sizeof row->amounts);
            measured[fit.n_rows] = row->measured;
            weights[fit.n_rows++] = row->weight;
        }
    }
    *out = (struct ew_energy_fit){.n_rows = fit.n_rows};
    if (status == EW_OK) {
        status = ew_fit_solve(out->x, lapack, &fit, EW_FIT_ALL, err);
    }
    if (status == EW_OK) {
        status = ew_fit_rank(&out->rank, lapack, &fit, err);
    }
    if (status == EW_OK) {
        count_rows(out, &fit);
    }
    free(amounts);
    free(measured);
    free(weights);
    return status;
}

size_t ew_energy_count_misfits(size_t *worst, const struct ew_energy_data *data,
                               const struct ew_energy_fit *fit, const char *dvfs, double ratio)
{
    size_t n = 0;
    double most = ratio;
    for (size_t i = 0; i < data->n_rows; i++) {
        const struct ew_energy_row *row = &data->rows[i];
        double sum = 0;
        for (size_t j = 0; j < EW_WATTS_COLUMNS; j++) {
            sum += row->amounts[j] * fit->x[j];
        }
        const double off = fabs(sum / row->measured - 1);
        if (strcmp(row->dvfs, dvfs) != 0 || off <= ratio) {
            continue;
        }
        n++;
        if (off > most) {
            most = off;
            *worst = i;
        }
    }
    return n;
}

const char *ew_energy_verdict(const struct ew_energy_fit *fit, size_t column)
{
    if (fit->rank.is_absent[column]) {
        return "not identifiable: no row has it";
    }
    if (fit->rank.is_mixed[column]) {
        return "not identifiable: only sums of figures so marked are known";
    }
    return "";
}

void ew_energy_put_report(struct ew_str *out, const struct ew_energy_data *data,
                          const struct ew_energy_fit *fits)
{
    for (size_t k = 0; k < data->n_dvfs; k++) {
        const struct ew_energy_fit *fit = &fits[k];
        if (*data->dvfs[k]) {
            ew_str_printf(out, "%sDVFS state %s: ", k ? "\n" : "", data->dvfs[k]);
        }
        ew_str_printf(out, "%zu rows, mean |error| %.1f %%\n", fit->n_rows,
                      100 * fit->in_sample_error);
        ew_str_printf(out, "%-12s %10s %10s %6s\n", "figure", "W", "+-", "rows");
        for (size_t j = 0; j < EW_WATTS_COLUMNS; j++) {
            const char *verdict = ew_energy_verdict(fit, j);
            ew_str_printf(out, "%-12s %10.4g %10.2g %6zu%s%s\n", NAMES[j], fit->x[j],
                          fit->x_error[j], fit->n_rows_of[j], *verdict ? "  " : "", verdict);
        }
    }
}

void ew_energy_put_props(struct ew_str *out, const struct ew_energy_data *data,
                         const struct ew_energy_fit *fits)
{
    for (size_t k = 0; k < data->n_dvfs; k++) {
        const struct ew_energy_fit *fit = &fits[k];
        const double idle_w = fit->x[EW_WATTS_IDLE];
        if (*data->dvfs[k]) {
            ew_str_printf(out, "<!-- DVFS state %s -->\n", data->dvfs[k]);
        }
        for (size_t j = 0; j < EW_WATTS_COLUMNS; j++) {
            if (*ew_energy_verdict(fit, j)) {
                ew_str_printf(out, "<!-- %s: %s -->\n", NAMES[j], ew_energy_verdict(fit, j));
            }
        }
        ew_str_printf(out, "<prop id=\"wattage_per_state\" value=\"%.4g:%.4g:%.4g\"/>\n", idle_w,
                      idle_w + fit->x[EW_WATTS_EPSILON], idle_w + fit->x[EW_WATTS_BUSY]);
        if (fit->n_rows_of[EW_WATTS_TX]) {
            ew_str_printf(out, "<prop id=\"tx_w\" value=\"%.4g\"/>\n", fit->x[EW_WATTS_TX]);
        }
        if (fit->n_rows_of[EW_WATTS_RX]) {
            ew_str_printf(out, "<prop id=\"rx_w\" value=\"%.4g\"/>\n", fit->x[EW_WATTS_RX]);
        }
    }
}
