/*
 * DistrEdge's vertical-splitting law: which input rows a band of output rows needs, through one
 * unit or through a whole layer-volume.
 *
 * Plain integers; knows no network and no host. A unit is what DistrEdge calls a layer: one
 * convolution or pooling, or a block with branches seen as one.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_VSL_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_VSL_H

#include <stdint.h>

/** What happens at the borders. */
enum vsl_law {
    VSL_LITERAL, /**< as printed: rows outside of the tensor count, they are padding */
    VSL_CLAMPED, /**< cut at the tensor's first and last row */
};

/** Half-open rows; empty when lo >= hi. Under the literal law lo may be negative. */
struct vsl_rows {
    int64_t lo;
    int64_t hi;
};

/** A unit as plain numbers. Heights are those of the tensors, without padding. */
struct vsl_unit {
    int32_t kernel; /**< F: rows of the window; of a block: of its receptive field */
    int32_t stride; /**< S */
    int32_t pad;    /**< P: rows of padding above */
    int32_t in_rows;
    int32_t out_rows;
    double row_ops;      /**< operations per output row; 2 F F Cin Cout W for a convolution, F F C W
                              for a pooling */
    double in_elements;  /**< per input row: channels times width */
    double out_elements; /**< per output row */
};

/** Rows `out` of the unit's output need these rows of its input: [lo S - P, (hi - 1) S - P + F).
 *  Empty stays empty; numbers beyond 2^31 are cut there. */
struct vsl_rows vsl_input(const struct vsl_unit *unit, enum vsl_law law, struct vsl_rows out);

/** The rows of a tensor with `to` rows that cover the same part as `rows` do of one with `from`. */
struct vsl_rows vsl_rescale(struct vsl_rows rows, int32_t from, int32_t to);

/** max(0, hi - lo). */
int64_t vsl_count(struct vsl_rows rows);

/** Rows of `need` that are not in `have`. */
int64_t vsl_missing(struct vsl_rows need, struct vsl_rows have);

/** Nearest whole number, halves to even, whatever the floating-point mode. */
int32_t vsl_round(double exact);

/** The split decision of fractions: n_parts - 1 ascending fractions of `rows`, rounded half to
 *  even; out has n_parts + 1 cuts from 0 to rows. */
void vsl_cuts(int32_t *out, const double *fractions, uint32_t n_parts, int32_t rows);

#endif
