/*
 * The five-exit AlexNet for CIFAR-10 of Edgent's paper, as its regressions see it. Link with
 * strategies/edgent/edgent_model.c.
 */
#ifndef EW_TESTS_SUPPORT_EDGENT_PAPER_H
#define EW_TESTS_SUPPORT_EDGENT_PAPER_H

#include "edgent/edgent_model.h"

enum { EDGENT_PAPER_LAYERS = 22, EDGENT_PAPER_EXITS = 5 };

struct edgent_paper_model {
    struct edgent_layer layers[EDGENT_PAPER_LAYERS];
    double server_s[EDGENT_PAPER_LAYERS], device_s[EDGENT_PAPER_LAYERS],
        output_bytes[EDGENT_PAPER_LAYERS];
    double server_load_s[EDGENT_PAPER_LAYERS + 1], device_load_s[EDGENT_PAPER_LAYERS + 1];
    bool can_cut[EDGENT_PAPER_LAYERS];
    double model_bytes;
    struct edgent_exit exit;
};

struct edgent_paper {
    struct edgent_paper_model models[EDGENT_PAPER_EXITS];
    struct edgent_exit exits[EDGENT_PAPER_EXITS];
};

/** Layer times in the unit given; loading as in the paper: a side that runs anything loads all. */
void edgent_paper_init(struct edgent_paper *net, enum edgent_unit unit);

#endif
