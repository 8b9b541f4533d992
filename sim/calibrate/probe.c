#include "calibrate/probe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/system.h"
#include "base/vec.h"
#include "calibrate/probe_threads.h"
#include "engine/exec/random_weights.h"

enum { SHARES = 3, MIN_LAYERS = 2, MIN_RUNS = 3, MAX_RUNS = 30, COPY_BYTES = 32 << 20, COPIES = 6 };

/* A row is timed until it has taken this long, so that the clock's grain does not matter. */
static const double ROW_S = 0.02;
static const double IDLE_S = 1;
static const char RAPL[] = "/sys/class/powercap/intel-rapl:0/energy_uj";

/* --- power and memory ------------------------------------------------------------------------ */

/* First number of a small file of the kernel; false when it cannot be read. */
static bool read_number(double *out, const char *path, const char *after)
{
    char text[4096] = "";
    FILE *file = fopen(path, "r");
    if (!file) {
        return false;
    }
    const size_t n = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[n] = '\0';
    const char *at = after ? strstr(text, after) : text;
    if (!at) {
        return false;
    }
    char *end = NULL;
    at += after ? strlen(after) : 0;
    *out = strtod(at, &end);
    return end != at && isfinite(*out);
}

/* Watts now from a sensor that shows power: hwmon in microwatts, INA3221 boards likewise. */
static bool read_sensor_w(double *out)
{
    for (int i = 0; i < 16; i++) {
        char path[96];
        double microwatts = 0;
        (void)snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d/power1_input", i);
        if (read_number(&microwatts, path, NULL) && microwatts > 0) {
            *out = microwatts * 1e-6;
            return true;
        }
    }
    return false;
}

static void sleep_s(double seconds)
{
    const struct timespec t = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
    (void)nanosleep(&t, NULL);
}

/* Energy counter since a begin, or the sensor's present figure. */
struct meter {
    double begin_j, begin_s;
    bool has_counter;
};

static struct meter meter_begin(void)
{
    struct meter m = {.begin_s = ew_now_s()};
    m.has_counter = read_number(&m.begin_j, RAPL, NULL);
    m.begin_j *= 1e-6;
    return m;
}

static double meter_w(const struct meter *m)
{
    double value = NAN;
    if (m->has_counter && read_number(&value, RAPL, NULL)) {
        const double joules = value * 1e-6 - m->begin_j;
        return joules > 0 ? joules / (ew_now_s() - m->begin_s) : NAN; /* the counter wraps */
    }
    return read_sensor_w(&value) ? value : NAN;
}

static void measure_idle(struct ew_probe *p)
{
    double ignored;
    const bool has_counter = read_number(&ignored, RAPL, NULL);
    if (!has_counter && !read_sensor_w(&ignored)) {
        return;
    }
    const struct meter meter = meter_begin();
    sleep_s(IDLE_S);
    p->idle_w = meter_w(&meter);
    p->power_source = has_counter ? "RAPL, processor package only" : "hwmon power1_input";
}

static enum ew_status measure_copies(struct ew_probe *p, struct ew_error *err)
{
    char *from = malloc(COPY_BYTES), *to = malloc(COPY_BYTES);
    double best_s = INFINITY;
    if (!from || !to) {
        free(from);
        free(to);
        return ew_fail_memory(err);
    }
    memset(from, 1, COPY_BYTES);
    for (int i = 0; i < COPIES; i++) { /* the first one maps the pages */
        const double begin_s = ew_now_s();
        memcpy(to, from, COPY_BYTES);
        best_s = i && to[i] ? fmin(best_s, ew_now_s() - begin_s) : best_s;
    }
    p->copy_bytes_per_s = COPY_BYTES / best_s;
    free(from);
    free(to);
    return EW_OK;
}

/* --- layers ---------------------------------------------------------------------------------- */

struct prober {
    struct ew_compute_data *data;
    const struct ew_kernels *kernels;
    size_t n_layers; /* each is a group of its own: networks share too few classes */
    struct ew_kernel_scratch scratch;
    EW_VEC(struct ew_compute_row) rows;
    EW_VEC(struct ew_layer_work) work;
};

/* Fastest of several runs of the piece `out`. */
static enum ew_status time_piece(double *best_s, struct prober *p,
                                 const struct ew_kernel_task *task,
                                 const struct ew_kernel_weights *weights, const struct ew_box *box,
                                 struct ew_error *err)
{
    struct ew_tensor in = {.box = ew_op_input_box(&task->layer, 0, box, NULL)};
    struct ew_tensor out = {.box = *box};
    in.values = ew_probe_values(&in.box);
    out.values = ew_probe_values(&out.box);
    enum ew_status status = in.values && out.values ? EW_OK : ew_fail_memory(err);
    double total_s = 0;
    *best_s = INFINITY;
    for (int i = 0; status == EW_OK && (i < MIN_RUNS || total_s < ROW_S) && i < MAX_RUNS; i++) {
        const double begin_s = ew_now_s();
        status = p->kernels->run(&out, p->kernels, task, weights, &in, &p->scratch, err);
        const double took_s = ew_now_s() - begin_s;
        total_s += took_s;
        *best_s = fmin(*best_s, took_s);
    }
    free(in.values);
    free(out.values);
    return status;
}

/* One layer, whole and as bands of a half and an eighth of its rows. */
static enum ew_status probe_layer(struct prober *p, const struct ew_graph *graph, uint32_t id,
                                  size_t group, struct ew_error *err)
{
    static const int32_t parts[SHARES] = {1, 2, 8};
    const struct ew_layer *layer = &graph->layers[id];
    const struct ew_random_weights random = {1};
    const struct ew_weight_source source = ew_random_weights_source(&random);
    const struct ew_kernel_task task = {
        .layer = ew_layer_view(layer), .layer_id = id, .channels = {0, layer->shape[EW_C]}};
    struct ew_kernel_weights *weights = NULL;
    enum ew_status status = p->kernels->prepare(&weights, p->kernels, &task, &source, err);
    for (int k = 0; status == EW_OK && k < SHARES; k++) {
        struct ew_cost_query query = {graph, layer, ew_box_full(layer->shape), NULL};
        struct ew_compute_row row = {.line = p->rows.count + 1, .group = group};
        struct ew_layer_work work;
        query.out.hi[EW_H] = layer->shape[EW_H] / parts[k];
        if (query.out.hi[EW_H] < 1 || (k && layer->op == EW_OP_FC) ||
            !ew_layer_work_of(&work, &query)) {
            continue;
        }
        row.n_rows = query.out.hi[EW_H];
        row.model = ew_arena_strdup(&p->data->arena, graph->name);
        row.layer = ew_arena_strdup(&p->data->arena, layer->name);
        status = row.model && row.layer
                     ? time_piece(&row.measured_s, p, &task, weights, &query.out, err)
                     : ew_fail_memory(err);
        if (status == EW_OK && (!ew_vec_push(&p->rows, row) || !ew_vec_push(&p->work, work))) {
            status = ew_fail_memory(err);
        }
    }
    p->kernels->release(weights);
    return status;
}

/* Layers in turns, one of each graph, so that a short probe sees every graph; some are
 * measured however late it is. */
static enum ew_status probe_layers(struct prober *p, const struct ew_graph *const *graphs,
                                   size_t n_graphs, double until_s, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    bool any = true;
    for (uint32_t id = 0; status == EW_OK && any; id++) {
        any = false;
        for (size_t g = 0;
             status == EW_OK && g < n_graphs && (p->n_layers < MIN_LAYERS || ew_now_s() < until_s);
             g++) {
            if (id >= graphs[g]->n_layers) {
                continue;
            }
            const enum ew_op op = graphs[g]->layers[id].op;
            any = true;
            if (op == EW_OP_CONV || op == EW_OP_FC) {
                status = probe_layer(p, graphs[g], id, p->n_layers++, err);
            }
        }
    }
    return status;
}

static enum ew_status keep(struct prober *p, struct ew_error *err)
{
    struct ew_compute_data *data = p->data;
    const size_t n = p->rows.count;
    if (n < 2) {
        return ew_fail(err, EW_EINPUT, "expected time for two layers at least, measured %zu", n);
    }
    data->path = "this machine";
    data->rows = ew_arena_calloc(&data->arena, n, sizeof *data->rows);
    data->work = ew_arena_calloc(&data->arena, n, sizeof *data->work);
    data->first_work = ew_arena_calloc(&data->arena, n + 1, sizeof *data->first_work);
    if (!data->rows || !data->work || !data->first_work) {
        return ew_fail_memory(err);
    }
    data->n_rows = n;
    data->n_groups = p->n_layers;
    data->has_layers = true;
    data->has_parts = true;
    data->range_macs[0] = INFINITY;
    for (size_t i = 0; i < n; i++) {
        data->rows[i] = p->rows.items[i];
        data->work[i] = p->work.items[i];
        data->first_work[i] = i;
        data->range_macs[0] = fmin(data->range_macs[0], data->work[i].macs);
        data->range_macs[1] = fmax(data->range_macs[1], data->work[i].macs);
    }
    data->first_work[n] = n;
    return EW_OK;
}

static const struct ew_kernels *first_available(void)
{
    for (uint32_t i = 0; ew_kernels_at(i); i++) {
        if (ew_kernels_at(i)->is_available(ew_kernels_at(i))) {
            return ew_kernels_at(i);
        }
    }
    return NULL;
}

enum ew_status ew_probe_measure(struct ew_probe *out, const struct ew_graph *const *graphs,
                                size_t n_graphs, double limit_s, struct ew_error *err)
{
    const double begin_s = ew_now_s();
    struct prober p = {.data = &out->data, .kernels = first_available()};
    double kilobytes = 0;
    if (!p.kernels) {
        return ew_fail(err, EW_ENOTSUP, "no kernels of this build run on this processor");
    }
    out->kernels = p.kernels->id;
    out->idle_w = out->busy_w = NAN;
    out->memory_bytes =
        read_number(&kilobytes, "/proc/meminfo", "MemTotal:") ? kilobytes * 1024 : 0;
    measure_idle(out);
    enum ew_status status = measure_copies(out, err);
    if (status == EW_OK) {
        status = ew_probe_measure_threads(out, p.kernels, graphs, n_graphs, err);
    }
    if (status == EW_OK) {
        const struct meter meter = meter_begin();
        status = probe_layers(&p, graphs, n_graphs, begin_s + limit_s, err);
        out->busy_w = out->power_source ? meter_w(&meter) : NAN;
    }
    if (status == EW_OK) {
        status = keep(&p, err);
    }
    ew_vec_fini(&p.rows);
    ew_vec_fini(&p.work);
    ew_kernel_scratch_fini(&p.scratch);
    if (status != EW_OK) {
        ew_probe_fini(out);
    }
    return status;
}

void ew_probe_fini(struct ew_probe *probe)
{
    ew_compute_data_fini(&probe->data);
    *probe = (struct ew_probe){0};
}

/* The profile is of one thread; what a runtime with more would gain. */
static void put_threads(struct ew_str *out, const struct ew_probe *probe)
{
    if (probe->n_threads < 2) {
        return;
    }
    ew_str_append(out, "<!-- threads, each a band of rows: ");
    for (uint32_t i = 1; i < probe->n_threads; i++) {
        ew_str_printf(out, "%s%u are %.2f times as fast as one", i > 1 ? ", " : "",
                      (unsigned)probe->threads[i].n, probe->threads[i].speedup);
    }
    ew_str_append(out, " -->\n");
}

void ew_probe_put_host(struct ew_str *out, const struct ew_probe *probe,
                       const struct ew_compute_fit *fit, const char *host, const char *profile)
{
    const double per_flop = fit->x[EW_RATE_CONV_3X3_S1];
    ew_str_printf(out,
                  "<!-- measured by 'edgeweave probe': %s kernels, one thread; memory copies "
                  "%.3g GB/s -->\n",
                  probe->kernels, probe->copy_bytes_per_s / 1e9);
    put_threads(out, probe);
    ew_str_printf(out, "<host id=\"%s\" speed=\"%.4gGf\">\n", host,
                  per_flop > 0 ? 1e-9 / per_flop : 1);
    ew_str_printf(out, "  <prop id=\"profile\" value=\"%s\"/>\n", profile);
    if (probe->memory_bytes > 0) {
        ew_str_printf(out, "  <prop id=\"memory_bytes\" value=\"%.0f\"/>\n", probe->memory_bytes);
    }
    if (probe->power_source && probe->idle_w > 0 && probe->busy_w >= probe->idle_w) {
        ew_str_printf(out, "  <!-- %s -->\n", probe->power_source);
        ew_str_printf(out, "  <prop id=\"wattage_per_state\" value=\"%.4g:%.4g:%.4g\"/>\n",
                      probe->idle_w, probe->idle_w, probe->busy_w);
    } else {
        ew_str_append(out, "  <!-- no power sensor could be read: enter wattage_per_state, "
                           "idle:epsilon:allcores in W, from a meter -->\n");
    }
    ew_str_append(out,
                  "  <!-- enter tx_w, rx_w and message_overhead_s; see 'edgeweave calibrate' -->\n"
                  "</host>\n");
}
