/*
 * One line per op: the op, how many random layers of it were computed, and a hash of all output
 * bits. Two processors agree when they print the same.
 *
 *     kernel_bits [KERNELS [N_SEEDS]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/kernel_case.h"

static uint64_t hash_floats(uint64_t hash, const float *values, uint64_t n)
{
    const unsigned char *bytes = (const unsigned char *)values;
    for (uint64_t i = 0; i < n * sizeof *values; i++) { /* FNV-1a */
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

int main(int argc, char **argv)
{
    const char *id = argc > 1 ? argv[1] : "reference";
    const struct ew_kernels *kernels = ew_kernels_find(id);
    const uint64_t n_seeds = argc > 2 ? strtoull(argv[2], NULL, 10) : (CASE_N_OPS - 1) * 20;
    uint64_t hashes[EW_OP_COUNT];
    uint64_t n_layers[EW_OP_COUNT] = {0};
    for (int op = 0; op < EW_OP_COUNT; op++) {
        hashes[op] = UINT64_C(0xcbf29ce484222325);
    }
    if (!kernels || !kernels->is_available(kernels)) {
        (void)fprintf(stderr, "kernel_bits: no kernels '%s' here\n", id);
        return EXIT_FAILURE;
    }
    for (uint64_t seed = 0; seed < n_seeds; seed++) {
        struct kernel_case *c = kernel_case_new(seed);
        struct ew_box box = ew_box_full(c->out_shape);
        box.hi[EW_N] = c->n_images;
        struct ew_tensor out = kernel_case_run(c, kernels, &box, NULL);
        const enum ew_op op = c->task.layer.op;
        hashes[op] = hash_floats(hashes[op], out.values, ew_box_volume(&box));
        n_layers[op]++;
        free(out.values);
        kernel_case_free(c);
    }
    for (int op = 0; op < EW_OP_COUNT; op++) {
        if (n_layers[op]) {
            printf("%s %llu %016llx\n", ew_op_name((enum ew_op)op),
                   (unsigned long long)n_layers[op], (unsigned long long)hashes[op]);
        }
    }
    return EXIT_SUCCESS;
}
