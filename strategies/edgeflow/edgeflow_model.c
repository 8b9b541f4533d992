#include "edgeflow/edgeflow_model.h"

#include <math.h>
#include <stdbool.h>

#include "common/chain.h"

static double message_s(const struct edgeflow_layer *layer, uint32_t from, uint32_t to,
                        double bytes)
{
    struct kit_wire wire = layer->wires[(size_t)from * layer->n_devices + to];
    return from == to || bytes <= 0.0 ? 0.0 : wire.message_s + wire.byte_s * bytes;
}

/* Messages that leave `from` before the one to `worker`, at most, times their overhead. */
static double queue_s(const struct edgeflow_layer *layer, uint32_t from, uint32_t n_before)
{
    return layer->overhead_s[from] * n_before;
}

double edgeflow_arrival_s(const struct edgeflow_layer *layer, const struct edgeflow_input *input,
                          uint32_t worker, uint32_t device, int32_t lo, int32_t hi)
{
    bool is_worker = worker < layer->n_workers;
    double last_s = 0.0;
    int32_t lines = 0;
    if (lo >= hi) {
        return 0.0;
    }
    if (!input->cuts && input->holder == device) {
        return input->done_s[0];
    }
    if (!input->cuts) {
        return input->done_s[0] + queue_s(layer, input->holder, is_worker ? worker : 0) +
               message_s(layer, input->holder, device, input->line_bytes * (hi - lo));
    }
    for (uint32_t h = 0;
         (h = kit_next_holder(&lines, input->cuts, layer->n_workers, h, lo, hi)) < layer->n_workers;
         h++) {
        double sent_s = input->done_s[h];
        if (layer->device[h] != device) {
            sent_s += queue_s(layer, layer->device[h], is_worker && worker > h ? 1 : 0) +
                      message_s(layer, layer->device[h], device, input->line_bytes * lines);
        }
        last_s = fmax(last_s, sent_s);
    }
    return last_s;
}

double edgeflow_finish_s(void *ctx, uint32_t worker, int32_t lo, int32_t hi)
{
    const struct edgeflow_layer *layer = ctx;
    double ready_s = layer->free_s[worker];
    for (uint32_t i = 0; i < layer->n_inputs; i++) {
        const struct edgeflow_input *input = &layer->inputs[i];
        ready_s = fmax(ready_s, edgeflow_arrival_s(layer, input, worker, layer->device[worker],
                                                   input->reads_lo[lo], input->reads_hi[hi - 1]));
    }
    return ready_s + kit_line_at(layer->compute[worker], hi - lo);
}
