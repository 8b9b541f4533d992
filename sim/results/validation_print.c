#include <math.h>

#include "base/file.h"
#include "base/json_writer.h"
#include "results/csv_file.h"
#include "results/grid.h"
#include "results/validation.h"

enum { WIDTH = 110, N_SHOWN_PARTS = 3 };

/* --- table ----------------------------------------------------------------------------------- */

static const char *cell_seconds(struct ew_grid *grid, double seconds)
{
    char text[32] = "-";
    if (isfinite(seconds)) {
        ew_human_seconds(text, seconds);
    }
    return ew_grid_format(grid, "%s", text);
}

static const char *cell_error(struct ew_grid *grid, double ratio)
{
    if (!isfinite(ratio)) {
        return "-";
    }
    const double percent = fabs(ratio) < 5e-5 ? 0 : 100 * ratio;
    return ew_grid_format(grid, "%+.2f %%", percent);
}

/* "equal" bits, "within 3e-7", or how many are wrong. */
static const char *cell_answers(struct ew_grid *grid, const struct ew_validation_answers *a)
{
    if (a->n_out_of_range) {
        return ew_grid_format(grid, "%llu of %llu WRONG", (unsigned long long)a->n_out_of_range,
                              (unsigned long long)a->n);
    }
    return a->n == 0            ? "-"
           : a->n == a->n_equal ? "equal"
                                : ew_grid_format(grid, "to %.1e", a->max_difference);
}

static void add_note(struct ew_grid *grid, struct ew_grid_row *row, const struct ew_validation *v)
{
    struct ew_str text = {0};
    size_t n_shown = 0;
    for (size_t i = 0; i < v->parts.count && n_shown < N_SHOWN_PARTS; i++) {
        const struct ew_validation_part *p = &v->parts.items[i];
        char difference[32];
        const double seconds = p->exec_s - p->simgrid_s;
        if (fabs(seconds) < 1e-6) {
            break;
        }
        ew_human_seconds(difference, fabs(seconds));
        ew_str_printf(&text, "%s%s '%s' %s%s in %llu %s",
                      n_shown ? ", " : "differs: ", p->is_link ? "link" : "layer", p->name,
                      seconds < 0 ? "-" : "+", difference, (unsigned long long)p->n,
                      p->is_link ? "messages" : "tasks");
        n_shown++;
    }
    if (v->run.is_late) {
        ew_str_printf(&text, "%slate: this machine did not keep up (%.3g s of %.3g s)",
                      n_shown ? "; " : "", v->run.slipped_s, v->run.wall_s);
    }
    if (text.length) {
        row->note = ew_grid_format(grid, "%s", ew_str_text(&text));
    }
    ew_str_fini(&text);
}

static void add_row(struct ew_grid *grid, const struct ew_validation *v)
{
    struct ew_grid_row *row = ew_grid_add(grid);
    if (!row) {
        return;
    }
    row->cells[0] = v->strategy;
    if (v->error) {
        row->text = v->error;
        return;
    }
    uint32_t i = 1;
    row->cells[i++] = cell_answers(grid, &v->answers);
    row->cells[i++] = cell_seconds(grid, v->results[EW_VALIDATE_SIMGRID]->service.latency.mean_s);
    row->cells[i++] = cell_error(grid, ew_validation_latency_error(v, EW_VALIDATE_FAST));
    row->cells[i++] = cell_error(grid, ew_validation_latency_error(v, EW_VALIDATE_EXEC));
    row->cells[i++] = cell_error(grid, ew_validation_energy_error(v, EW_VALIDATE_EXEC));
    row->cells[i++] = cell_seconds(grid, v->p95_late_s);
    row->cells[i++] = cell_seconds(grid, v->max_late_s);
    row->cells[i++] = ew_grid_format(grid, "%.3g", v->run.dilation);
    add_note(grid, row, v);
}

void ew_validation_print_table(struct ew_str *out, const struct ew_validation *rows, size_t n)
{
    static const char *const head[] = {"strategy",    "answers",  "simgrid",  "fast",    "exec",
                                       "exec energy", "task p95", "task max", "dilation"};
    struct ew_grid grid = {.n_columns = sizeof head / sizeof *head};
    struct ew_grid_row *row = ew_grid_add(&grid);
    for (uint32_t i = 0; row && i < grid.n_columns; i++) {
        row->cells[i] = head[i];
    }
    for (size_t i = 0; i < n; i++) {
        add_row(&grid, &rows[i]);
    }
    ew_grid_print(out, &grid, WIDTH);
    ew_grid_fini(&grid);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void put_engine(struct ew_json *j, const struct ew_validation *v,
                       enum ew_validation_engine e)
{
    const struct ew_result *r = v->results[e];
    ew_json_object_begin(j);
    ew_json_kv_string(j, "engine", ew_validation_engine_name(e));
    ew_json_kv_u64(j, "completed", r->service.counts.completed);
    ew_json_kv_double(j, "latency_mean_s", r->service.latency.mean_s);
    ew_json_kv_double(j, "latency_max_s", r->service.latency.max_s);
    ew_json_kv_double(j, "energy_j", r->has_energy ? r->energy_j : NAN);
    ew_json_kv_double(j, "dynamic_energy_j", r->has_energy ? r->dynamic_energy_j : NAN);
    ew_json_kv_double(j, "latency_error_ratio", ew_validation_latency_error(v, e));
    ew_json_kv_double(j, "energy_error_ratio", ew_validation_energy_error(v, e));
    ew_json_object_end(j);
}

static void put_answers(struct ew_json *j, const struct ew_validation_answers *a)
{
    ew_json_key(j, "answers");
    ew_json_object_begin(j);
    ew_json_kv_u64(j, "compared", a->n);
    ew_json_kv_u64(j, "equal_bits", a->n_equal);
    ew_json_kv_double(j, "max_relative_difference", a->max_difference);
    ew_json_kv_double(j, "tolerance", a->tolerance);
    ew_json_kv_u64(j, "out_of_tolerance", a->n_out_of_range);
    ew_json_object_end(j);
}

static void put_run(struct ew_json *j, const struct ew_validation *v)
{
    ew_json_key(j, "execution");
    ew_json_object_begin(j);
    ew_json_kv_double(j, "wall_s", v->run.wall_s);
    ew_json_kv_double(j, "compute_s", v->run.compute_s);
    ew_json_kv_double(j, "dilation", v->run.dilation);
    ew_json_kv_u64(j, "overruns", v->run.n_overruns);
    ew_json_kv_double(j, "slipped_s", v->run.slipped_s);
    ew_json_kv_double(j, "link_lag_ratio", v->run.link_lag_ratio);
    ew_json_kv_bool(j, "is_late", v->run.is_late);
    ew_json_kv_u64(j, "pinned_workers", v->run.n_pinned);
    ew_json_object_end(j);
}

static void put_tasks(struct ew_json *j, const struct ew_validation *v)
{
    ew_json_key(j, "tasks");
    ew_json_object_begin(j);
    ew_json_kv_u64(j, "compared", v->n_tasks);
    ew_json_kv_u64(j, "unmatched", v->n_unmatched);
    ew_json_kv_double(j, "end_error_median_s", v->median_late_s);
    ew_json_kv_double(j, "end_error_p95_s", v->p95_late_s);
    ew_json_kv_double(j, "end_error_max_s", v->max_late_s);
    ew_json_kv_double(j, "fast_end_error_max_s", v->fast_max_late_s);
    ew_json_object_end(j);
}

static void put_parts(struct ew_json *j, const struct ew_validation *v)
{
    ew_json_key(j, "parts");
    ew_json_array_begin(j);
    for (size_t i = 0; i < v->parts.count; i++) {
        const struct ew_validation_part *p = &v->parts.items[i];
        ew_json_object_begin_inline(j);
        ew_json_kv_string(j, "kind", p->is_link ? "link" : "layer");
        ew_json_kv_string(j, "name", p->name);
        if (p->workload) {
            ew_json_kv_string(j, "workload", p->workload);
        }
        ew_json_kv_u64(j, "n", p->n);
        ew_json_kv_double(j, "simgrid_s", p->simgrid_s);
        ew_json_kv_double(j, "exec_s", p->exec_s);
        ew_json_kv_double(j, "difference_s", p->exec_s - p->simgrid_s);
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

static void put_row(struct ew_json *j, const struct ew_validation *v)
{
    ew_json_object_begin(j);
    ew_json_kv_string(j, "strategy", v->strategy);
    ew_json_kv_string(j, "error", v->error);
    if (!v->error) {
        put_answers(j, &v->answers);
        ew_json_key(j, "engines");
        ew_json_array_begin(j);
        for (int e = 0; e < EW_VALIDATE_COUNT; e++) {
            put_engine(j, v, (enum ew_validation_engine)e);
        }
        ew_json_array_end(j);
        put_tasks(j, v);
        put_run(j, v);
        put_parts(j, v);
    }
    ew_json_object_end(j);
}

void ew_validation_print_json(struct ew_str *out, const struct ew_validation_header *header,
                              const struct ew_validation *rows, size_t n)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_i64(&j, "schema", EW_REPORT_SCHEMA);
    ew_json_key(&j, "header");
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "version", header->version);
    ew_json_key(&j, "command");
    ew_json_array_begin_inline(&j);
    for (uint32_t i = 0; i < header->n_args; i++) {
        ew_json_string(&j, header->args[i]);
    }
    ew_json_array_end(&j);
    ew_json_kv_string(&j, "platform", header->platform->path);
    ew_json_kv_u64(&j, "devices", header->platform->n_devices);
    ew_json_key(&j, "graphs");
    ew_json_array_begin_inline(&j);
    for (uint32_t i = 0; i < header->n_workloads; i++) {
        ew_json_string(&j, header->graphs[i]);
    }
    ew_json_array_end(&j);
    ew_json_kv_string(&j, "net", header->net);
    ew_json_kv_string(&j, "kernels", header->kernels);
    ew_json_kv_string(&j, "network", header->network);
    ew_json_kv_u64(&j, "seed", header->seed);
    ew_json_object_end(&j);
    ew_json_key(&j, "runs");
    ew_json_array_begin(&j);
    for (size_t i = 0; i < n; i++) {
        put_row(&j, &rows[i]);
    }
    ew_json_array_end(&j);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}

/* --- CSV ------------------------------------------------------------------------------------- */

static void put_csv_row(struct ew_csv_file *f, const struct ew_validation *v)
{
    ew_csv_text(f, v->strategy);
    ew_csv_text(f, v->error);
    if (v->error) {
        for (int i = 0; i < 19; i++) {
            ew_csv_empty(f);
        }
        ew_csv_row_end(f);
        return;
    }
    ew_csv_u64(f, v->answers.n);
    ew_csv_u64(f, v->answers.n_equal);
    ew_csv_double(f, v->answers.max_difference);
    ew_csv_double(f, v->answers.tolerance);
    for (int e = 0; e < EW_VALIDATE_COUNT; e++) {
        ew_csv_double(f, v->results[e]->service.latency.mean_s);
    }
    for (int e = 0; e < EW_VALIDATE_COUNT; e++) {
        ew_csv_double(f, v->results[e]->has_energy ? v->results[e]->energy_j : NAN);
    }
    ew_csv_u64(f, v->n_tasks);
    ew_csv_double(f, v->median_late_s);
    ew_csv_double(f, v->p95_late_s);
    ew_csv_double(f, v->max_late_s);
    ew_csv_double(f, v->run.dilation);
    ew_csv_u64(f, v->run.n_overruns);
    ew_csv_double(f, v->run.slipped_s);
    ew_csv_double(f, v->run.link_lag_ratio);
    ew_csv_bool(f, v->run.is_late);
    ew_csv_row_end(f);
}

static void put_csv_parts(struct ew_csv_file *f, const struct ew_validation *v)
{
    for (size_t i = 0; i < v->parts.count; i++) {
        const struct ew_validation_part *p = &v->parts.items[i];
        ew_csv_text(f, v->strategy);
        ew_csv_text(f, p->workload);
        ew_csv_text(f, p->is_link ? "link" : "layer");
        ew_csv_text(f, p->name);
        ew_csv_u64(f, p->n);
        ew_csv_double(f, p->simgrid_s);
        ew_csv_double(f, p->exec_s);
        ew_csv_row_end(f);
    }
}

/* The span of the same task in another run; NULL. `at` only moves on. */
static const struct ew_span *find_span(const struct ew_spans *spans, size_t *at,
                                       const struct ew_span *wanted)
{
    while (*at < spans->items.count && ew_span_compare(&spans->items.items[*at], wanted) < 0) {
        ++*at;
    }
    const bool is_there =
        *at < spans->items.count && ew_span_compare(&spans->items.items[*at], wanted) == 0;
    return is_there ? &spans->items.items[*at] : NULL;
}

static void put_csv_tasks(struct ew_csv_file *f, const struct ew_validation *rows, size_t row,
                          const struct ew_platform *platform, ew_span_namer namer, void *namer_ctx)
{
    const struct ew_validation *v = &rows[row];
    size_t at[EW_VALIDATE_COUNT] = {0};
    for (size_t i = 0; !v->error && i < v->spans[EW_VALIDATE_SIMGRID].items.count; i++) {
        const struct ew_span *s = &v->spans[EW_VALIDATE_SIMGRID].items.items[i];
        ew_csv_text(f, v->strategy);
        ew_csv_u64(f, s->workload);
        ew_csv_u64(f, s->job);
        ew_csv_u64(f, s->node);
        ew_csv_text(f, s->peer == EW_NONE ? "task" : "message");
        ew_csv_text(f, namer(namer_ctx, row, s));
        ew_csv_text(f, platform->devices[s->device].name);
        ew_csv_text(f, s->peer == EW_NONE ? NULL : platform->devices[s->peer].name);
        for (int e = 0; e < EW_VALIDATE_COUNT; e++) {
            const struct ew_span *own = find_span(&v->spans[e], &at[e], s);
            ew_csv_double(f, own ? own->start_s : NAN);
            ew_csv_double(f, own ? own->end_s : NAN);
        }
        ew_csv_row_end(f);
    }
}

enum ew_status ew_validation_write_csv(const struct ew_validation *rows, size_t n,
                                       const struct ew_platform *platform, ew_span_namer namer,
                                       void *namer_ctx, const char *dir, struct ew_error *err)
{
    static const struct {
        const char *name, *header;
    } files[] = {
        {"validation.csv",
         "strategy,error,answers,answers_equal,max_relative_difference,tolerance,"
         "simgrid_latency_s,fast_latency_s,exec_latency_s,simgrid_energy_j,fast_energy_j,"
         "exec_energy_j,tasks,end_error_median_s,end_error_p95_s,end_error_max_s,dilation,overruns,"
         "slipped_s,link_lag_ratio,is_late"},
        {"validation_parts.csv", "strategy,workload,kind,name,n,simgrid_s,exec_s"},
        {"validation_tasks.csv",
         "strategy,workload,job,node,kind,layer,device,peer,simgrid_start_s,simgrid_end_s,"
         "fast_start_s,fast_end_s,exec_start_s,exec_end_s"},
    };
    enum ew_status status = ew_dir_make(dir, err);
    for (size_t k = 0; k < sizeof files / sizeof *files && status == EW_OK; k++) {
        struct ew_csv_file f = {0};
        status = ew_csv_file_open(&f, dir, files[k].name, files[k].header, err);
        for (size_t i = 0; i < n && status == EW_OK; i++) {
            if (k == 0) {
                put_csv_row(&f, &rows[i]);
            } else if (k == 1) {
                put_csv_parts(&f, &rows[i]);
            } else {
                put_csv_tasks(&f, rows, i, platform, namer, namer_ctx);
            }
        }
        status = status ? status : ew_csv_file_publish(&f, err);
        ew_csv_file_fini(&f);
    }
    return status;
}
