/*
 * The public header is C++ as well: a strategy written in C++17, with strict warnings. Compiling is
 * the test of the header, opening the result is the test of the one symbol's linkage.
 */
#include <new>
#include <type_traits>

#include "edgeweave/strategy.h"

/* Plain data on both sides of the boundary. */
static_assert(std::is_standard_layout<struct ew_strategy_entry>::value, "entry");
static_assert(std::is_standard_layout<ew_strategy>::value, "strategy");
static_assert(std::is_standard_layout<ew_host>::value, "host");
static_assert(std::is_standard_layout<ew_plan_builder>::value, "builder");
static_assert(std::is_trivially_copyable<ew_piece_desc>::value, "piece");
static_assert(std::is_trivially_copyable<ew_evaluation>::value, "evaluation");

namespace
{

int32_t plan(ew_strategy *, const ew_host *host, ew_plan_builder *builder)
{
    const ew_requirements_info *asked = host->requirements(host);
    const ew_graph_info *graph = host->graph(host, 0);
    int32_t rc = builder->begin_plan(builder, "source");
    for (uint32_t l = 0; rc >= 0 && l < graph->n_layers; l++) {
        const ew_layer_info *layer = host->layer(host, 0, l);
        ew_piece_desc piece = {};
        piece.struct_size = sizeof piece;
        piece.layer = l;
        piece.device = asked->source_device;
        piece.chain = EW_ID_NONE;
        piece.sum_piece = EW_ID_NONE;
        for (int d = 0; d < 4; d++) {
            piece.box.hi[d] = d == 0 ? asked->batch : layer->shape[d];
        }
        rc = layer->is_input ? rc : builder->add_piece(builder, &piece);
    }
    if (!EW_HAS(ew_host, host, extension)) {
        return host->fail(host, EW_STRATEGY_EINTERNAL, "an incomplete host");
    }
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

void destroy(ew_strategy *strategy)
{
    delete strategy;
}

ew_strategy *create(const ew_host *host, const char *)
{
    ew_strategy *strategy = new (std::nothrow) ew_strategy();
    if (!strategy) {
        host->fail(host, EW_STRATEGY_ENOMEM, "out of memory");
        return nullptr;
    }
    strategy->struct_size = sizeof *strategy;
    strategy->plan = plan;
    strategy->destroy = destroy;
    return strategy;
}

uint32_t count()
{
    return 1;
}

const ew_strategy_info info = {
    sizeof(ew_strategy_info), 0, "test.cpp", "1.0.0", "everything on the source", "", nullptr,
};

const ew_strategy_info *describe(uint32_t index)
{
    return index == 0 ? &info : nullptr;
}

} // namespace

/* extern "C" again: without it a const is internal to GCC when it reads the attribute. */
extern "C" EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    sizeof(struct ew_strategy_entry), EW_ABI_MAJOR, EW_ABI_MINOR, 0, count, describe, create,
};
