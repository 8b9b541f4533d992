#include "support/op_sample.h"

#include <check.h>
#include <string.h>

void op_set_shape(int32_t shape[EW_DIMS], int32_t c, int32_t h, int32_t w)
{
    shape[EW_N] = 1;
    shape[EW_C] = c;
    shape[EW_H] = h;
    shape[EW_W] = w;
}

void op_sample_init(struct op_sample *s, enum ew_op op, uint32_t n_inputs)
{
    memset(s, 0, sizeof *s);
    s->view = (struct ew_op_view){op, &s->attrs, n_inputs, (const int32_t(*)[EW_DIMS])s->in_shape,
                                  s->out_shape};
    s->attrs.groups = 1;
    for (int i = 0; i < 2; i++) {
        s->attrs.kernel[i] = s->attrs.stride[i] = s->attrs.dilation[i] = 1;
    }
}

void op_sample_init_conv(struct op_sample *s, int32_t c, int32_t h, int32_t w, int32_t out,
                         int32_t kernel, int32_t stride, int32_t pad)
{
    op_sample_init(s, EW_OP_CONV, 1);
    op_set_shape(s->in_shape[0], c, h, w);
    s->attrs.out_channels = out;
    s->attrs.has_bias = true;
    for (int i = 0; i < 2; i++) {
        s->attrs.kernel[i] = kernel;
        s->attrs.stride[i] = stride;
        s->attrs.pads[i] = s->attrs.pads[i + 2] = pad;
    }
}

enum ew_status op_sample_infer(struct op_sample *s, struct ew_error *err)
{
    return ew_op_infer_shape(s->out_shape, &s->view, err);
}

void op_sample_infer_or_die(struct op_sample *s)
{
    struct ew_error err = {0};
    ck_assert_msg(op_sample_infer(s, &err) == EW_OK, "%s: %s", ew_op_name(s->view.op), err.message);
}

struct ew_box op_box(int32_t c0, int32_t c1, int32_t h0, int32_t h1, int32_t w0, int32_t w1)
{
    return (struct ew_box){{0, c0, h0, w0}, {1, c1, h1, w1}};
}
