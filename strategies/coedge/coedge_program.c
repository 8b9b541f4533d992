#include "coedge/coedge_program.h"

#include <math.h>
#include <stdlib.h>

/* Columns: lambda_0.. then T_0... Rows: (l, i) at l * n_devices + i, then cover, then deadline. */
struct coedge_program {
    const struct coedge_problem *problem;
    struct clp_model *model;
    struct clp_problem lp;
    int *start;
    int *row;
    double *value;
    double *column_lower;
    double *column_upper;
    double *cost;
    double *row_lower;
    double *row_upper;
    double *x;
    double unit_s; /* seconds per unit of T in the program */
};

/* Clp's tolerances are absolute, so times are expressed in thousandths of the shortest
 * single-device run. */
static double choose_unit_s(const struct coedge_problem *problem)
{
    double shortest_s = INFINITY;
    for (uint32_t i = 0; i < problem->n_devices; i++) {
        double sum_s = 0.0;
        for (uint32_t l = 0; l < problem->n_layers; l++) {
            sum_s += coedge_share_cost(problem, l, i).s;
        }
        shortest_s = fmin(shortest_s, sum_s);
    }
    return shortest_s > 0.0 && isfinite(shortest_s) ? shortest_s / 1000.0 : 1.0;
}

static void build_matrix(struct coedge_program *program)
{
    const struct coedge_problem *problem = program->problem;
    uint32_t n = problem->n_devices;
    uint32_t layers = problem->n_layers;
    int cover = (int)(layers * n);
    int deadline = cover + 1;
    int at = 0;
    for (uint32_t i = 0; i < n; i++) {
        program->start[i] = at;
        for (uint32_t l = 0; l < layers; l++) {
            program->row[at] = (int)(l * n + i);
            program->value[at++] = coedge_share_cost(problem, l, i).s / program->unit_s;
        }
        program->row[at] = cover;
        program->value[at++] = 1.0;
    }
    for (uint32_t l = 0; l < layers; l++) {
        program->start[n + l] = at;
        for (uint32_t i = 0; i < n; i++) {
            program->row[at] = (int)(l * n + i);
            program->value[at++] = -1.0;
        }
        program->row[at] = deadline;
        program->value[at++] = 1.0;
    }
    program->start[n + layers] = at;
}

static void set_column_bounds(struct coedge_program *program,
                              const struct coedge_relaxation *relaxation)
{
    const struct coedge_problem *problem = program->problem;
    for (uint32_t i = 0; i < problem->n_devices; i++) {
        double most = (double)problem->devices[i].max_rows / problem->rows;
        double least = (double)problem->threshold_rows / problem->rows;
        program->column_lower[i] = relaxation->is_active[i] && relaxation->is_raised[i] ? least : 0;
        program->column_upper[i] = relaxation->is_active[i] ? fmin(most, 1.0) : 0.0;
    }
    for (uint32_t l = 0; l < problem->n_layers; l++) {
        program->column_lower[problem->n_devices + l] = 0.0;
        program->column_upper[problem->n_devices + l] = clp_infinity();
    }
}

static void set_row_bounds(struct coedge_program *program,
                           const struct coedge_relaxation *relaxation)
{
    const struct coedge_problem *problem = program->problem;
    uint32_t n = problem->n_devices;
    for (uint32_t l = 0; l < problem->n_layers; l++) {
        for (uint32_t i = 0; i < n; i++) {
            double fixed_s = relaxation->is_active[i]
                                 ? coedge_fixed_cost(problem, relaxation->is_active, NULL, l, i).s
                                 : -INFINITY;
            program->row_lower[l * n + i] = -clp_infinity();
            program->row_upper[l * n + i] =
                isfinite(fixed_s) ? -fixed_s / program->unit_s : clp_infinity();
        }
    }
    size_t cover = (size_t)problem->n_layers * n;
    program->row_lower[cover] = program->row_upper[cover] = 1.0;
    program->row_lower[cover + 1] = -clp_infinity();
    program->row_upper[cover + 1] =
        relaxation->has_deadline && isfinite(problem->deadline_s)
            ? (problem->deadline_s - coedge_constant_cost(problem).s) / program->unit_s
            : clp_infinity();
}

static double energy_per_share(const struct coedge_problem *problem, uint32_t device)
{
    double joules = 0.0;
    for (uint32_t l = 0; l < problem->n_layers; l++) {
        joules += coedge_share_cost(problem, l, device).j;
    }
    return joules;
}

/* Costs are scaled to about 1 per column, so that the tie-break stands above Clp's dual tolerance
 * of 1e-7 and below anything that matters. */
static void set_costs(struct coedge_program *program, bool minimises_latency)
{
    const double tie_latency = 1e-4;
    const double tie_energy = 1e-5;
    const struct coedge_problem *problem = program->problem;
    uint32_t n = problem->n_devices;
    double scale = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        program->cost[i] = minimises_latency ? 0.0 : energy_per_share(problem, i);
        scale = fmax(scale, program->cost[i]);
    }
    scale = scale > 0.0 ? scale : 1.0;
    for (uint32_t i = 0; i < n; i++) {
        double tie = minimises_latency ? tie_latency : tie_energy;
        program->cost[i] = program->cost[i] / scale + tie * i / n;
    }
    for (uint32_t l = 0; l < problem->n_layers; l++) {
        program->cost[n + l] =
            minimises_latency ? 1.0 : coedge_idle_w(problem) * program->unit_s / scale;
    }
}

static bool allocate(struct coedge_program *program)
{
    size_t n = program->problem->n_devices;
    size_t layers = program->problem->n_layers;
    size_t columns = n + layers;
    size_t rows = n * layers + 2;
    size_t entries = 2 * n * layers + columns;
    program->start = calloc(columns + 1, sizeof *program->start);
    program->row = calloc(entries, sizeof *program->row);
    program->value = calloc(entries, sizeof *program->value);
    program->column_lower = calloc(columns, sizeof *program->column_lower);
    program->column_upper = calloc(columns, sizeof *program->column_upper);
    program->cost = calloc(columns, sizeof *program->cost);
    program->row_lower = calloc(rows, sizeof *program->row_lower);
    program->row_upper = calloc(rows, sizeof *program->row_upper);
    program->x = calloc(columns, sizeof *program->x);
    program->lp = (struct clp_problem){
        .n_columns = (int)columns,
        .n_rows = (int)rows,
        .start = program->start,
        .row = program->row,
        .value = program->value,
        .column_lower = program->column_lower,
        .column_upper = program->column_upper,
        .cost = program->cost,
        .row_lower = program->row_lower,
        .row_upper = program->row_upper,
    };
    return program->start && program->row && program->value && program->column_lower &&
           program->column_upper && program->cost && program->row_lower && program->row_upper &&
           program->x;
}

struct coedge_program *coedge_program_new(const struct coedge_problem *problem,
                                          const struct clp *clp)
{
    struct coedge_program *program = calloc(1, sizeof *program);
    bool *nobody = calloc(problem->n_devices, sizeof *nobody);
    if (!program || !nobody) {
        free(program);
        free(nobody);
        return NULL;
    }
    program->problem = problem;
    program->unit_s = choose_unit_s(problem);
    if (allocate(program)) {
        struct coedge_relaxation relaxation = {.is_active = nobody, .is_raised = nobody};
        build_matrix(program);
        set_column_bounds(program, &relaxation);
        set_row_bounds(program, &relaxation);
        set_costs(program, true);
        program->model = clp_model_new(clp, &program->lp);
    }
    free(nobody);
    if (!program->model) {
        coedge_program_free(program);
        return NULL;
    }
    return program;
}

void coedge_program_free(struct coedge_program *program)
{
    if (!program) {
        return;
    }
    clp_model_free(program->model);
    free(program->start);
    free(program->row);
    free(program->value);
    free(program->column_lower);
    free(program->column_upper);
    free(program->cost);
    free(program->row_lower);
    free(program->row_upper);
    free(program->x);
    free(program);
}

/* Cost of real-valued shares, every halo from the neighbour. */
static struct coedge_cost relaxed_cost(const struct coedge_problem *problem, const bool *is_active,
                                       const double *shares)
{
    struct coedge_cost total = coedge_constant_cost(problem);
    for (uint32_t l = 0; l < problem->n_layers; l++) {
        double longest_s = 0.0;
        for (uint32_t i = 0; i < problem->n_devices; i++) {
            if (!is_active[i]) {
                continue;
            }
            struct coedge_cost part = coedge_share_cost(problem, l, i);
            struct coedge_cost fixed = coedge_fixed_cost(problem, is_active, NULL, l, i);
            longest_s = fmax(longest_s, shares[i] * part.s + fixed.s);
            total.j += shares[i] * part.j + fixed.j;
        }
        total.s += longest_s;
    }
    total.j += coedge_idle_w(problem) * total.s;
    return total;
}

enum clp_outcome coedge_program_relax(struct coedge_program *program,
                                      const struct coedge_relaxation *relaxation, double *shares,
                                      struct coedge_cost *cost)
{
    set_column_bounds(program, relaxation);
    set_row_bounds(program, relaxation);
    set_costs(program, relaxation->minimises_latency);
    clp_model_update(program->model, &program->lp);
    enum clp_outcome outcome = clp_model_solve(program->model, program->x);
    if (outcome == CLP_OPTIMAL) {
        for (uint32_t i = 0; i < program->problem->n_devices; i++) {
            shares[i] = fmax(0.0, program->x[i]);
        }
        *cost = relaxed_cost(program->problem, relaxation->is_active, shares);
    }
    return outcome;
}
