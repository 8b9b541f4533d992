#include "support/random_pools.h"

#include <stdlib.h>

#include "plan/check.h"
#include "plan/lower.h"

enum { MAX_MEMBERS = 16, MAX_POOLS = 2 };

/* A plan being copied into a builder, with pools. */
struct pooling {
    struct ew_rng *rng;
    const struct ew_plan_context *context;
    const struct ew_plan *plan;
    struct ew_builder *builder;
    uint32_t holder;
    uint32_t n_pools;
    bool keeps_chains; /* else every pooled piece is a chain of its own */
    struct ew_error err;
};

static void insist_ok(const struct pooling *p, enum ew_status status)
{
    random_insist(status == EW_OK, p->err.message);
}

static void add_pools(struct pooling *p)
{
    const uint32_t n_devices = p->context->platform->n_devices;
    uint32_t order[MAX_MEMBERS];
    p->n_pools = (uint32_t)random_int(p->rng, 1, MAX_POOLS);
    for (uint32_t k = 0; k < p->n_pools; k++) {
        for (uint32_t i = 0; i < n_devices; i++) {
            const uint32_t at = (uint32_t)ew_rng_below(p->rng, i + 1);
            order[i] = order[at];
            order[at] = i;
        }
        const struct ew_pool pool = {
            .holder = p->holder,
            .steal_bytes = (uint64_t)random_int(p->rng, 1, 2000),
            .n_members = (uint32_t)random_int(p->rng, 1, (int32_t)n_devices),
            .members = order,
        };
        insist_ok(p, ew_builder_add_pool(p->builder, &pool, NULL, &p->err));
    }
}

/* A layer all of whose readers are in the chain of what they read stays there. */
static bool is_inside(const struct pooling *p, uint32_t segment, uint32_t layer)
{
    const struct ew_plan *plan = p->plan;
    const struct ew_graph *graph = ew_segment_graph(p->context->graph, &plan->segments[segment]);
    bool is_read = false;
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        const struct ew_piece *reader = &plan->pieces[i];
        const struct ew_layer *at = &graph->layers[reader->layer];
        for (uint32_t k = 0; reader->segment == segment && k < at->n_inputs; k++) {
            if (at->inputs[k] != layer) {
                continue;
            }
            bool has_own = false;
            for (uint32_t j = 0; j < plan->n_pieces && !has_own; j++) {
                has_own = plan->pieces[j].segment == segment && plan->pieces[j].layer == layer &&
                          reader->chain != EW_NONE && plan->pieces[j].chain == reader->chain;
            }
            if (!has_own) {
                return false;
            }
            is_read = true;
        }
    }
    return is_read;
}

static void set_boundaries(struct pooling *p)
{
    const struct ew_plan *plan = p->plan;
    for (uint32_t s = 0; s < plan->n_segments; s++) {
        const uint32_t variant = plan->segments[s].variant;
        const uint32_t n_layers = p->context->graph->variants[variant].graph->n_layers;
        for (uint32_t l = 0; l < n_layers; l++) {
            if (p->keeps_chains && is_inside(p, s, l)) {
                continue;
            }
            const struct ew_boundary boundary = {.exchange = EW_EXCHANGE_GATHER,
                                                 .has_barrier = random_chance(p->rng, 0.2),
                                                 .hub = p->holder};
            insist_ok(p, ew_builder_set_boundary(p->builder, variant, l, boundary, &p->err));
        }
    }
}

/* Chains by number, so that all pieces of one say the same. */
static uint16_t pool_of(const struct pooling *p, uint32_t chain)
{
    const uint32_t hash = chain * 2654435761u;
    return (uint16_t)(hash % 10 < 8 ? 1 + (hash >> 8) % p->n_pools : 0);
}

static void add_pieces(struct pooling *p)
{
    const struct ew_plan *plan = p->plan;
    const uint32_t shift = (uint32_t)random_int(p->rng, 0, 1000);
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        struct ew_piece piece = plan->pieces[i];
        if (piece.role == EW_PIECE_FULL) {
            piece.chain = p->keeps_chains && piece.chain != EW_NONE ? piece.chain : 1000000 + i;
            piece.pool = pool_of(p, piece.chain + shift);
        }
        insist_ok(p, ew_builder_add_piece(p->builder, &piece, NULL, &p->err));
    }
}

static void copy_plan(struct pooling *p)
{
    const struct ew_plan *plan = p->plan;
    insist_ok(p, ew_builder_begin_plan(p->builder, plan->name, plan->batch, plan->source_device,
                                       plan->sink_device, &p->err));
    for (uint32_t s = 0; s < plan->n_segments; s++) {
        const struct ew_segment *segment = &plan->segments[s];
        insist_ok(p, ew_builder_assign(p->builder, segment->image_lo, segment->image_hi,
                                       segment->variant, segment->exit, NULL, &p->err));
    }
    insist_ok(p, ew_builder_set_weights(p->builder,
                                        plan->weights == EW_WEIGHTS_ON_CHANGE ? EW_WEIGHTS_ON_CHANGE
                                                                              : EW_WEIGHTS_RESIDENT,
                                        &p->err));
    insist_ok(p, ew_builder_set_share(p->builder, plan->weight, plan->probability, plan->class_name,
                                      &p->err));
    add_pools(p);
    set_boundaries(p);
    add_pieces(p);
}

/* NULL when the plan with its chains kept is none: then they are taken apart. */
static struct ew_book *copy_book(struct ew_rng *rng, const struct ew_plan_context *context,
                                 const struct ew_book *book, bool keeps_chains)
{
    struct pooling p = {.rng = rng,
                        .context = context,
                        .builder = ew_builder_new(context),
                        .keeps_chains = keeps_chains};
    struct ew_book *out = NULL;
    random_insist(p.builder != NULL, "out of memory");
    for (uint32_t i = 0; i < book->n_plans; i++) {
        p.plan = book->plans[i];
        p.holder = (uint32_t)ew_rng_below(rng, context->platform->n_devices);
        copy_plan(&p);
    }
    insist_ok(&p, ew_builder_set_pick(p.builder, (enum ew_pick)book->pick, &p.err));
    insist_ok(&p, ew_builder_finish(&out, p.builder, "random", &p.err));
    ew_builder_free(p.builder);
    const enum ew_status status = ew_book_check(context, out, &p.err);
    random_insist(status == EW_OK || keeps_chains, p.err.message);
    if (status != EW_OK) {
        ew_book_free(out);
        return NULL;
    }
    return out;
}

static void replace_book(struct ew_rng *rng, struct random_scenario *scenario, uint32_t w)
{
    struct random_workload *part = &scenario->parts[w];
    struct ew_book *book = copy_book(rng, &part->context, part->book, true);
    if (!book) {
        book = copy_book(rng, &part->context, part->book, false);
    }
    struct ew_lower *lower = ew_lower_new();
    random_insist(lower != NULL, "out of memory");
    for (uint32_t p = 0; p < book->n_plans; p++) {
        struct ew_task_graph *graph = NULL;
        struct ew_error err = {0};
        ew_task_graph_free((struct ew_task_graph *)part->task_graphs[p]);
        random_insist(ew_lower_plan(&graph, lower, &part->context, book->plans[p], NULL, &err) ==
                          EW_OK,
                      err.message);
        part->task_graphs[p] = graph;
    }
    ew_lower_free(lower);
    ew_book_free(part->book);
    part->book = book;
    scenario->workloads[w].book = book;
}

struct random_scenario *random_pool_scenario_new(uint64_t seed)
{
    struct random_scenario *scenario = random_scenario_new(seed);
    struct ew_rng rng = ew_rng_make(seed, "pools");
    for (uint32_t w = 0; w < scenario->run.n_workloads; w++) {
        if (w == 0 || random_chance(&rng, 0.7)) {
            replace_book(&rng, scenario, w);
        }
    }
    return scenario;
}
