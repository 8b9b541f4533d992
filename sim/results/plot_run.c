#include "results/plot_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/plot_frame.h"

enum { N_STATES = 5, MAX_ROWS = 512 };

static const char *const STATES[N_STATES] = {"idle", "compute", "tx", "rx", "off"};
static const char *const STATE_COLUMNS[N_STATES] = {"idle_energy_j", "compute_energy_j",
                                                    "tx_energy_j", "rx_energy_j", "off_energy_j"};

/* --- energy ------------------------------------------------------------------------------------
 */

struct energy {
    const struct ew_csv_table *table;
    struct ew_plot_values bars;
    bool is_of_run; /* energy.csv: of whole runs, not per request */
    double (*sum_j)[N_STATES];
    size_t *n; /* rows behind the sum */
};

/* A row of a sweep: five columns, over so many completed requests. */
static enum ew_status add_wide(struct energy *e, const struct ew_csv_row *row, size_t bar,
                               struct ew_error *err)
{
    size_t column = 0;
    double completed = NAN, joules[N_STATES];
    enum ew_status status = ew_plot_column(&column, e->table, "x", "completed", err);
    if (status == EW_OK) {
        status = ew_plot_number(&completed, e->table, row, column, err);
    }
    for (size_t k = 0; status == EW_OK && k < N_STATES; k++) {
        status = ew_plot_column(&column, e->table, "x", STATE_COLUMNS[k], err);
        if (status == EW_OK) {
            status = ew_plot_number(&joules[k], e->table, row, column, err);
        }
    }
    if (status != EW_OK || !(completed > 0) || !isfinite(joules[1])) {
        return status;
    }
    for (size_t k = 0; k < N_STATES; k++) {
        e->sum_j[bar][k] += isfinite(joules[k]) ? joules[k] / completed : 0;
    }
    e->n[bar]++;
    return EW_OK;
}

/* A row of energy.csv: one device in one state; a run has one for each. */
static enum ew_status add_long(struct energy *e, const struct ew_csv_row *row, size_t bar,
                               const size_t columns[2], struct ew_error *err)
{
    double joules = NAN;
    const enum ew_status status = ew_plot_number(&joules, e->table, row, columns[1], err);
    for (size_t k = 0; status == EW_OK && k < N_STATES; k++) {
        if (isfinite(joules) && strcmp(row->cells[columns[0]], STATES[k]) == 0) {
            e->sum_j[bar][k] += joules;
            e->n[bar] = 1;
        }
    }
    return status;
}

static enum ew_status add_energies(struct energy *e, struct ew_error *err)
{
    size_t columns[2] = {0, 0}, ignored;
    const bool is_long = ew_csv_table_find(&columns[0], e->table, "state") &&
                         ew_csv_table_find(&columns[1], e->table, "energy_j");
    enum ew_status status = EW_OK;
    e->is_of_run = is_long;
    if (!is_long && !ew_csv_table_find(&ignored, e->table, "idle_energy_j")) {
        return ew_fail(err, EW_EINPUT,
                       "%s: no energy by state; expected a sweep's runs or an energy.csv",
                       e->table->path);
    }
    for (size_t i = 0; status == EW_OK && i < e->table->n_rows; i++) {
        const struct ew_csv_row *row = &e->table->rows[i];
        size_t bar;
        if (ew_plot_values_find(&bar, &e->bars, row->cells[e->bars.column])) {
            status = is_long ? add_long(e, row, bar, columns, err) : add_wide(e, row, bar, err);
        }
    }
    return status;
}

/* Parts of every bar on top of each other, in a fixed order. */
static bool put_energies(struct ew_str *out, const struct energy *e)
{
    bool has_any = false;
    for (size_t b = 0; b < ew_plot_values_count(&e->bars); b++) {
        double begin_j = 0;
        for (size_t k = 0; k < N_STATES; k++) {
            char digits[32];
            const double joules = e->n[b] ? e->sum_j[b][k] / (double)e->n[b] : NAN;
            ew_str_printf(out, "%zu", b);
            ew_plot_put_text(out, ew_plot_values_text(&e->bars, b, digits));
            ew_str_printf(out, ",%zu,%s", k, STATES[k]);
            ew_plot_put_number(out, e->n[b] ? begin_j : NAN);
            ew_plot_put_number(out, joules);
            ew_plot_put_text(out, e->is_of_run ? "energy of the run" : "energy per request");
            ew_str_append(out, "\n");
            begin_j += joules;
            has_any = has_any || e->n[b] > 0;
        }
    }
    return has_any;
}

enum ew_status ew_plot_make_energy(struct ew_str *out, const struct ew_csv_table *table,
                                   const struct ew_plot_request *request, struct ew_error *err)
{
    struct energy e = {.table = table};
    size_t column = 0;
    const char *by = request->by ? request->by : "strategy";
    enum ew_status status = ew_plot_column(&column, table, "by", by, err);
    if (status == EW_OK) {
        status = ew_plot_values_read(&e.bars, table, column, request->by == NULL, err);
    }
    if (status == EW_OK) {
        e.sum_j = calloc(ew_plot_values_count(&e.bars), sizeof *e.sum_j);
        e.n = calloc(ew_plot_values_count(&e.bars), sizeof *e.n);
        status = e.sum_j && e.n ? add_energies(&e, err) : ew_fail_memory(err);
    }
    if (status == EW_OK && !put_energies(out, &e)) {
        status = ew_fail(err, EW_EINPUT, "%s: no power figures, so no energy", table->path);
    }
    free(e.sum_j);
    free(e.n);
    ew_plot_values_fini(&e.bars);
    return status;
}

/* --- Gantt -------------------------------------------------------------------------------------
 */

/* Columns of tasks.csv that matter, and where they are. */
enum column {
    C_RUN,
    C_STRATEGY,
    C_KIND,
    C_REQUEST,
    C_LAYER,
    C_CLASS,
    C_DEVICE_ID,
    C_DEVICE,
    C_PEER_ID,
    C_PEER,
    C_START,
    C_FLOW,
    C_END,
    C_COUNT,
};
static const char *const COLUMNS[C_COUNT] = {"run",     "strategy",  "kind",   "request", "layer",
                                             "class",   "device_id", "device", "peer_id", "peer",
                                             "start_s", "flow_s",    "end_s"};

/* A line of the chart: a device (peer NULL) or the connection of two. */
struct lane {
    const char *device, *peer;
    double device_id, peer_id;
};

struct gantt {
    const struct ew_csv_table *table;
    size_t columns[C_COUNT];
    const struct ew_plot_request *request;
    EW_VEC(struct lane) lanes;
    EW_VEC(const struct ew_csv_row *) rows; /* of the request */
};

static const char *cell(const struct gantt *g, const struct ew_csv_row *row, enum column c)
{
    return row->cells[g->columns[c]];
}

static bool is_wanted(const struct gantt *g, const struct ew_csv_row *row)
{
    uint64_t run, request;
    return ew_parse_u64(cell(g, row, C_RUN), &run) && run == g->request->run &&
           ew_parse_u64(cell(g, row, C_REQUEST), &request) && request == g->request->request;
}

static bool is_transfer(const struct gantt *g, const struct ew_csv_row *row)
{
    return strncmp(cell(g, row, C_KIND), "transfer", 8) == 0;
}

static bool is_lane(const struct lane *lane, const char *device, const char *peer)
{
    return strcmp(lane->device, device) == 0 && (lane->peer != NULL) == (peer != NULL) &&
           (!peer || strcmp(lane->peer, peer) == 0);
}

static enum ew_status add_lane(struct gantt *g, const struct ew_csv_row *row, bool with_peer,
                               bool of_peer, struct ew_error *err)
{
    struct lane lane = {.device = cell(g, row, of_peer ? C_PEER : C_DEVICE),
                        .peer = with_peer ? cell(g, row, C_PEER) : NULL,
                        .peer_id = -1};
    for (size_t i = 0; i < g->lanes.count; i++) {
        if (is_lane(&g->lanes.items[i], lane.device, lane.peer)) {
            return EW_OK;
        }
    }
    if (g->lanes.count == MAX_ROWS) {
        return ew_fail(err, EW_EINPUT, "%s: more than %d devices and connections are too many",
                       g->table->path, MAX_ROWS);
    }
    enum ew_status status = ew_plot_number(&lane.device_id, g->table, row,
                                           g->columns[of_peer ? C_PEER_ID : C_DEVICE_ID], err);
    if (status == EW_OK && with_peer) {
        status = ew_plot_number(&lane.peer_id, g->table, row, g->columns[C_PEER_ID], err);
    }
    if (status == EW_OK && !ew_vec_push(&g->lanes, lane)) {
        status = ew_fail_memory(err);
    }
    return status;
}

/* Devices first, then connections, each in platform order. */
static int compare_lanes(const void *a, const void *b)
{
    const struct lane *p = a, *q = b;
    if ((p->peer != NULL) != (q->peer != NULL)) {
        return p->peer ? 1 : -1;
    }
    const int by_device = (p->device_id > q->device_id) - (p->device_id < q->device_id);
    return by_device ? by_device : (p->peer_id > q->peer_id) - (p->peer_id < q->peer_id);
}

static enum ew_status collect(struct gantt *g, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (size_t c = 0; status == EW_OK && c < C_COUNT; c++) {
        status = ew_csv_table_need(&g->columns[c], g->table, COLUMNS[c], err);
    }
    for (size_t i = 0; status == EW_OK && i < g->table->n_rows; i++) {
        const struct ew_csv_row *row = &g->table->rows[i];
        if (!is_wanted(g, row)) {
            continue;
        }
        status = ew_vec_push(&g->rows, row) ? EW_OK : ew_fail_memory(err);
        if (status == EW_OK) {
            status = add_lane(g, row, false, false, err);
        }
        if (status == EW_OK && is_transfer(g, row)) {
            status = add_lane(g, row, false, true, err);
            status = status == EW_OK ? add_lane(g, row, true, false, err) : status;
        }
    }
    if (status == EW_OK && g->rows.count == 0) {
        return ew_fail(err, EW_EINPUT, "%s: nothing of run %llu, request %llu", g->table->path,
                       (unsigned long long)g->request->run,
                       (unsigned long long)g->request->request);
    }
    if (status == EW_OK) {
        qsort(g->lanes.items, g->lanes.count, sizeof *g->lanes.items, compare_lanes);
    }
    return status;
}

static size_t find_lane(const struct gantt *g, const char *device, const char *peer)
{
    size_t i = 0;
    while (i + 1 < g->lanes.count && !is_lane(&g->lanes.items[i], device, peer)) {
        i++;
    }
    return i;
}

static void put_bar(struct ew_str *out, const struct gantt *g, const struct ew_csv_row *row,
                    const char *part, const double span_s[2])
{
    const bool is_message = is_transfer(g, row);
    const char *device = cell(g, row, C_DEVICE), *peer = cell(g, row, C_PEER);
    struct ew_str name = {0};
    ew_str_printf(&name, "%s%s%s", device, is_message ? " → " : "", is_message ? peer : "");
    ew_str_printf(out, "%zu", find_lane(g, device, is_message ? peer : NULL));
    ew_plot_put_text(out, ew_str_text(&name));
    ew_plot_put_text(out, is_message ? "connection" : "device");
    ew_plot_put_text(out, part);
    ew_plot_put_number(out, span_s[0]);
    ew_plot_put_number(out, span_s[1]);
    ew_plot_put_text(out, cell(g, row, C_LAYER));
    ew_plot_put_text(out, cell(g, row, C_STRATEGY));
    ew_str_printf(out, ",%llu\n", (unsigned long long)g->request->request);
    out->failed = out->failed || name.failed;
    ew_str_fini(&name);
}

/* What a task is drawn as. */
static const char *part_of(const struct gantt *g, const struct ew_csv_row *row)
{
    const char *kind = cell(g, row, C_KIND), *class = cell(g, row, C_CLASS);
    if (strstr(kind, "_aborted")) {
        return "aborted";
    }
    if (strcmp(kind, "compute") != 0) {
        return strcmp(kind, "load") == 0 ? "load" : "overhead";
    }
    return strcmp(class, "conv") == 0 || strcmp(class, "fc") == 0 || strcmp(class, "pool") == 0
               ? class
               : "other";
}

static enum ew_status put_bars(struct ew_str *out, const struct gantt *g, double from_s,
                               struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < g->rows.count; i++) {
        const struct ew_csv_row *row = g->rows.items[i];
        double at_s[3] = {NAN, NAN, NAN};
        for (size_t k = 0; status == EW_OK && k < 3; k++) {
            status = ew_plot_number(&at_s[k], g->table, row, g->columns[C_START + k], err);
            at_s[k] -= from_s;
        }
        if (status == EW_OK && is_transfer(g, row)) {
            const double flow_s = isfinite(at_s[1]) ? at_s[1] : at_s[2];
            const bool is_whole = strcmp(cell(g, row, C_KIND), "transfer") == 0;
            put_bar(out, g, row, "latency", (const double[]){at_s[0], flow_s});
            put_bar(out, g, row, is_whole ? "bytes" : "aborted", (const double[]){flow_s, at_s[2]});
        } else if (status == EW_OK) {
            put_bar(out, g, row, part_of(g, row), (const double[]){at_s[0], at_s[2]});
        }
    }
    return status;
}

/* When the first of the rows begins. */
static enum ew_status first_begin(double *out, const struct gantt *g, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    *out = INFINITY;
    for (size_t i = 0; status == EW_OK && i < g->rows.count; i++) {
        double x = NAN;
        status = ew_plot_number(&x, g->table, g->rows.items[i], g->columns[C_START], err);
        *out = x < *out ? x : *out;
    }
    return status;
}

enum ew_status ew_plot_make_gantt(struct ew_str *out, const struct ew_csv_table *table,
                                  const struct ew_plot_request *request, struct ew_error *err)
{
    struct gantt g = {.table = table, .request = request};
    double from_s = 0;
    enum ew_status status = collect(&g, err);
    if (status == EW_OK) {
        status = first_begin(&from_s, &g, err);
    }
    if (status == EW_OK) {
        status = put_bars(out, &g, from_s, err);
    }
    ew_vec_fini(&g.lanes);
    ew_vec_fini(&g.rows);
    return status;
}
