/*
 * AOFL's pure parts: its regressions and the ranking of devices. Plain arithmetic; knows no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_AOFL_MODEL_H
#define EDGEWEAVE_STRATEGIES_AOFL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/** Coefficients of t = b0 + b1 * input elements + b2 * filter, seconds; one set per network. */
struct aofl_conv_model {
    const char *network;
    double b0;
    double b1;
    double b2;
};

/** The published sets (Raspberry Pi 3): "vgg16", "yolov2", "alexnet". NULL for other names. */
const struct aofl_conv_model *aofl_conv_model_find(const char *network);

/** A convolution of a whole layer: filter = kernel area / stride area * filters. Never below 0. */
double aofl_conv_s(const struct aofl_conv_model *model, double input_elements, double filter);

/** A max pooling of a whole layer, by pixels (width times height) in and out. Never below 0. */
double aofl_pool_s(double input_pixels, double output_pixels);

/** A device as Algorithm 2 ranks it. */
struct aofl_rank {
    uint32_t device;
    double clock;     /**< speed in any unit */
    double bandwidth; /**< with the source; INFINITY for the source itself */
};

/** Sort by clock, then bandwidth, both descending, then device number. */
void aofl_sort(struct aofl_rank *ranks, uint32_t n);

#endif
