/*
 * A layer with storage of its own, for tests of operators.
 */
#ifndef EW_TESTS_OP_SAMPLE_H
#define EW_TESTS_OP_SAMPLE_H

#include "model/op.h"

enum { OP_MAX_INPUTS = 3 };

struct op_sample {
    struct ew_op_attrs attrs;
    int32_t in_shape[OP_MAX_INPUTS][EW_DIMS];
    int32_t out_shape[EW_DIMS];
    struct ew_op_view view; /**< of the above */
};

/** One image of this shape. */
void op_set_shape(int32_t shape[EW_DIMS], int32_t c, int32_t h, int32_t w);
/** One group, kernel, stride and dilation 1, the rest 0. */
void op_sample_init(struct op_sample *s, enum ew_op op, uint32_t n_inputs);
/** A square window with equal padding; with bias. */
void op_sample_init_conv(struct op_sample *s, int32_t c, int32_t h, int32_t w, int32_t out,
                         int32_t kernel, int32_t stride, int32_t pad);
/** Fill out_shape. */
enum ew_status op_sample_infer(struct op_sample *s, struct ew_error *err);
/** The same; fails the test when it is refused. */
void op_sample_infer_or_die(struct op_sample *s);

/** Of image 0. */
struct ew_box op_box(int32_t c0, int32_t c1, int32_t h0, int32_t h1, int32_t w0, int32_t w1);

#endif
