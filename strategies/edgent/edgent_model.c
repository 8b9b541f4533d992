#include "edgent/edgent_model.h"

#include <math.h>

/* ------------------------------------------------------------------ Table II */

/* milliseconds = a * x1 + b * x2 + c; variables per layer type as in Table I. */
struct coefficients {
    double a;
    double b;
    double c;
};

/* Table II of arXiv:1806.07840v2. Its column heads are exchanged in print: the sums over Figure 3
 * and Figure 2 only fit with the larger coefficients on the mobile device. */
static const struct coefficients TABLE[EDGENT_OP_COUNT][EDGENT_SIDE_COUNT] = {
    [EDGENT_CONV] = {{6.03e-5, 1.24e-4, 1.89e-1}, {6.13e-3, 2.67e-2, -9.909}},
    [EDGENT_RELU] = {{5.6e-6, 0.0, 5.69e-2}, {1.5e-5, 0.0, 4.88e-1}},
    [EDGENT_POOL] = {{1.63e-5, 4.07e-6, 2.11e-1}, {1.33e-4, 3.31e-5, 1.657}},
    [EDGENT_LRN] = {{6.59e-5, 0.0, 7.80e-2}, {5.19e-4, 0.0, 5.89e-1}},
    [EDGENT_DROPOUT] = {{5.23e-6, 0.0, 4.64e-3}, {2.34e-6, 0.0, 0.0525}},
    [EDGENT_FC] = {{1.07e-4, -1.83e-4, 0.164}, {9.18e-4, 3.99e-3, 1.169}},
};

static const struct coefficients LOADING[EDGENT_SIDE_COUNT] = {{1.33e-6, 0.0, 2.182},
                                                               {4.49e-6, 0.0, 842.136}};

/* The regressions were fitted to 32-bit floats. */
static const double BYTES_PER_ELEMENT = 4.0;

static double evaluate_s(const struct coefficients *k, double x1, double x2)
{
    return fmax(0.0, k->a * x1 + k->b * x2 + k->c) * 1e-3;
}

double edgent_layer_s(const struct edgent_layer *layer, enum edgent_side side,
                      enum edgent_unit unit)
{
    double scale = unit == EDGENT_BYTES ? BYTES_PER_ELEMENT : 1.0;
    double x1 = layer->input_elements * scale;
    double x2 = layer->op == EDGENT_CONV ? layer->filter_ratio * layer->filters
                                         : layer->output_elements * scale;
    return evaluate_s(&TABLE[layer->op][side], x1, x2);
}

double edgent_load_s(double model_bytes, enum edgent_side side)
{
    return evaluate_s(&LOADING[side], model_bytes, 0.0);
}

/* ------------------------------------------------------------------ Algorithm 1 */

static double wire_s(const struct edgent_wire *wire, double bytes)
{
    return wire->message_s + bytes * wire->byte_s;
}

/* Transfers of A(exit, p), special cases as printed: a side that runs nothing receives nothing. */
static double transfers_s(const struct edgent_problem *problem, const struct edgent_exit *exit,
                          uint32_t p)
{
    bool has_front = p > 1;
    bool has_back = p <= exit->n_layers;
    bool ends_on_server = problem->is_device_first ? has_back : !has_back;
    double cut_bytes = has_front && has_back ? exit->output_bytes[p - 2] : 0.0;
    double seconds = 0.0;
    if (problem->is_device_first && has_back) {
        seconds = wire_s(&problem->up, has_front ? cut_bytes : problem->input_bytes);
    } else if (!problem->is_device_first && has_front) {
        seconds = wire_s(&problem->up, problem->input_bytes);
        seconds += has_back ? wire_s(&problem->down, cut_bytes) : 0.0;
    }
    if (ends_on_server && exit->answer_bytes > 0.0) {
        seconds += wire_s(&problem->down, exit->answer_bytes);
    }
    return seconds;
}

double edgent_latency_s(const struct edgent_problem *problem, uint32_t exit, uint32_t p)
{
    const struct edgent_exit *model = &problem->exits[exit];
    uint32_t n = model->n_layers;
    enum edgent_side front = problem->is_device_first ? EDGENT_DEVICE : EDGENT_SERVER;
    enum edgent_side back = problem->is_device_first ? EDGENT_SERVER : EDGENT_DEVICE;
    uint32_t device_only_p = problem->is_device_first ? n + 1 : 1;
    if (exit == 0 && p == device_only_p && problem->device_only_exit1_s > 0.0) {
        return problem->device_only_exit1_s;
    }
    if ((problem->is_alone && p != device_only_p) || (p > 1 && p <= n && !model->can_cut[p - 2])) {
        return INFINITY;
    }
    double seconds = model->load_s[front][p - 1] + model->load_s[back][p - 1];
    for (uint32_t k = 0; k < n; k++) {
        seconds += model->layer_s[k + 1 < p ? front : back][k];
    }
    return seconds + transfers_s(problem, model, p);
}

static struct edgent_choice choose_point(const struct edgent_problem *problem, uint32_t exit,
                                         enum edgent_selection selection)
{
    struct edgent_choice best = {.exit = exit, .latency_s = INFINITY};
    for (uint32_t p = 1; p <= problem->exits[exit].n_layers + 1; p++) {
        double latency_s = edgent_latency_s(problem, exit, p);
        if (latency_s < best.latency_s) {
            best.p = p;
            best.latency_s = latency_s;
        }
        if (selection == EDGENT_FIRST_FEASIBLE && isfinite(latency_s) &&
            latency_s <= problem->deadline_s) {
            best.p = p;
            best.latency_s = latency_s;
            break;
        }
    }
    best.meets_deadline = best.latency_s <= problem->deadline_s;
    return best;
}

struct edgent_choice edgent_choose(const struct edgent_problem *problem)
{
    for (uint32_t i = problem->n_exits; i-- > 0;) {
        struct edgent_choice choice = choose_point(problem, i, problem->selection);
        if (choice.meets_deadline) {
            return choice;
        }
    }
    return choose_point(problem, 0, EDGENT_ARGMIN);
}
