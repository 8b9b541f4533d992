#include "deeperthings/deeper_ilp.h"

#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------------ costs */

/* o, f, i, s, and the correction of a LOP whose output is reused, its reader's included. */
static double outputs_cost(const struct deeper_layer *layer, double n)
{
    return layer->input * (n - 1.0) + layer->parts * (n - 1.0) / n;
}

static double inputs_cost(const struct deeper_layer *layer, double n)
{
    return layer->input * (n - 1.0) / n + layer->sum * (n - 1.0);
}

static double reuse_cost(const struct deeper_layer *layer, const struct deeper_layer *next,
                         double n)
{
    return layer->parts * (n - 1.0) - layer->parts * (n - 1.0) / n - next->input * (n - 1.0);
}

static double way_cost(const struct deeper_layer *layer, enum deeper_way way, double n)
{
    switch (way) {
    case DEEPER_OUTPUTS:
        return outputs_cost(layer, n);
    case DEEPER_INPUTS:
        return inputs_cost(layer, n);
    case DEEPER_FIRST:
        return layer->input * (n - 1.0);
    case DEEPER_SECOND:
        return layer->sum * (n - 1.0);
    default:
        return 0.0;
    }
}

static bool may_be(const struct deeper_layer *layers, uint32_t n, uint32_t l, enum deeper_way way)
{
    const bool is_second = layers[l].has_weights && layers[l].can_sum && layers[l].is_linked &&
                           l > 0 && layers[l - 1].has_weights;
    switch (way) {
    case DEEPER_WHOLE:
        return !layers[l].has_weights;
    case DEEPER_OUTPUTS:
        return layers[l].has_weights;
    case DEEPER_INPUTS:
        return layers[l].has_weights && layers[l].can_sum;
    case DEEPER_SECOND:
        return is_second;
    default:
        return layers[l].has_weights && l + 1 < n && may_be(layers, n, l + 1, DEEPER_SECOND);
    }
}

double deeper_elements(bool *is_reused, const enum deeper_way *way,
                       const struct deeper_layer *layers, uint32_t n, uint32_t n_nodes)
{
    double sum = 0.0;
    for (uint32_t l = 0; l < n; l++) {
        const bool is_second = way[l] == DEEPER_SECOND;
        if (!may_be(layers, n, l, way[l]) || is_second != (l > 0 && way[l - 1] == DEEPER_FIRST)) {
            return INFINITY;
        }
        is_reused[l] = way[l] == DEEPER_OUTPUTS && l + 1 < n && layers[l + 1].is_linked &&
                       (way[l + 1] == DEEPER_OUTPUTS || way[l + 1] == DEEPER_FIRST);
        sum += way_cost(&layers[l], way[l], n_nodes);
        sum += is_reused[l] ? reuse_cost(&layers[l], &layers[l + 1], n_nodes) : 0.0;
    }
    return sum;
}

/* ------------------------------------------------------------------ ways */

enum { N_WAYS = DEEPER_SECOND + 1, N_COLUMNS = N_WAYS + 1 };

/* Column of a way, or of r (way N_WAYS), of layer l. */
static int column_of(uint32_t l, int way)
{
    return (int)l * N_COLUMNS + way;
}

static void add_columns(struct cbc_program *program, const struct deeper_layer *layers, uint32_t n,
                        uint32_t l, double n_nodes)
{
    for (int way = 0; way < N_WAYS; way++) {
        const bool is_possible = may_be(layers, n, l, (enum deeper_way)way);
        cbc_program_column(program,
                           is_possible ? way_cost(&layers[l], (enum deeper_way)way, n_nodes) : 0.0,
                           is_possible ? 1.0 : 0.0, true);
    }
    const bool has_reader = l + 1 < n && layers[l + 1].is_linked;
    cbc_program_column(program, has_reader ? reuse_cost(&layers[l], &layers[l + 1], n_nodes) : 0.0,
                       has_reader ? 1.0 : 0.0, true);
}

/* One way each; s follows f; r_l = o_l and (o_(l+1) or f_(l+1)). */
static void add_rows(struct cbc_program *program, uint32_t n, uint32_t l)
{
    const int one = cbc_program_row(program, 1.0, 1.0);
    for (int way = 0; way < N_WAYS; way++) {
        cbc_program_term(program, one, column_of(l, way), 1.0);
    }
    if (l + 1 == n) {
        return;
    }
    const int pair = cbc_program_row(program, 0.0, 0.0);
    cbc_program_term(program, pair, column_of(l, DEEPER_FIRST), 1.0);
    cbc_program_term(program, pair, column_of(l + 1, DEEPER_SECOND), -1.0);
    const int is_parts = cbc_program_row(program, -cbc_infinity(), 0.0);
    cbc_program_term(program, is_parts, column_of(l, N_WAYS), 1.0);
    cbc_program_term(program, is_parts, column_of(l, DEEPER_OUTPUTS), -1.0);
    const int is_read = cbc_program_row(program, -cbc_infinity(), 0.0);
    cbc_program_term(program, is_read, column_of(l, N_WAYS), 1.0);
    cbc_program_term(program, is_read, column_of(l + 1, DEEPER_OUTPUTS), -1.0);
    cbc_program_term(program, is_read, column_of(l + 1, DEEPER_FIRST), -1.0);
}

/* r may not stay behind where both hold, which matters only where reuse costs more. */
static void force_reuse(struct cbc_program *program, const struct deeper_layer *layers, uint32_t n,
                        uint32_t l)
{
    if (l + 1 == n || !layers[l + 1].is_linked) {
        return;
    }
    const int both = cbc_program_row(program, -cbc_infinity(), 1.0);
    cbc_program_term(program, both, column_of(l, DEEPER_OUTPUTS), 1.0);
    cbc_program_term(program, both, column_of(l + 1, DEEPER_OUTPUTS), 1.0);
    cbc_program_term(program, both, column_of(l + 1, DEEPER_FIRST), 1.0);
    cbc_program_term(program, both, column_of(l, N_WAYS), -1.0);
}

enum cbc_outcome deeper_choose_ways(enum deeper_way *way, bool *is_reused, double *elements,
                                    const struct deeper_layer *layers, uint32_t n, uint32_t n_nodes,
                                    const struct cbc *cbc)
{
    struct cbc_program *program = cbc_program_new();
    double *x = calloc((size_t)n * N_COLUMNS + 1, sizeof *x);
    enum cbc_outcome outcome = CBC_NO_MEMORY;
    for (uint32_t l = 0; l < n && program; l++) {
        add_columns(program, layers, n, l, n_nodes);
    }
    for (uint32_t l = 0; l < n && program; l++) {
        add_rows(program, n, l);
        force_reuse(program, layers, n, l);
    }
    if (program && x) {
        outcome = cbc_program_minimise(x, program, cbc);
    }
    for (uint32_t l = 0; l < n && outcome == CBC_OPTIMAL; l++) {
        for (int w = 0; w < N_WAYS; w++) {
            way[l] = x[column_of(l, w)] > 0.5 ? (enum deeper_way)w : way[l];
        }
    }
    if (outcome == CBC_OPTIMAL) {
        *elements = deeper_elements(is_reused, way, layers, n, n_nodes);
    }
    cbc_program_free(program);
    free(x);
    return outcome;
}

/* ------------------------------------------------------------------ the break */

double deeper_memory(const struct deeper_part *parts, uint32_t n, uint32_t n_nodes,
                     uint32_t n_tiled)
{
    double most = 0.0, weights = 0.0;
    for (uint32_t l = 0; l < n; l++) {
        most = fmax(most, l < n_tiled ? parts[l].maps / n_nodes : parts[l].maps);
        weights += l < n_tiled ? parts[l].weights : parts[l].weights / n_nodes;
    }
    return most + weights;
}

/* z >= a_l, as  z - (maps - maps / N) b_l >= maps / N;  b_l >= b_(l-1). Column 0 is z. */
static void add_break(struct cbc_program *program, const struct deeper_part *parts, uint32_t n,
                      double n_nodes)
{
    double most = 0.0;
    for (uint32_t l = 0; l < n; l++) {
        most = fmax(most, parts[l].maps);
    }
    cbc_program_column(program, 1.0, most, false);
    for (uint32_t l = 0; l < n; l++) {
        const int b =
            cbc_program_column(program, parts[l].weights / n_nodes - parts[l].weights, 1.0, true);
        const int greatest = cbc_program_row(program, parts[l].maps / n_nodes, cbc_infinity());
        cbc_program_term(program, greatest, 0, 1.0);
        cbc_program_term(program, greatest, b, parts[l].maps / n_nodes - parts[l].maps);
        if (!parts[l].can_tile) {
            cbc_program_term(program, cbc_program_row(program, 1.0, 1.0), b, 1.0);
        }
        if (l > 0) {
            const int rises = cbc_program_row(program, 0.0, 1.0);
            cbc_program_term(program, rises, b, 1.0);
            cbc_program_term(program, rises, b - 1, -1.0);
        }
    }
}

enum cbc_outcome deeper_choose_break(uint32_t *n_tiled, const struct deeper_part *parts, uint32_t n,
                                     uint32_t n_nodes, const struct cbc *cbc)
{
    struct cbc_program *program = cbc_program_new();
    double *x = calloc((size_t)n + 1, sizeof *x);
    enum cbc_outcome outcome = CBC_NO_MEMORY;
    if (program && x) {
        add_break(program, parts, n, n_nodes);
        outcome = cbc_program_minimise(x, program, cbc);
    }
    if (outcome == CBC_OPTIMAL) {
        *n_tiled = 0;
        while (*n_tiled < n && x[*n_tiled + 1] < 0.5) {
            ++*n_tiled;
        }
    }
    cbc_program_free(program);
    free(x);
    return outcome;
}
