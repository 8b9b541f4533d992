/*
 * Properties of lowering and checking on random graphs, platforms and plans, against element-wise
 * counting that shares no code with the lowering.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/op.h"
#include "plan/check.h"
#include "plan/lower.h"
#include "support/random_scenario.h"
#include "support/suite.h"

static uint64_t n_scenarios(void)
{
    return test_count(150, 2000, 60);
}

/* Calls `visit` with each element of a box of a layer as a flat index (images count from the
 * segment's first one). */
static void each_element(const struct ew_box *box, const struct ew_layer *layer,
                         void (*visit)(void *ctx, size_t element), void *ctx)
{
    for (int32_t n = box->lo[0]; n < box->hi[0]; n++) {
        for (int32_t c = box->lo[1]; c < box->hi[1]; c++) {
            for (int32_t h = box->lo[2]; h < box->hi[2]; h++) {
                for (int32_t w = box->lo[3]; w < box->hi[3]; w++) {
                    visit(ctx, (((size_t)n * (size_t)layer->shape[1] + (size_t)c) *
                                    (size_t)layer->shape[2] +
                                (size_t)h) *
                                       (size_t)layer->shape[3] +
                                   (size_t)w);
                }
            }
        }
    }
}

struct marks {
    unsigned char *held;
    uint64_t n;
};

static void mark(void *ctx, size_t element)
{
    struct marks *marks = ctx;
    marks->n += !marks->held[element];
    marks->held[element] = 1;
}

static size_t layer_size(const struct ew_plan *plan, const struct ew_layer *layer)
{
    return (size_t)plan->batch * layer->elements;
}

static const struct ew_graph *graph_of(const struct ew_plan_context *context,
                                       const struct ew_plan *plan, uint32_t segment)
{
    return ew_segment_graph(context->graph, &plan->segments[segment]);
}

static bool holds(const struct ew_piece *piece, uint32_t segment, uint32_t layer)
{
    return piece->segment == segment && piece->layer == layer && piece->role != EW_PIECE_PARTIAL;
}

/* Elements computed by somebody, over all segments and layers. */
static uint64_t count_union(const struct ew_plan_context *context, const struct ew_plan *plan)
{
    uint64_t total = 0;
    for (uint32_t s = 0; s < plan->n_segments; s++) {
        const struct ew_graph *graph = graph_of(context, plan, s);
        for (uint32_t l = 0; l < graph->n_layers; l++) {
            struct marks marks = {calloc(layer_size(plan, &graph->layers[l]) + 1, 1), 0};
            for (uint32_t p = 0; p < plan->n_pieces; p++) {
                if (holds(&plan->pieces[p], s, l)) {
                    each_element(&plan->pieces[p].box, &graph->layers[l], mark, &marks);
                }
            }
            total += marks.n;
            free(marks.held);
        }
    }
    return total;
}

START_TEST(computed_elements_are_needed_ones_plus_counted_redundancy)
{
    for (uint32_t i = 0; i < n_scenarios(); i++) {
        struct random_scenario *scenario = random_scenario_new(1000 + i);
        for (uint32_t w = 0; w < scenario->run.n_workloads; w++) {
            const struct random_workload *part = &scenario->parts[w];
            for (uint32_t k = 0; k < part->book->n_plans; k++) {
                const struct ew_plan *plan = part->book->plans[k];
                const struct ew_plan_stats *stats = &part->task_graphs[k]->stats;
                uint64_t computed = 0;
                for (uint32_t p = 0; p < plan->n_pieces; p++) {
                    computed += plan->pieces[p].role == EW_PIECE_PARTIAL
                                    ? 0
                                    : ew_box_volume(&plan->pieces[p].box);
                }
                ck_assert_uint_eq(stats->computed_elements, computed);
                ck_assert_uint_eq(stats->needed_elements, count_union(&part->context, plan));
            }
        }
        random_scenario_free(scenario);
    }
}
END_TEST

/* --- messages, element by element --------------------------------------------------------------
 */

/** Elements of one layer that must travel: [source piece * n_devices + reader device] sets. */
struct traffic {
    const struct ew_plan_context *context;
    const struct ew_plan *plan;
    uint32_t segment, layer;    /* producing layer */
    uint32_t device, chain;     /* of the reader */
    unsigned char **travelling; /* per (holder, device): one flag per element */
    uint32_t n_holders;         /* the plan's pieces, then the input */
    uint64_t n_uncovered;
};

static bool has_element(const struct ew_box *box, const struct ew_layer *layer, size_t element)
{
    const size_t w = (size_t)layer->shape[3], h = (size_t)layer->shape[2],
                 c = (size_t)layer->shape[1];
    const int32_t at[EW_DIMS] = {(int32_t)(element / (w * h * c)), (int32_t)(element / (w * h) % c),
                                 (int32_t)(element / w % h), (int32_t)(element % w)};
    for (int d = 0; d < EW_DIMS; d++) {
        if (at[d] < box->lo[d] || at[d] >= box->hi[d]) {
            return false;
        }
    }
    return true;
}

/* The rule of the model: own chain, else own device, else the lowest number. */
static void fetch(void *ctx, size_t element)
{
    struct traffic *t = ctx;
    const struct ew_graph *graph = graph_of(t->context, t->plan, t->segment);
    const struct ew_layer *layer = &graph->layers[t->layer];
    uint32_t holder = EW_NONE, from = 0;
    int best = 3;
    if (layer->op == EW_OP_INPUT) {
        holder = t->plan->n_pieces + t->segment * graph->n_layers + t->layer;
        from = t->plan->source_device;
    }
    for (uint32_t p = 0; p < t->plan->n_pieces && layer->op != EW_OP_INPUT; p++) {
        const struct ew_piece *piece = &t->plan->pieces[p];
        const int rank = t->chain != EW_NONE && piece->chain == t->chain ? 0
                         : piece->device == t->device                    ? 1
                                                                         : 2;
        if (rank < best && holds(piece, t->segment, t->layer) &&
            has_element(&piece->box, layer, element)) {
            best = rank;
            holder = p;
            from = piece->device;
        }
    }
    if (holder == EW_NONE) {
        t->n_uncovered++;
        return;
    }
    if (from == t->device) {
        return;
    }
    const uint32_t n_devices = t->context->platform->n_devices;
    unsigned char **set = &t->travelling[(size_t)holder * n_devices + t->device];
    if (!*set) {
        *set = calloc(layer_size(t->plan, layer) + 1, 1);
    }
    (*set)[element] = 1;
}

static void fetch_box(struct traffic *t, uint32_t segment, uint32_t layer, const struct ew_box *box)
{
    t->segment = segment;
    t->layer = layer;
    each_element(box, &graph_of(t->context, t->plan, segment)->layers[layer], fetch, t);
}

static void fetch_inputs(struct traffic *t, const struct ew_piece *piece)
{
    const struct ew_graph *graph = graph_of(t->context, t->plan, piece->segment);
    const struct ew_layer *layer = &graph->layers[piece->layer];
    const struct ew_op_view view = ew_layer_view(layer);
    t->device = piece->device;
    t->chain = piece->chain;
    for (uint32_t i = 0; i < layer->n_inputs && piece->role != EW_PIECE_SUM; i++) {
        const struct ew_box need = ew_op_input_box(
            &view, i, &piece->box, piece->role == EW_PIECE_PARTIAL ? &piece->reduction : NULL);
        fetch_box(t, piece->segment, layer->inputs[i], &need);
    }
}

static void fetch_results(struct traffic *t)
{
    t->device = t->plan->sink_device;
    t->chain = EW_NONE;
    for (uint32_t s = 0; s < t->plan->n_segments; s++) {
        const struct ew_graph *graph = graph_of(t->context, t->plan, s);
        const struct ew_exit *exit = &graph->exits[t->plan->segments[s].exit];
        for (uint32_t i = 0; i < exit->n_layers; i++) {
            struct ew_box whole = ew_box_full(graph->layers[exit->layers[i]].shape);
            whole.lo[EW_N] = t->plan->segments[s].image_lo;
            whole.hi[EW_N] = t->plan->segments[s].image_hi;
            fetch_box(t, s, exit->layers[i], &whole);
        }
    }
}

static uint64_t ceil_bytes(uint64_t elements, double bytes_per_element)
{
    const double bytes = ceil((double)elements * bytes_per_element);
    return elements == 0 ? 0 : bytes < 1 ? 1 : (uint64_t)bytes;
}

/* Bytes of partial sums sent to the piece that adds them. */
static uint64_t partial_bytes(const struct traffic *t)
{
    uint64_t bytes = 0;
    for (uint32_t p = 0; p < t->plan->n_pieces; p++) {
        const struct ew_piece *piece = &t->plan->pieces[p];
        if (piece->role == EW_PIECE_PARTIAL &&
            t->plan->pieces[piece->sum].device != piece->device) {
            bytes += ceil_bytes(ew_box_volume(&piece->box), t->context->element_bytes.activation);
        }
    }
    return bytes;
}

static uint64_t count_traffic(struct traffic *t)
{
    const uint32_t n_devices = t->context->platform->n_devices;
    uint32_t most_layers = 0;
    for (uint32_t s = 0; s < t->plan->n_segments; s++) {
        const uint32_t n = graph_of(t->context, t->plan, s)->n_layers;
        most_layers = n > most_layers ? n : most_layers;
    }
    t->n_holders = t->plan->n_pieces + t->plan->n_segments * most_layers + most_layers;
    t->travelling = calloc((size_t)t->n_holders * n_devices + 1, sizeof *t->travelling);
    for (uint32_t p = 0; p < t->plan->n_pieces; p++) {
        fetch_inputs(t, &t->plan->pieces[p]);
    }
    fetch_results(t);
    uint64_t bytes = partial_bytes(t);
    for (size_t i = 0; i < (size_t)t->n_holders * n_devices; i++) {
        if (!t->travelling[i]) {
            continue;
        }
        const size_t holder = i / n_devices;
        const bool is_input = holder >= t->plan->n_pieces;
        const uint32_t segment = is_input ? 0 : t->plan->pieces[holder].segment;
        const struct ew_graph *graph = graph_of(t->context, t->plan, segment);
        const struct ew_layer *layer = is_input ? &graph->layers[graph->inputs[0]]
                                                : &graph->layers[t->plan->pieces[holder].layer];
        uint64_t n = 0;
        for (size_t e = 0; e < layer_size(t->plan, layer); e++) {
            n += t->travelling[i][e];
        }
        bytes += ceil_bytes(n, is_input ? t->context->element_bytes.input
                                        : t->context->element_bytes.activation);
        free(t->travelling[i]);
    }
    free(t->travelling);
    return bytes;
}

START_TEST(bytes_sent_are_bytes_missing)
{
    uint32_t n_checked = 0;
    for (uint32_t i = 0; i < n_scenarios(); i++) {
        struct random_scenario *scenario = random_scenario_new(2000 + i);
        const struct random_workload *part = &scenario->parts[0];
        struct ew_lower *lower = ew_lower_new();
        for (uint32_t k = 0; k < part->book->n_plans; k++) {
            /* hubs and wire formats have closed forms of their own: here all is direct */
            struct ew_plan plan = *part->book->plans[k];
            plan.n_boundary_variants = 0;
            const struct ew_task_graph *tasks;
            struct ew_error err = {0};
            ck_assert_msg(ew_lower_plan_scratch(&tasks, lower, &part->context, &plan, NULL, &err) ==
                              EW_OK,
                          "seed %u: %s", 2000 + i, err.message);
            struct traffic traffic = {.context = &part->context, .plan = &plan};
            const uint64_t bytes = count_traffic(&traffic);
            ck_assert_uint_eq(traffic.n_uncovered, 0);
            ck_assert_msg(tasks->stats.message_bytes == bytes,
                          "seed %u plan %u: lowered %llu bytes, counted %llu", 2000 + i, k,
                          (unsigned long long)tasks->stats.message_bytes,
                          (unsigned long long)bytes);
            n_checked++;
        }
        ew_lower_free(lower);
        random_scenario_free(scenario);
    }
    ck_assert_uint_ge(n_checked, n_scenarios());
}
END_TEST

/* --- removing a piece ----------------------------------------------------------------------------
 */

/* The plan without piece `gone`; false when another piece names it as its sum. */
static void without(struct ew_plan *out, struct ew_piece *pieces, const struct ew_plan *plan,
                    uint32_t gone)
{
    uint32_t n = 0;
    for (uint32_t p = 0; p < plan->n_pieces; p++) {
        if (p == gone) {
            continue;
        }
        pieces[n] = plan->pieces[p];
        if (pieces[n].role == EW_PIECE_PARTIAL) {
            pieces[n].sum =
                pieces[n].sum == gone ? EW_NONE : pieces[n].sum - (pieces[n].sum > gone);
        }
        n++;
    }
    *out = *plan;
    out->pieces = pieces;
    out->n_pieces = n;
}

START_TEST(a_missing_piece_is_noticed_exactly_when_something_of_it_is_missed)
{
    uint32_t n_rejected = 0, n_spare = 0;
    for (uint32_t i = 0; i < n_scenarios(); i++) {
        struct random_scenario *scenario = random_scenario_new(3000 + i);
        const struct random_workload *part = &scenario->parts[0];
        struct ew_plan plan = *part->book->plans[0];
        plan.n_boundary_variants = 0;
        struct ew_piece *pieces = calloc(plan.n_pieces + 1u, sizeof *pieces);
        struct ew_rng rng = ew_rng_make(3000 + i, "removal");
        for (int k = 0; k < 8 && plan.n_pieces; k++) {
            const uint32_t gone = (uint32_t)ew_rng_below(&rng, plan.n_pieces);
            const bool is_term = plan.pieces[gone].role != EW_PIECE_FULL;
            struct ew_plan rest;
            without(&rest, pieces, &plan, gone);
            bool is_missed = is_term; /* an incomplete sum, or terms without one */
            if (!is_term) {
                struct traffic traffic = {.context = &part->context, .plan = &rest};
                (void)count_traffic(&traffic);
                is_missed = traffic.n_uncovered > 0;
            }
            struct ew_error err = {0};
            const bool is_rejected = ew_plan_check(&part->context, &rest, &err) == EW_EINPUT;
            ck_assert_msg(is_rejected == is_missed, "seed %u piece %u: missed %d, rejected %d (%s)",
                          3000 + i, gone, is_missed, is_rejected, err.message);
            n_rejected += is_rejected;
            n_spare += !is_rejected;
        }
        free(pieces);
        random_scenario_free(scenario);
    }
    ck_assert_uint_gt(n_rejected, n_scenarios()); /* and most pieces are needed */
    ck_assert_uint_gt(n_rejected, n_spare);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        computed_elements_are_needed_ones_plus_counted_redundancy,
        bytes_sent_are_bytes_missing,
        a_missing_piece_is_noticed_exactly_when_something_of_it_is_missed,
    };
    return run_suite("property", tests, sizeof tests / sizeof *tests);
}
