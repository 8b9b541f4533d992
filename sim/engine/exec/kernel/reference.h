/* What the files of the reference kernels share. */
#ifndef EW_ENGINE_EXEC_KERNEL_REFERENCE_H
#define EW_ENGINE_EXEC_KERNEL_REFERENCE_H

#include "engine/exec/kernel/kernel.h"
#include "engine/exec/kernel/ref_isa.h"

/** How a conv or fc task multiplies. */
enum ew_ref_form {
    EW_REF_GEMM,      /**< panels of output channels, per group */
    EW_REF_DEPTHWISE, /**< one input channel per group: taps per output channel */
    EW_REF_FC,
    EW_REF_PER_CHANNEL, /**< batchnorm: filter is scale, bias is shift, of the task's channels */
    EW_REF_VALUES,      /**< layernorm: likewise, of the whole layer; shift, scale, pad: filter */
    EW_REF_TRANSPOSED,  /**< conv_transpose: [output channel][input channel of group][kernel] */
};

struct ew_kernel_weights {
    enum ew_ref_form form;
    uint32_t n_k;    /**< multiply-adds per output element */
    float *filter;   /**< see ew_ref_form; groups one after another */
    float *bias;     /**< padded as the filter; NULL: none */
    size_t n_filter; /**< floats */
    void *library;   /**< xnnpack: its operator; the rest is unused then */
};

/** Call of one kernel. */
struct ew_ref_call {
    const struct ew_ref_isa *isa;
    const struct ew_kernel_task *task;
    const struct ew_kernel_weights *weights;
    const struct ew_tensor *inputs;
    struct ew_tensor *out;
    struct ew_kernel_scratch *scratch;
};

/** The group of a conv whose outputs include the next channels from `channel` on, and where they
 *  end: at the end of the group or of the task. */
struct ew_ref_span {
    int32_t lo, hi;       /**< output channels */
    int32_t in_lo, in_hi; /**< input channels they read */
};
struct ew_ref_span ew_ref_conv_span(const struct ew_kernel_task *task, int32_t channel);

/** Sets of the reference kernels, one per vector width and one that takes the widest. */
enum { EW_REF_SETS = 4 };
extern const struct ew_kernels ew_ref_kernels[EW_REF_SETS];

/** Read a conv's or fc's weights for the panels of `isa`. */
enum ew_status ew_ref_prepare_multiply(struct ew_kernel_weights *weights,
                                       const struct ew_ref_isa *isa,
                                       const struct ew_kernel_task *task,
                                       const struct ew_weight_source *source, struct ew_error *err);

/** Read all of a linear's weights, or a conv_transpose's of the task's channels. */
enum ew_status ew_ref_prepare_linear(struct ew_kernel_weights *weights,
                                     const struct ew_ref_isa *isa,
                                     const struct ew_kernel_task *task,
                                     const struct ew_weight_source *source, struct ew_error *err);
enum ew_status ew_ref_prepare_transposed(struct ew_kernel_weights *weights,
                                         const struct ew_kernel_task *task,
                                         const struct ew_weight_source *source,
                                         struct ew_error *err);

enum ew_status ew_ref_run_conv(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_fc(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_pool(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_global_pool(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_map(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_batchnorm(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_pairwise(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_lrn(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_softmax(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_upsample(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_copy(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_concat(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_reshape(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_constant(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_layernorm(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_linear(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_matmul(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_transposed(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_resize(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_arrange(const struct ew_ref_call *call, struct ew_error *err);
enum ew_status ew_ref_run_pad(const struct ew_ref_call *call, struct ew_error *err);

#endif
