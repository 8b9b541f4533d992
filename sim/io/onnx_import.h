/*
 * What the parts of the ONNX import share: values with their ONNX shapes, the layers made so far,
 * and how an ONNX shape is laid out as channels, rows and columns. Used by onnx_*.c only.
 *
 * A value is a tensor of the file: a constant, whose small ones are known, or the output of a
 * layer. Its ONNX shape may differ from the layer's channels x rows x columns, as long as both are
 * the same row-major sequence: reshapes only change the ONNX shape, and a reshape layer is made
 * when an operator needs another layout.
 */
#ifndef EW_IO_ONNX_IMPORT_H
#define EW_IO_ONNX_IMPORT_H

#include "base/vec.h"
#include "io/onnx.h"
#include "io/onnx_wire.h"

enum {
    OX_NO_LAYER = -1,
    OX_MAX_INPUTS = 4096, /* of one node */
};

/** An ONNX shape. */
struct ox_dims {
    uint32_t n;
    int64_t at[OX_MAX_RANK];
};

/** What a node reads and writes. */
struct ox_value {
    struct ox_text name;
    struct ox_dims dims;
    int32_t layer;       /**< that makes it; OX_NO_LAYER: a constant */
    bool is_set;         /**< some earlier node, input or initializer defines it */
    bool is_learned;     /**< constant: a parameter of the model */
    bool is_integer;     /**< constant: divisions round towards zero */
    const double *known; /**< constant: its elements; NULL: too many, or not in the file */
    const struct ox_value_info *info; /**< what the file says of its shape; NULL: nothing */
    /* constant: where its elements lie */
    bool has_place, is_transposed;
    struct ew_weight_ref place;
};

/** A note on how a layer came to be, for onnx_fuse.c. */
enum ox_kind { OX_PLAIN, OX_SUBTRACT, OX_DIVIDE, OX_ERF, OX_SQUARE, OX_SQRT, OX_MEAN };

/** A layer being described; inputs are indices of layers. */
struct ox_layer {
    enum ew_op op;
    enum ox_kind kind;
    bool is_dead;
    struct ew_op_attrs attrs;
    int32_t shape[EW_DIMS];
    uint32_t n_inputs;
    int32_t *inputs;
    uint32_t n_weights;
    struct ew_weight_ref *weights;
    const char *name;       /**< what it would like to be called */
    const char *module;     /**< name without the operator, NULL when the node's name has no path */
    int32_t arranged;       /**< the last layer that reshapes this one's output; OX_NO_LAYER */
    double constant;        /**< shift, scale, pad by a known single value; else NAN */
    bool is_values_unknown; /**< the op stands for something that costs the same */
    const char *place;      /**< node, for messages */
};

/** The values that a node names, as indices. */
struct ox_use {
    const uint32_t *inputs, *outputs;
};

/** Texts, each once, numbered in the order they came; zero-initialised is valid and empty. */
struct ox_names {
    EW_VEC(struct ox_text) items;
    uint32_t *table; /**< text -> number, open addressing; 0 is free, else number + 1 */
    size_t table_size;
};

/** One import. */
struct ox_import {
    struct ew_arena *arena;
    const struct ox_model *model;
    const char *data; /**< the file */
    size_t size;
    const struct ew_onnx_options *options;
    struct ew_error *err;
    struct ox_names names; /**< of the values */
    EW_VEC(struct ox_value) values;
    EW_VEC(struct ox_layer) layers;
    const struct ox_use *uses;  /**< of every node */
    const struct ox_node *node; /**< being read */
    const struct ox_use *use;   /**< its */
    const char *label;          /**< its, once asked for: see ox_node_label */
    uint32_t n_outputs;         /**< layers that the graph's outputs are */
    int32_t *outputs;
};

/* ---- what the graph brings along, in this order ---- */

/** All names of the file, so that the array of values stays in place from then on. */
enum ew_status ox_intern_names(struct ox_import *im);
enum ew_status ox_read_initializers(struct ox_import *im);
enum ew_status ox_read_inputs(struct ox_import *im);

/* ---- failures: every one names the node ---- */

enum ew_status ox_fail(struct ox_import *im, const char *fmt, ...) EW_PRINTF(2, 3);
/** "1x3x224x224" in `arena`, "scalar" for none. */
const char *ox_dims_text(struct ox_import *im, const struct ox_dims *dims);
/** Printable copy of a text, at most 100 bytes of it. */
const char *ox_label(struct ox_import *im, struct ox_text text);
/** What messages call the node being read: its name, else its output's. */
const char *ox_node_label(struct ox_import *im);

/* ---- values ---- */

/** Number of the text, added when missing; UINT32_MAX when memory runs out. */
uint32_t ox_find_name(struct ox_names *names, struct ox_text text);

void ox_free_names(struct ox_names *names);

/** Index of the value of that name, made when missing; UINT32_MAX when memory runs out. */
uint32_t ox_find_value(struct ox_import *im, struct ox_text name);

/** Make room for that many values at once; false when memory runs out. */
bool ox_expect_values(struct ox_import *im, size_t n);

/** The value of that name, made when missing; NULL when memory runs out. */
struct ox_value *ox_value_named(struct ox_import *im, struct ox_text name);

/** Input `i` of the node, NULL when it has none there. Sets a failure when it is not defined. */
const struct ox_value *ox_input(struct ox_import *im, uint32_t i);

/** True when the node has a non-empty input `i`. */
bool ox_has_input(const struct ox_import *im, uint32_t i);

/** Define output `i` of the node; an output without a name is no error. */
enum ew_status ox_set_output(struct ox_import *im, uint32_t i, const struct ox_value *value);

/** Elements; UINT64_MAX when that many cannot be. */
uint64_t ox_count(const struct ox_dims *dims);

bool ox_same_dims(const struct ox_dims *a, const struct ox_dims *b);

/** A constant of the given shape. With `n` numbers they are copied, with NULL they are unknown. */
enum ew_status ox_make_constant(struct ox_value *out, struct ox_import *im,
                                const struct ox_dims *dims, const double *numbers);

/** Check a shape: every dimension at least 1, at most 2^31 - 1 elements. `what` names it. */
enum ew_status ox_check_dims(struct ox_import *im, const char *what, const struct ox_dims *dims);

/* ---- attributes of the node ---- */

const struct ox_attribute *ox_attribute(const struct ox_import *im, const char *name);
int64_t ox_attribute_int(const struct ox_import *im, const char *name, int64_t fallback);
double ox_attribute_float(const struct ox_import *im, const char *name, double fallback);
bool ox_attribute_is(const struct ox_import *im, const char *name, const char *text);

/** Whole numbers from an attribute, else from input `input` (0: none), which must then be a known
 *  constant. `*n` is 0 when there is neither. At most `max`. */
enum ew_status ox_integers(int64_t *out, uint32_t *n, uint32_t max, struct ox_import *im,
                           const char *name, uint32_t input);

/** An axis in 0..rank-1 from one that may count from the end. */
enum ew_status ox_axis(uint32_t *out, struct ox_import *im, int64_t axis, uint32_t rank);

/* ---- layouts ---- */

/** Which of EW_C, EW_H, EW_W each ONNX dimension is; 0: none, its size is 1. 1xCxHxW, 1xTxF (rows
 * and columns), 1xC, else the dimensions that are not 1, at most three. False when there are more.
 */
bool ox_layout(int slots[OX_MAX_RANK], const struct ox_dims *dims);

/** Channels, rows, columns of a shape in that layout. */
void ox_arrange_dims(int32_t chw[3], const struct ox_dims *dims, const int slots[OX_MAX_RANK]);

/** The value's layer, or a reshape of it, such that its shape is `chw`. */
enum ew_status ox_arrange(int32_t *out, struct ox_import *im, const struct ox_value *value,
                          const int32_t chw[3]);

/** As above, in the shape's own layout. `slots` may be NULL. */
enum ew_status ox_arrange_own(int32_t *out, int slots[OX_MAX_RANK], struct ox_import *im,
                              const struct ox_value *value);

/** The operand of a broadcast with the right number of leading 1s. */
struct ox_dims ox_align(const struct ox_dims *dims, uint32_t rank);

/* ---- layers ---- */

/** Add a layer that reads `inputs`, infer its shape. */
enum ew_status ox_add_layer(int32_t *out, struct ox_import *im, enum ew_op op,
                            const struct ew_op_attrs *attrs, uint32_t n_inputs,
                            const int32_t *inputs);

/** Note where a constant that the layer uses lies, and let its name name the layer. */
enum ew_status ox_add_weight(struct ox_import *im, int32_t layer, const char *role,
                             const struct ox_value *constant);

/** Define output 0 as the layer's, with that ONNX shape. */
enum ew_status ox_output_layer(struct ox_import *im, int32_t layer, const struct ox_dims *dims);

/** A layer that keeps the shape of input 0, whatever its layout. */
enum ew_status ox_output_unary(struct ox_import *im, enum ew_op op,
                               const struct ew_op_attrs *attrs);

/* ---- operators, one function per file's group; EW_ENOTSUP without a message: not known ---- */

enum ew_status ox_read_fold(struct ox_import *im);    /**< constants in, constants out */
enum ew_status ox_read_view(struct ox_import *im);    /**< shapes and rearrangements */
enum ew_status ox_read_compute(struct ox_import *im); /**< arithmetic */
enum ew_status ox_read_opaque(struct ox_import *im);  /**< anything, as one layer */

/** Parts of ox_read_compute: of two operands and more; of one. */
enum ew_status ox_read_operands(struct ox_import *im, const struct ox_value *in);
enum ew_status ox_read_elementwise(struct ox_import *im, const struct ox_value *in);

/** Shapes, and known elements, of the rearrangements that ox_read_fold and ox_read_view share. */
enum ew_status ox_reshape_dims(struct ox_dims *out, struct ox_import *im, const struct ox_dims *in);

/** Gather several layers into what they are: normalisations, activations, biases. */
enum ew_status ox_fuse(struct ox_import *im);

#endif
