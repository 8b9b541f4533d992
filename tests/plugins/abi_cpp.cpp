/*
 * A strategy in C++: the header must compile as C++17, the entry must have C linkage, and
 * exceptions must stay inside. Everything on the source device.
 */
#include <exception>
#include <memory>
#include <new>

#include "edgeweave/strategy.h"

namespace
{

class Local
{
  public:
    static int32_t plan(const ew_host *host, ew_plan_builder *builder)
    {
        const ew_requirements_info *asked = host->requirements(host);
        int32_t rc = builder->begin_plan(builder, "local");
        for (uint32_t l = 0; rc >= 0 && l < host->graph(host, 0)->n_layers; l++) {
            const ew_layer_info *layer = host->layer(host, 0, l);
            ew_piece_desc piece{};
            piece.struct_size = sizeof piece;
            piece.layer = l;
            piece.device = asked->source_device;
            piece.chain = EW_ID_NONE;
            piece.box.hi[0] = asked->batch;
            for (int d = 1; d < 4; d++) {
                piece.box.hi[d] = layer->shape[d];
            }
            rc = layer->is_input ? rc : builder->add_piece(builder, &piece);
        }
        return rc < 0 ? rc : EW_STRATEGY_OK;
    }
};

int32_t plan(ew_strategy *, const ew_host *host, ew_plan_builder *builder)
{
    try {
        return Local::plan(host, builder);
    } catch (const std::exception &e) {
        return host->fail(host, EW_STRATEGY_EINTERNAL, e.what());
    }
}

void destroy(ew_strategy *strategy)
{
    delete strategy;
}

ew_strategy *create(const ew_host *host, const char *)
{
    std::unique_ptr<ew_strategy> strategy(new (std::nothrow) ew_strategy{});
    if (!strategy) {
        host->fail(host, EW_STRATEGY_ENOMEM, "out of memory");
        return nullptr;
    }
    strategy->struct_size = sizeof(ew_strategy);
    strategy->plan = plan;
    strategy->destroy = destroy;
    return strategy.release();
}

const ew_strategy_info info = {
    sizeof(ew_strategy_info), 0, "abi_cpp", "1.0.0", "for tests, in C++", "", nullptr,
};

uint32_t count()
{
    return 1;
}

const ew_strategy_info *describe(uint32_t index)
{
    return index == 0 ? &info : nullptr;
}

} // namespace

/* "struct" is needed, since the variable of the same name hides the type. */
extern "C" EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    sizeof(struct ew_strategy_entry), EW_ABI_MAJOR, EW_ABI_MINOR, 0, count, describe, create,
};
