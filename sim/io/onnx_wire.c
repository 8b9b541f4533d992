/*
 * Decoding with nanopb. Every text, repeated field and tensor is a callback that notes where the
 * bytes are: nanopb reads from memory, so the position of its stream is an address in the file's
 * map, and skipping a tensor touches none of its pages.
 */
#include "io/onnx_wire.h"

#include <pb_decode.h>
#include <string.h>

#include "base/vec.h"
#include "onnx_min.pb.h"

struct decoder;

/* Growing arrays, copied to the arena once complete. */
struct numbers {
    struct decoder *decoder;
    EW_VEC(double) values;
    size_t n;
    struct ox_text span; /* of the first packed run */
    size_t n_runs;
};

struct texts {
    struct decoder *decoder;
    EW_VEC(struct ox_text) items;
};

struct attributes {
    struct decoder *decoder;
    EW_VEC(struct ox_attribute) items;
};

/* What all callbacks share. */
struct decoder {
    struct ew_arena *arena;
    const char *begin, *end; /* the file */
    size_t failed_at;        /* SIZE_MAX: not yet */
    bool is_out_of_memory;
    /* work space of the node and the tensor being read, kept from one to the next */
    struct texts inputs, outputs;
    struct attributes attributes;
    struct numbers numbers;                         /* of an attribute */
    struct numbers dims, integers, floats, doubles; /* of a tensor */
};

/* ---- leaves ---- */

static bool run_out(struct decoder *d)
{
    d->is_out_of_memory = true;
    return false;
}

static void note_failure(struct decoder *d, const pb_istream_t *stream)
{
    const char *at = stream->state;
    if (d->failed_at == SIZE_MAX && at >= d->begin && at <= d->end) {
        d->failed_at = (size_t)(at - d->begin);
    }
}

/* The rest of the stream, as a view of the file. */
static struct ox_text rest_of(const pb_istream_t *stream)
{
    return (struct ox_text){stream->state, stream->bytes_left};
}

static bool is_inside(const struct decoder *d, struct ox_text text)
{
    return !text.at ||
           (text.at >= d->begin && text.at <= d->end && text.size <= (size_t)(d->end - text.at));
}

/* A text field that a damaged file writes as a number comes in a buffer of nanopb's, which is gone
 * by now: such a file is refused. Every text is checked once its message is complete. */
static bool are_inside(const struct decoder *d, const struct ox_text *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_inside(d, texts[i])) {
            return false;
        }
    }
    return true;
}

#define ARE_INSIDE(decoder, ...)                                                                   \
    are_inside((decoder), (const struct ox_text[]){__VA_ARGS__},                                   \
               sizeof((const struct ox_text[]){__VA_ARGS__}) / sizeof(struct ox_text))

static bool read_text(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct ox_text *out = *arg;
    *out = rest_of(stream);
    return pb_read(stream, NULL, stream->bytes_left);
}

static bool read_texts(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct texts *texts = *arg;
    if (!is_inside(texts->decoder, rest_of(stream))) {
        return false;
    }
    if (!ew_vec_push(&texts->items, rest_of(stream))) {
        return run_out(texts->decoder);
    }
    return pb_read(stream, NULL, stream->bytes_left);
}

static void begin_numbers(struct numbers *numbers)
{
    numbers->values.count = numbers->n = numbers->n_runs = 0;
    numbers->span = (struct ox_text){NULL, 0};
}

static bool add_number(struct numbers *numbers, double x)
{
    numbers->n++;
    if (numbers->values.count >= OX_MAX_VALUES) {
        return true;
    }
    return ew_vec_push(&numbers->values, x) || run_out(numbers->decoder);
}

static bool read_varints(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    uint64_t x = 0;
    while (stream->bytes_left > 0) {
        if (!pb_decode_varint(stream, &x) || !add_number(*arg, (double)(int64_t)x)) {
            return false;
        }
    }
    return true;
}

/* Note where a packed run lies; single numbers come in a buffer of nanopb's. */
static void note_run(struct numbers *numbers, const pb_istream_t *stream)
{
    const struct ox_text run = rest_of(stream);
    const bool is_in_file = run.at >= numbers->decoder->begin && run.at < numbers->decoder->end;
    if (numbers->n_runs++ == 0 && is_in_file) {
        numbers->span = run;
    } else {
        numbers->span = (struct ox_text){NULL, 0};
    }
}

static bool read_floats(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct numbers *numbers = *arg;
    float x = 0;
    note_run(numbers, stream);
    while (stream->bytes_left > 0 && numbers->values.count < OX_MAX_VALUES) {
        if (!pb_decode_fixed32(stream, &x) || !add_number(numbers, (double)x)) {
            return false;
        }
    }
    numbers->n += stream->bytes_left / sizeof x;
    return pb_read(stream, NULL, stream->bytes_left);
}

static bool read_doubles(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct numbers *numbers = *arg;
    double x = 0;
    note_run(numbers, stream);
    while (stream->bytes_left > 0 && numbers->values.count < OX_MAX_VALUES) {
        if (!pb_decode_fixed64(stream, &x) || !add_number(numbers, x)) {
            return false;
        }
    }
    numbers->n += stream->bytes_left / sizeof x;
    return pb_read(stream, NULL, stream->bytes_left);
}

static pb_callback_t on(bool (*read)(pb_istream_t *, const pb_field_t *, void **), void *arg)
{
    pb_callback_t callback = {.funcs = {.decode = read}, .arg = arg};
    return callback;
}

/* `out` is zeroed but for its callbacks, as nanopb would otherwise do field by field. */
static bool decode(struct decoder *d, pb_istream_t *stream, const pb_msgdesc_t *fields, void *out)
{
    const bool is_ok = pb_decode_ex(stream, fields, out, PB_DECODE_NOINIT);
    if (!is_ok) {
        note_failure(d, stream);
    }
    return is_ok;
}

/* A field of a message of which every field is a callback over a stretch of bytes. */
struct part {
    uint32_t tag;
    bool (*read)(pb_istream_t *, const pb_field_t *, void **);
    void *arg;
};

/* Bytes of a number, as they stand; false when there is none. */
static bool read_raw(pb_byte_t out[10], size_t *n, pb_istream_t *stream, pb_wire_type_t wire)
{
    *n = wire == PB_WT_64BIT ? 8 : wire == PB_WT_32BIT ? 4 : 0;
    if (wire != PB_WT_VARINT) {
        return *n > 0 ? pb_read(stream, out, *n)
                      : (PB_SET_ERROR(stream, "invalid wire_type"), false);
    }
    do {
        if (*n == 10) {
            PB_SET_ERROR(stream, "varint overflow");
            return false;
        }
        if (!pb_read(stream, &out[*n], 1)) {
            return false;
        }
    } while (out[(*n)++] & 0x80);
    return true;
}

/* The next byte, when it is a whole number: most tags and lengths are, and nanopb takes several
 * calls to fetch one. The stream is one over memory. */
static bool is_small_next(uint32_t *out, const pb_istream_t *stream)
{
    const pb_byte_t *at = stream->state;
    const bool is_small = stream->bytes_left > 0 && *at < 0x80;
    *out = is_small ? *at : 0;
    return is_small;
}

static void skip_byte(pb_istream_t *stream)
{
    stream->state = (pb_byte_t *)stream->state + 1;
    stream->bytes_left--;
}

static bool open_tag(uint32_t *tag, pb_wire_type_t *wire, bool *is_end, pb_istream_t *stream)
{
    uint32_t both = 0;
    if (!is_small_next(&both, stream)) {
        return pb_decode_tag(stream, wire, tag, is_end);
    }
    skip_byte(stream);
    *tag = both >> 3;
    *wire = (pb_wire_type_t)(both & 7);
    return true;
}

static bool open_stretch(pb_istream_t *inner, pb_istream_t *stream)
{
    uint32_t n = 0;
    if (!is_small_next(&n, stream) || n > stream->bytes_left - 1) {
        return pb_make_string_substream(stream, inner);
    }
    skip_byte(stream);
    *inner = *stream;
    inner->bytes_left = n;
    stream->bytes_left -= n;
    return true;
}

static bool decode_part(pb_istream_t *stream, pb_wire_type_t wire, const struct part *part)
{
    pb_istream_t inner;
    void *arg = part->arg;
    if (wire != PB_WT_STRING) { /* a number, where a text or a message belongs: see is_inside */
        pb_byte_t raw[10];
        size_t n = 0;
        if (!read_raw(raw, &n, stream, wire)) {
            return false;
        }
        inner = pb_istream_from_buffer(raw, n);
        return part->read(&inner, NULL, &arg);
    }
    if (!open_stretch(&inner, stream)) {
        return false;
    }
    if (!part->read(&inner, NULL, &arg)) {
        PB_SET_ERROR(stream, inner.errmsg ? inner.errmsg : "callback failed");
        return false;
    }
    return pb_close_string_substream(stream, &inner);
}

/* What decode() does, for such a message: nodes are most of a file without weights, and looking up
 * descriptors of fields is most of what their decoding costs. */
static bool decode_parts(struct decoder *d, pb_istream_t *stream, const struct part *parts,
                         size_t n)
{
    bool is_ok = true;
    while (is_ok && stream->bytes_left > 0) {
        uint32_t tag = 0;
        pb_wire_type_t wire = PB_WT_VARINT;
        bool is_end = false;
        is_ok = open_tag(&tag, &wire, &is_end, stream);
        if (is_end) {
            return true;
        }
        if (is_ok && tag == 0) {
            PB_SET_ERROR(stream, "zero tag");
            is_ok = false;
        }
        const struct part *part = NULL;
        for (size_t i = 0; i < n && !part; i++) {
            part = parts[i].tag == tag ? &parts[i] : NULL;
        }
        is_ok = is_ok && (part ? decode_part(stream, wire, part) : pb_skip_field(stream, wire));
    }
    if (!is_ok) {
        note_failure(d, stream);
    }
    return is_ok;
}

/* The array as arena memory. */
#define KEEP(decoder, out, vec)                                                                    \
    ((out) = ew_arena_copy((decoder)->arena, (vec)->items, (vec)->count, sizeof *(vec)->items),    \
     (out) != NULL || run_out(decoder))

/* ---- tensors ---- */

struct external {
    struct decoder *decoder;
    struct ox_text file;
};

static bool read_external(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct external *external = *arg;
    struct ox_text key = {NULL, 0}, value = {NULL, 0};
    ew_onnx_StringStringEntry entry = {.key = on(read_text, &key), .value = on(read_text, &value)};
    if (!decode(external->decoder, stream, ew_onnx_StringStringEntry_fields, &entry) ||
        !ARE_INSIDE(external->decoder, key, value)) {
        return false;
    }
    if (ox_text_is(key, "location")) {
        external->file = value;
    }
    return true;
}

/* Work space of one tensor: prepare, decode, finish. */
struct tensor_reader {
    struct ox_text name, raw;
    struct external external;
};

static void prepare_tensor(ew_onnx_Tensor *message, struct tensor_reader *r, struct decoder *d)
{
    *r = (struct tensor_reader){.external.decoder = d};
    begin_numbers(&d->dims);
    begin_numbers(&d->integers);
    begin_numbers(&d->floats);
    begin_numbers(&d->doubles);
    message->dims = on(read_varints, &d->dims);
    message->int32_data = on(read_varints, &d->integers);
    message->int64_data = on(read_varints, &d->integers);
    message->float_data = on(read_floats, &d->floats);
    message->double_data = on(read_doubles, &d->doubles);
    message->name = on(read_text, &r->name);
    message->raw_data = on(read_text, &r->raw);
    message->external_data = on(read_external, &r->external);
}

static bool finish_tensor(struct ox_tensor *out, const ew_onnx_Tensor *message,
                          const struct tensor_reader *r, struct decoder *d)
{
    *out = (struct ox_tensor){.name = r->name, .dtype = message->data_type};
    out->n_dims = d->dims.n < UINT32_MAX ? (uint32_t)d->dims.n : UINT32_MAX;
    for (size_t i = 0; i < d->dims.values.count && i < OX_MAX_RANK; i++) {
        out->dims[i] = ox_to_i64(d->dims.values.items[i]);
    }
    out->is_external = message->data_location == 1;
    out->external_file = r->external.file;
    const struct numbers *numbers = d->floats.n    ? &d->floats
                                    : d->doubles.n ? &d->doubles
                                                   : &d->integers;
    out->data = r->raw.at ? r->raw : numbers->span;
    out->n_values = numbers->n;
    return KEEP(d, out->values, &numbers->values) &&
           ARE_INSIDE(d, out->name, out->data, out->external_file);
}

/* ---- nodes ---- */

static bool finish_attribute(struct ox_attribute *a, const ew_onnx_Attribute *message,
                             const struct tensor_reader *tensor, struct decoder *d)
{
    a->has_f = message->has_f;
    a->f = message->f;
    a->has_i = message->has_i;
    a->i = message->i;
    a->has_s = a->s.at != NULL;
    a->n_numbers = d->numbers.values.count;
    if (!ARE_INSIDE(d, a->name, a->s) || !KEEP(d, a->numbers, &d->numbers.values)) {
        return false;
    }
    if (message->has_t) {
        struct ox_tensor *t = ew_arena_calloc(d->arena, 1, sizeof *t);
        if (!t) {
            return run_out(d);
        }
        a->t = t;
        return finish_tensor(t, &message->t, tensor, d);
    }
    return true;
}

static bool read_attribute(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct attributes *list = *arg;
    struct decoder *d = list->decoder;
    struct ox_attribute a = {0};
    struct tensor_reader tensor;
    ew_onnx_Attribute message = ew_onnx_Attribute_init_zero;
    message.name = on(read_text, &a.name);
    message.s = on(read_text, &a.s);
    message.ints = on(read_varints, &d->numbers);
    message.floats = on(read_floats, &d->numbers);
    begin_numbers(&d->numbers);
    prepare_tensor(&message.t, &tensor, d);
    return decode(d, stream, ew_onnx_Attribute_fields, &message) &&
           finish_attribute(&a, &message, &tensor, d) &&
           (ew_vec_push(&list->items, a) || run_out(d));
}

struct nodes {
    struct decoder *decoder;
    EW_VEC(struct ox_node) items;
};

static bool read_node(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct nodes *list = *arg;
    struct decoder *d = list->decoder;
    struct ox_node node = {0};
    const struct part parts[] = {
        {ew_onnx_Node_input_tag, read_texts, &d->inputs},
        {ew_onnx_Node_output_tag, read_texts, &d->outputs},
        {ew_onnx_Node_name_tag, read_text, &node.name},
        {ew_onnx_Node_op_type_tag, read_text, &node.op},
        {ew_onnx_Node_attribute_tag, read_attribute, &d->attributes},
        {ew_onnx_Node_domain_tag, read_text, &node.domain},
    };
    d->inputs.items.count = d->outputs.items.count = d->attributes.items.count = 0;
    const bool is_ok = decode_parts(d, stream, parts, sizeof parts / sizeof *parts) &&
                       ARE_INSIDE(d, node.name, node.op, node.domain);
    node.n_inputs = (uint32_t)d->inputs.items.count;
    node.n_outputs = (uint32_t)d->outputs.items.count;
    node.n_attributes = (uint32_t)d->attributes.items.count;
    return is_ok && KEEP(d, node.inputs, &d->inputs.items) &&
           KEEP(d, node.outputs, &d->outputs.items) &&
           KEEP(d, node.attributes, &d->attributes.items) &&
           (ew_vec_push(&list->items, node) || run_out(d));
}

/* ---- values ---- */

struct shape_reader {
    struct decoder *decoder;
    struct ox_value_info *info;
};

static bool read_dimension(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct shape_reader *shape = *arg;
    struct ox_text symbol = {NULL, 0};
    ew_onnx_Dimension message = {.dim_param = on(read_text, &symbol)};
    if (!decode(shape->decoder, stream, ew_onnx_Dimension_fields, &message) ||
        !ARE_INSIDE(shape->decoder, symbol)) {
        return false;
    }
    struct ox_value_info *info = shape->info;
    if (info->n_dims < OX_MAX_RANK) {
        info->dims[info->n_dims] = message.has_dim_value ? message.dim_value : OX_UNKNOWN;
        info->symbols[info->n_dims] = symbol;
    }
    info->n_dims += info->n_dims < UINT32_MAX;
    return true;
}

struct infos {
    struct decoder *decoder;
    EW_VEC(struct ox_value_info) items;
};

static bool read_info(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct infos *list = *arg;
    struct ox_value_info info = {0};
    struct shape_reader shape = {list->decoder, &info};
    ew_onnx_ValueInfo message = ew_onnx_ValueInfo_init_zero;
    message.name = on(read_text, &info.name);
    message.type.tensor_type.shape.dim = on(read_dimension, &shape);
    if (!decode(list->decoder, stream, ew_onnx_ValueInfo_fields, &message) ||
        !ARE_INSIDE(list->decoder, info.name)) {
        return false;
    }
    info.dtype = message.type.tensor_type.elem_type;
    info.has_shape =
        message.has_type && message.type.has_tensor_type && message.type.tensor_type.has_shape;
    return ew_vec_push(&list->items, info) || run_out(list->decoder);
}

struct tensors {
    struct decoder *decoder;
    EW_VEC(struct ox_tensor) items;
};

static bool read_initializer(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct tensors *list = *arg;
    struct ox_tensor tensor;
    struct tensor_reader reader;
    ew_onnx_Tensor message = ew_onnx_Tensor_init_zero;
    prepare_tensor(&message, &reader, list->decoder);
    return decode(list->decoder, stream, ew_onnx_Tensor_fields, &message) &&
           finish_tensor(&tensor, &message, &reader, list->decoder) &&
           (ew_vec_push(&list->items, tensor) || run_out(list->decoder));
}

/* ---- the model ---- */

struct opsets {
    struct decoder *decoder;
    int64_t version;
};

static bool read_opset(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct opsets *opsets = *arg;
    struct ox_text domain = {NULL, 0};
    ew_onnx_OperatorSet message = {.domain = on(read_text, &domain)};
    if (!decode(opsets->decoder, stream, ew_onnx_OperatorSet_fields, &message) ||
        !ARE_INSIDE(opsets->decoder, domain)) {
        return false;
    }
    if (domain.size == 0 || ox_text_is(domain, "ai.onnx")) {
        opsets->version = message.version;
    }
    return true;
}

/* The lists of one graph while it is read. */
struct lists {
    struct nodes nodes;
    struct tensors initializers;
    struct infos inputs, outputs, infos;
    struct opsets opsets;
};

static bool keep_lists(struct ox_model *out, struct lists *l, struct decoder *d)
{
    out->n_nodes = (uint32_t)l->nodes.items.count;
    out->n_initializers = (uint32_t)l->initializers.items.count;
    out->n_inputs = (uint32_t)l->inputs.items.count;
    out->n_outputs = (uint32_t)l->outputs.items.count;
    out->n_infos = (uint32_t)l->infos.items.count;
    return KEEP(d, out->nodes, &l->nodes.items) &&
           KEEP(d, out->initializers, &l->initializers.items) &&
           KEEP(d, out->inputs, &l->inputs.items) && KEEP(d, out->outputs, &l->outputs.items) &&
           KEEP(d, out->infos, &l->infos.items);
}

/* Every list says whose it is. */
static void begin_decoder(struct decoder *d)
{
    d->inputs.decoder = d->outputs.decoder = d->attributes.decoder = d;
    d->numbers.decoder = d->dims.decoder = d->integers.decoder = d;
    d->floats.decoder = d->doubles.decoder = d;
}

static void free_decoder(struct decoder *d, struct lists *l)
{
    ew_vec_fini(&d->inputs.items);
    ew_vec_fini(&d->outputs.items);
    ew_vec_fini(&d->attributes.items);
    ew_vec_fini(&d->numbers.values);
    ew_vec_fini(&d->dims.values);
    ew_vec_fini(&d->integers.values);
    ew_vec_fini(&d->floats.values);
    ew_vec_fini(&d->doubles.values);
    ew_vec_fini(&l->nodes.items);
    ew_vec_fini(&l->initializers.items);
    ew_vec_fini(&l->inputs.items);
    ew_vec_fini(&l->outputs.items);
    ew_vec_fini(&l->infos.items);
}

enum ew_status ox_decode(struct ox_model *out, struct ew_arena *arena, const void *data,
                         size_t size, struct ew_error *err)
{
    struct decoder d = {
        .arena = arena, .begin = data, .end = (const char *)data + size, .failed_at = SIZE_MAX};
    struct lists l = {.nodes = {.decoder = &d},
                      .initializers = {.decoder = &d},
                      .inputs = {.decoder = &d},
                      .outputs = {.decoder = &d},
                      .infos = {.decoder = &d},
                      .opsets = {.decoder = &d}};
    struct ox_model model = {0};
    ew_onnx_Model message = ew_onnx_Model_init_zero;
    message.producer_name = on(read_text, &model.producer);
    message.producer_version = on(read_text, &model.producer_version);
    message.opset_import = on(read_opset, &l.opsets);
    message.graph.node = on(read_node, &l.nodes);
    message.graph.name = on(read_text, &model.graph_name);
    message.graph.initializer = on(read_initializer, &l.initializers);
    message.graph.input = on(read_info, &l.inputs);
    message.graph.output = on(read_info, &l.outputs);
    message.graph.value_info = on(read_info, &l.infos);
    begin_decoder(&d);
    pb_istream_t stream = pb_istream_from_buffer(data, size);
    const bool is_decoded = decode(&d, &stream, ew_onnx_Model_fields, &message);
    const bool is_ok = is_decoded && keep_lists(&model, &l, &d) &&
                       ARE_INSIDE(&d, model.producer, model.producer_version, model.graph_name);
    free_decoder(&d, &l);
    if (d.is_out_of_memory) {
        return ew_fail_memory(err);
    }
    if (!is_ok && *(const char *)data == '{') { /* no ONNX file begins so */
        return ew_fail(err, EW_EINPUT,
                       "not an ONNX file: it looks like JSON; graph files need no "
                       "import");
    }
    if (!is_ok) {
        return ew_fail(err, EW_EINPUT, "not an ONNX file, or a damaged one: byte %zu of %zu: %s",
                       d.failed_at == SIZE_MAX ? (size_t)0 : d.failed_at, size,
                       stream.errmsg ? stream.errmsg : "a field of the wrong type");
    }
    model.has_graph = message.has_graph;
    model.ir_version = message.ir_version;
    model.opset = l.opsets.version;
    *out = model;
    return EW_OK;
}

/* ---- element types ---- */

static const struct {
    int32_t dtype;
    size_t bytes;
    const char *name;
} dtypes[] = {
    {OX_FLOAT, 4, "float32"},
    {OX_UINT8, 1, "uint8"},
    {OX_INT8, 1, "int8"},
    {4, 2, "uint16"},
    {5, 2, "int16"},
    {OX_INT32, 4, "int32"},
    {OX_INT64, 8, "int64"},
    {OX_BOOL, 1, "bool"},
    {OX_FLOAT16, 2, "float16"},
    {OX_DOUBLE, 8, "float64"},
    {12, 4, "uint32"},
    {13, 8, "uint64"},
    {OX_BFLOAT16, 2, "bfloat16"},
};

size_t ox_dtype_bytes(int32_t dtype)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (dtypes[i].dtype == dtype) {
            return dtypes[i].bytes;
        }
    }
    return 0;
}

const char *ox_dtype_name(int32_t dtype)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (dtypes[i].dtype == dtype) {
            return dtypes[i].name;
        }
    }
    return "?";
}

bool ox_text_is(struct ox_text text, const char *what)
{
    return text.size == strlen(what) && memcmp(text.at, what, text.size) == 0;
}
