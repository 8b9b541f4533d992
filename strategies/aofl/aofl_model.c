#include "aofl/aofl_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct aofl_conv_model CONV_MODELS[] = {
    {"vgg16", 0.1049, 8.736e-7, 4.246e-4},
    {"yolov2", -0.03344, 6.455e-7, 1.559e-4},
    {"alexnet", -0.0518, 1.101e-6, 6.975e-5},
};

const struct aofl_conv_model *aofl_conv_model_find(const char *network)
{
    for (size_t i = 0; i < sizeof CONV_MODELS / sizeof CONV_MODELS[0]; i++) {
        if (strcmp(CONV_MODELS[i].network, network) == 0) {
            return &CONV_MODELS[i];
        }
    }
    return NULL;
}

double aofl_conv_s(const struct aofl_conv_model *model, double input_elements, double filter)
{
    return fmax(0.0, model->b0 + model->b1 * input_elements + model->b2 * filter);
}

double aofl_pool_s(double input_pixels, double output_pixels)
{
    return fmax(0.0, 0.0354664 - 2.746e-4 * input_pixels + 1.1031e-3 * output_pixels);
}

static int compare_ranks(const void *a, const void *b)
{
    const struct aofl_rank *x = a;
    const struct aofl_rank *y = b;
    if (x->clock != y->clock) {
        return x->clock > y->clock ? -1 : 1;
    }
    if (x->bandwidth != y->bandwidth) {
        return x->bandwidth > y->bandwidth ? -1 : 1;
    }
    return x->device < y->device ? -1 : x->device > y->device;
}

void aofl_sort(struct aofl_rank *ranks, uint32_t n)
{
    qsort(ranks, n, sizeof *ranks, compare_ranks);
}
