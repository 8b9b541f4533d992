#include "deeperthings/deeper_stages.h"

#include <stdlib.h>
#include <string.h>

#include "common/channels.h"
#include "common/plugin.h"

/* ------------------------------------------------------------------ figures */

static double elements_of(const struct kit_net *net, uint32_t layer)
{
    const int32_t *shape = net->layers[layer]->shape;
    return (double)shape[1] * shape[2] * shape[3];
}

double deeper_input_elements(const struct kit_net *net, uint32_t layer)
{
    const struct ew_layer_info *info = net->layers[layer];
    double sum = 0.0;
    for (uint32_t k = 0; k < info->n_inputs; k++) {
        sum += elements_of(net, info->inputs[k]);
    }
    return sum;
}

double deeper_output_elements(const struct kit_net *net, uint32_t layer)
{
    return elements_of(net, layer);
}

/* ------------------------------------------------------------------ finding stages */

/* The one layer that reads `layer`, which nobody else does; EW_ID_NONE when there is none. */
static uint32_t only_reader(const struct kit_net *net, uint32_t layer)
{
    const struct ew_layer_info *info = net->layers[layer];
    for (uint32_t i = 0; i < info->n_consumers && !kit_is_exit_layer(net, layer); i++) {
        if (net->place[info->consumers[i]] != KIT_ABSENT) {
            return kit_count_readers(net, layer) == 1 ? info->consumers[i] : EW_ID_NONE;
        }
    }
    return EW_ID_NONE;
}

static uint32_t last_layer(const struct deeper_stage *stage)
{
    return stage->layers[stage->n_layers - 1];
}

/* A stage that begins with `head`; its layers are written to `ids`. */
static struct deeper_stage find_stage(uint32_t *ids, const struct kit_net *net, uint32_t head)
{
    struct deeper_stage stage = {.layers = ids, .n_layers = 1};
    const bool has_weights = kit_makes_channels(net, head);
    ids[0] = head;
    for (uint32_t next = only_reader(net, head);
         has_weights && next != EW_ID_NONE && kit_keeps_channels(net, next);
         next = only_reader(net, next)) {
        ids[stage.n_layers++] = next;
    }
    stage.figures = (struct deeper_layer){
        .input = deeper_input_elements(net, head),
        .parts = elements_of(net, last_layer(&stage)),
        .sum = elements_of(net, head),
        .has_weights = has_weights,
        .can_sum = has_weights && net->layers[head]->groups <= 1,
    };
    return stage;
}

int32_t deeper_stages_init(struct deeper_stages *stages, const struct kit_net *net, uint32_t begin)
{
    bool *is_taken = calloc(net->n_layers, sizeof *is_taken);
    stages->net = net;
    stages->items = calloc(net->n_order + 1u, sizeof *stages->items);
    stages->ids = calloc(net->n_order + 1u, sizeof *stages->ids);
    if (!is_taken || !stages->items || !stages->ids) {
        free(is_taken);
        return kit_fail_memory(net->host);
    }
    uint32_t *ids = stages->ids;
    for (uint32_t i = begin; i < net->n_order; i++) {
        if (is_taken[net->order[i]]) {
            continue;
        }
        struct deeper_stage *stage = &stages->items[stages->n];
        *stage = find_stage(ids, net, net->order[i]);
        ids += stage->n_layers;
        for (uint32_t k = 0; k < stage->n_layers; k++) {
            is_taken[stage->layers[k]] = true;
        }
        stage->figures.is_linked = stages->n > 0 &&
                                   only_reader(net, last_layer(stage - 1)) == stage->layers[0] &&
                                   net->layers[stage->layers[0]]->n_inputs == 1;
        stages->n++;
    }
    free(is_taken);
    return EW_STRATEGY_OK;
}

void deeper_stages_fini(struct deeper_stages *stages)
{
    free(stages->items);
    free(stages->ids);
    memset(stages, 0, sizeof *stages);
}

/* ------------------------------------------------------------------ ways */

int32_t deeper_stages_choose(struct deeper_stages *stages, double *elements, uint32_t n_nodes,
                             const struct cbc *cbc)
{
    const size_t n = stages->n;
    struct deeper_layer *layers = calloc(n + 1, sizeof *layers);
    enum deeper_way *way = calloc(n + 1, sizeof *way);
    bool *is_reused = calloc(n + 1, sizeof *is_reused);
    enum cbc_outcome outcome = CBC_NO_MEMORY;
    if (layers && way && is_reused) {
        for (size_t s = 0; s < n; s++) {
            layers[s] = stages->items[s].figures;
        }
        outcome = deeper_choose_ways(way, is_reused, elements, layers, stages->n, n_nodes, cbc);
    }
    for (size_t s = 0; s < n && outcome == CBC_OPTIMAL; s++) {
        stages->items[s].way = way[s];
        stages->items[s].is_reused = is_reused[s];
    }
    free(layers);
    free(way);
    free(is_reused);
    if (outcome == CBC_NO_MEMORY) {
        return kit_fail_memory(stages->net->host);
    }
    return outcome == CBC_OPTIMAL ? EW_STRATEGY_OK
                                  : kit_fail(stages->net->host, EW_STRATEGY_EINTERNAL,
                                             "Cbc could not solve the partition of weights");
}

/* ------------------------------------------------------------------ pieces */

/* Equal shares, the remainder to the last node. */
static void cut_equally(int32_t *cuts, int32_t total, uint32_t n, int32_t unit)
{
    for (uint32_t i = 0; i <= n; i++) {
        cuts[i] = i < n ? total / (int32_t)n * (int32_t)i * unit : total * unit;
    }
}

static int32_t draft_parts(struct kit_draft *draft, const struct deeper_stage *stage,
                           const uint32_t *devices, uint32_t n, int32_t *cuts)
{
    const struct kit_net *net = draft->net;
    const int32_t channels = net->layers[stage->layers[0]]->shape[1];
    int32_t rc = EW_STRATEGY_OK;
    cut_equally(cuts, channels, n, 1);
    for (uint32_t k = 0; k < stage->n_layers; k++) {
        for (uint32_t i = 0; i < n && rc >= 0; i++) {
            struct kit_piece piece = {
                .layer = stage->layers[k],
                .device = devices[i],
                .chain = EW_ID_NONE,
                .box = kit_channel_box(net, stage->layers[k], cuts[i], cuts[i + 1], channels),
            };
            rc = kit_draft_piece(draft, &piece);
        }
    }
    return rc;
}

static int32_t draft_sums(struct kit_draft *draft, const struct deeper_stage *stage,
                          const uint32_t *devices, uint32_t n, uint32_t gateway, int32_t channels,
                          int32_t *cuts)
{
    const struct kit_net *net = draft->net;
    const struct ew_layer_info *info = net->layers[stage->layers[0]];
    const int32_t *in = net->layers[info->inputs[0]]->shape;
    const int32_t length = info->op_class == EW_LAYER_FC ? in[1] * in[2] * in[3] : in[1];
    cut_equally(cuts, channels, n, length / channels);
    int32_t rc = kit_draft_sum(draft, stage->layers[0], gateway, devices, n, cuts);
    for (uint32_t k = 1; k < stage->n_layers && rc >= 0; k++) {
        rc = kit_draft_whole(draft, stage->layers[k], gateway);
    }
    return rc;
}

int32_t deeper_stages_draft(struct kit_draft *draft, const struct deeper_stages *stages,
                            const uint32_t *devices, uint32_t n, uint32_t gateway)
{
    const struct kit_net *net = stages->net;
    int32_t *cuts = calloc(n + 1u, sizeof *cuts);
    int32_t rc = cuts ? EW_STRATEGY_OK : kit_fail_memory(net->host);
    for (uint32_t s = 0; s < stages->n && rc >= 0; s++) {
        const struct deeper_stage *stage = &stages->items[s];
        const uint32_t head = stage->layers[0];
        if (stage->way == DEEPER_WHOLE) {
            rc = kit_draft_whole(draft, head, gateway);
        } else if (stage->way == DEEPER_OUTPUTS || stage->way == DEEPER_FIRST) {
            rc = draft_parts(draft, stage, devices, n, cuts);
        } else {
            /* the second of a pair is cut where the first one's channels are */
            const bool is_second = stage->way == DEEPER_SECOND;
            const uint32_t reference =
                is_second ? stage[-1].layers[0] : net->layers[head]->inputs[0];
            rc = draft_sums(draft, stage, devices, n, gateway, net->layers[reference]->shape[1],
                            cuts);
        }
    }
    free(cuts);
    return rc;
}

int32_t deeper_stages_gather(struct ew_plan_builder *builder, const struct deeper_stages *stages,
                             uint32_t gateway)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t s = 0; s < stages->n && rc >= 0; s++) {
        const struct deeper_stage *stage = &stages->items[s];
        if (stage->way == DEEPER_OUTPUTS && !stage->is_reused &&
            kit_is_read(stages->net, last_layer(stage))) {
            rc =
                builder->set_exchange(builder, last_layer(stage), EW_EXCHANGE_MODE_GATHER, gateway);
        }
    }
    return rc;
}
