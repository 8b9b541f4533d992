/*
 * What quantising a tensor costs: rows of layer, bits, loss, from a CSV file that the user has.
 */
#ifndef EDGEWEAVE_STRATEGIES_QPART_LOSSES_H
#define EDGEWEAVE_STRATEGIES_QPART_LOSSES_H

#include <stddef.h>
#include <stdint.h>

enum { LOSS_NAME_SIZE = 128, LOSS_MAX_BITS = 31 };

struct loss {
    char layer[LOSS_NAME_SIZE];
    uint32_t bits;     /**< 1 to LOSS_MAX_BITS */
    double loss_ratio; /**< >= 0 */
};

/** Rows in the order of the file; zero-initialise. */
struct losses {
    struct loss *rows; /**< owned */
    size_t n;
};

/** Read a file with the header "layer,bits,loss_ratio"; empty lines and what follows a '#' do not
 *  count. 0, or -1 with the reason, which names file and line. Free with losses_fini in any case.
 */
int losses_read(struct losses *losses, const char *path, char *reason, size_t reason_size);
void losses_fini(struct losses *losses);

#endif
