#include <string.h>

#include "engine/engine.h"

const struct ew_net_model *ew_net_model_find(const char *id)
{
    /* LV08's constants are SimGrid's (Velho and Legrand 2009); CM02 is Casanova and Marchal 2002.
     */
    static const struct ew_net_model models[] = {
        {"ideal", "CM02", 1.0, 1.0, 0.0},
        {"tcp", "LV08", 13.01, 0.97, 20537.0},
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        if (strcmp(models[i].id, id) == 0) {
            return &models[i];
        }
    }
    return NULL;
}

double ew_net_flow_penalty(const struct ew_net_model *model, const struct ew_platform *platform,
                           const struct ew_route *route, double latency_s)
{
    double penalty = latency_s;
    for (uint32_t i = 0; i < route->n_links && model->weight_s > 0; i++) {
        penalty += model->weight_s / platform->links[route->links[i]].bandwidth_bytes_per_s;
    }
    return latency_s > 0 ? penalty : 1;
}
