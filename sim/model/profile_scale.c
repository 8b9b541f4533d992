#include "model/profile_scale.h"

#include <stdlib.h>

/* Arrays that hold seconds are copied; false when memory runs out. */
static bool scale_regressions(struct ew_profile *p, double ratio)
{
    for (int op = 0; op < EW_OP_COUNT; op++) {
        struct ew_regression *regression = &p->regression[op];
        if (regression->n_terms == 0) {
            continue;
        }
        struct ew_term *terms = ew_arena_calloc(&p->arena, regression->n_terms, sizeof *terms);
        if (!terms) {
            return false;
        }
        for (uint32_t i = 0; i < regression->n_terms; i++) {
            terms[i] = regression->terms[i];
            terms[i].coefficient_s /= ratio;
        }
        regression->terms = terms;
    }
    return true;
}

static bool scale_tables(struct ew_profile *p, double ratio)
{
    if (p->n_table_layers == 0) {
        return true;
    }
    struct ew_table_layer *layers = ew_arena_calloc(&p->arena, p->n_table_layers, sizeof *layers);
    if (!layers) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_table_layers; i++) {
        layers[i] = p->table_layers[i];
        double *seconds = ew_arena_calloc(&p->arena, layers[i].n, sizeof *seconds);
        if (!seconds) {
            return false;
        }
        for (uint32_t k = 0; k < layers[i].n; k++) {
            seconds[k] = p->table_layers[i].seconds[k] / ratio;
        }
        layers[i].seconds = seconds;
    }
    p->table_layers = layers;
    return true;
}

static void scale_rates(struct ew_profile *p, double ratio)
{
    p->flops_per_s *= ratio;
    for (int i = 0; i < EW_RATE_COUNT; i++) {
        p->class_flops_per_s[i] *= ratio;
    }
    p->simple_ops_per_s *= ratio;
    p->weight_bytes_per_s *= ratio;
    p->activation_bytes_per_s *= ratio;
    p->patch_bytes_per_s *= ratio;
    p->layer_overhead_s /= ratio;
    p->load_overhead_s /= ratio;
    p->load_bytes_per_s *= ratio;
}

enum ew_status ew_profile_scale(struct ew_profile **out, const struct ew_profile *profile,
                                double ratio, struct ew_error *err)
{
    struct ew_profile *p = ew_profile_make_rate(profile->name, 1);
    if (!p) {
        return ew_fail_memory(err);
    }
    const struct ew_arena arena = p->arena;
    *p = *profile;
    p->arena = arena;
    p->fallback = NULL;
    scale_rates(p, ratio);
    enum ew_status status =
        scale_regressions(p, ratio) && scale_tables(p, ratio) ? EW_OK : ew_fail_memory(err);
    if (status == EW_OK && profile->fallback) {
        struct ew_profile *fallback = NULL;
        status = ew_profile_scale(&fallback, profile->fallback, ratio, err);
        p->fallback = fallback;
    }
    if (status == EW_OK) {
        *out = p;
    } else {
        ew_profile_free(p);
    }
    return status;
}
