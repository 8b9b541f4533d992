/*
 * Inputs that somebody has given, in place of those made from a seed. Image k of all that are asked
 * for is image k modulo n_images of these.
 */
#ifndef EW_ENGINE_EXEC_INPUTS_H
#define EW_ENGINE_EXEC_INPUTS_H

#include <stdint.h>

/** Whole tensors of a network's inputs, image by image; borrowed. */
struct ew_exec_inputs {
    uint32_t n_inputs;          /**< of the network */
    uint32_t n_images;          /**< at least 1 */
    const uint64_t *n_elements; /**< per input: of one image */
    const float *const *values; /**< per input: of all images, one after another */
};

/** Input `i` of image `image`. */
static inline const float *ew_exec_input_values(const struct ew_exec_inputs *inputs, uint32_t i,
                                                uint64_t image)
{
    return inputs->values[i] + image % inputs->n_images * inputs->n_elements[i];
}

#endif
