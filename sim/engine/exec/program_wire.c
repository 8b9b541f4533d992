/*
 * Programs as bytes. Arrays travel as they lie in memory; what arrives is trusted in nothing: every
 * shape is inferred again, every index and box is checked before anything uses it.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exec/program.h"
#include "model/graph.h"

/* Layout and counts; `layout` changes when any struct that travels does. */
struct head {
    uint32_t layout;
    uint32_t n_devices, source_device, sink_device;
    uint32_t n_slots, n_inputs, n_nodes, n_successors, n_terms, n_boxes, n_input_slots, n_outputs;
    uint32_t result;
    uint32_t n_weight_files;
    uint32_t n_weight_places;
    uint32_t n_graph_inputs;
};

static uint32_t layout_of(void)
{
    return (uint32_t)(sizeof(struct ew_exec_slot) << 16 | sizeof(struct ew_exec_node));
}

void ew_exec_program_put(struct ew_str *out, const struct ew_exec_program *p)
{
    const struct head head = {
        layout_of(), p->n_devices,       p->source_device,    p->sink_device,
        p->n_slots,  p->n_inputs,        p->n_nodes,          p->n_successors,
        p->n_terms,  p->n_boxes,         p->n_input_slots,    p->n_outputs,
        p->result,   p->weights.n_files, p->weights.n_places, p->n_graph_inputs};
    const struct {
        const void *data;
        size_t size;
    } parts[] = {
        {&head, sizeof head},
        {p->slots, p->n_slots * sizeof *p->slots},
        {p->inputs, p->n_inputs * sizeof *p->inputs},
        {p->nodes, p->n_nodes * sizeof *p->nodes},
        {p->successors, p->n_successors * sizeof *p->successors},
        {p->terms, p->n_terms * sizeof *p->terms},
        {p->boxes, p->n_boxes * sizeof *p->boxes},
        {p->input_slots, p->n_input_slots * sizeof *p->input_slots},
        {p->input_boxes, p->n_input_slots * sizeof *p->input_boxes},
        {p->outputs, p->n_outputs * sizeof *p->outputs},
        {p->output_boxes, p->n_outputs * sizeof *p->output_boxes},
        {p->weights.files, p->weights.n_files * sizeof *p->weights.files},
        {p->weights.places, p->weights.n_places * sizeof *p->weights.places},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].size) {
            ew_str_append_n(out, parts[i].data, parts[i].size);
        }
    }
}

/* ---- reading ---- */

struct reader {
    const char *bytes;
    size_t left;
    struct ew_arena *arena;
    bool is_short;
    bool is_out_of_memory;
};

static const void *take_array(struct reader *r, uint32_t n, size_t size)
{
    if (r->is_short || n > r->left / size) {
        r->is_short = true;
        return NULL;
    }
    const void *copy = ew_arena_copy(r->arena, r->bytes, n, size);
    r->is_out_of_memory = r->is_out_of_memory || !copy;
    r->bytes += n * size;
    r->left -= n * size;
    return copy;
}

static bool is_box_in(const struct ew_box *box, const int32_t shape[EW_DIMS])
{
    if (ew_box_is_empty(box) || box->lo[EW_N] < 0 || box->hi[EW_N] > 1 << 20) {
        return false;
    }
    for (int d = EW_C; d < EW_DIMS; d++) {
        if (box->lo[d] < 0 || box->hi[d] > shape[d]) {
            return false;
        }
    }
    return ew_box_volume(box) <= INT32_MAX;
}

/* A byte that is neither 0 nor 1 must not be read as bool. */
static bool are_flags_valid(const struct ew_op_attrs *attrs)
{
    static const size_t flags[] = {
        offsetof(struct ew_op_attrs, spans[0]),  offsetof(struct ew_op_attrs, spans[1]),
        offsetof(struct ew_op_attrs, spans[2]),  offsetof(struct ew_op_attrs, is_learned),
        offsetof(struct ew_op_attrs, has_bias),  offsetof(struct ew_op_attrs, ceil_mode),
        offsetof(struct ew_op_attrs, is_affine), offsetof(struct ew_op_attrs, count_include_pad),
    };
    bool are_valid = true;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        are_valid = are_valid && ((const unsigned char *)attrs)[flags[i]] <= 1;
    }
    return are_valid;
}

static enum ew_status check_slot(const struct ew_exec_program *p, uint32_t i, uint32_t n_layers,
                                 struct ew_error *err)
{
    const struct ew_exec_slot *s = &p->slots[i];
    if (s->op >= EW_OP_COUNT || !are_flags_valid(&s->attrs) || s->n_inputs > p->n_inputs ||
        s->first_input > p->n_inputs - s->n_inputs || s->is_partial != (i >= n_layers)) {
        return ew_fail(err, EW_EINPUT, "program: slot %u is malformed", i);
    }
    for (uint32_t k = 0; k < s->n_inputs; k++) {
        const uint32_t input = p->inputs[s->first_input + k];
        if (input >= (i < n_layers ? i : n_layers)) {
            return ew_fail(err, EW_EINPUT, "program: slot %u reads slot %u", i, input);
        }
    }
    if (s->op == EW_OP_INPUT) {
        const struct ew_box whole = ew_box_full(s->shape);
        bool is_ok = s->n_inputs == 0 && s->shape[EW_N] == 1;
        for (int d = EW_C; d < EW_DIMS; d++) {
            is_ok = is_ok && s->shape[d] >= 1 && s->shape[d] <= EW_GRAPH_MAX_DIM;
        }
        return is_ok && is_box_in(&whole, s->shape)
                   ? EW_OK
                   : ew_fail(err, EW_EINPUT, "program: slot %u has a bad shape", i);
    }
    int32_t(*in_shape)[EW_DIMS] = malloc((s->n_inputs + 1u) * sizeof *in_shape);
    if (!in_shape) {
        return ew_fail_memory(err);
    }
    const struct ew_op_view view = ew_exec_slot_view(p, i, in_shape);
    int32_t shape[EW_DIMS];
    enum ew_status status = ew_op_infer_shape(shape, &view, err);
    if (status == EW_OK && memcmp(shape, s->shape, sizeof shape) != 0) {
        status = ew_fail(err, EW_EINPUT, "program: slot %u has a bad shape", i);
    }
    free(in_shape);
    return status;
}

static bool is_message_valid(const struct ew_exec_program *p, const struct ew_exec_node *n)
{
    if (n->count > p->n_boxes || n->first > p->n_boxes - n->count || n->count == 0 ||
        n->wire_bits < 1 || n->wire_bits > 32 || n->bytes == 0) {
        return false;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        if (!is_box_in(&p->boxes[n->first + i], p->slots[n->slot].shape)) {
            return false;
        }
    }
    return true;
}

static bool are_terms_valid(const struct ew_exec_program *p, const struct ew_exec_node *n)
{
    if (n->count > p->n_terms || n->first > p->n_terms - n->count || n->count == 0) {
        return false;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        const uint32_t term = p->terms[n->first + i];
        if (term >= p->n_slots || !p->slots[term].is_partial ||
            p->slots[term].op != p->slots[n->slot].op ||
            p->slots[term].layer != p->slots[n->slot].layer) {
            return false;
        }
    }
    return true;
}

static bool is_compute_valid(const struct ew_exec_program *p, const struct ew_exec_node *n,
                             int32_t (*in_shape)[EW_DIMS])
{
    const struct ew_exec_slot *s = &p->slots[n->slot];
    if (s->op == EW_OP_INPUT || n->has_reduction != s->is_partial) {
        return false;
    }
    if (!n->has_reduction) {
        return true;
    }
    const struct ew_op_view view = ew_exec_slot_view(p, n->slot, in_shape);
    return n->reduction.lo >= 0 && n->reduction.lo < n->reduction.hi &&
           n->reduction.hi <= ew_op_reduction_length(&view);
}

static bool is_node_valid(const struct ew_exec_program *p, uint32_t i, int32_t (*in_shape)[EW_DIMS])
{
    const struct ew_exec_node *n = &p->nodes[i];
    if (n->kind > EW_EXEC_RESULT || n->device >= p->n_devices || n->peer >= p->n_devices ||
        n->successors_begin > n->successors_end || n->successors_end > p->n_successors) {
        return false;
    }
    for (uint32_t k = n->successors_begin; k < n->successors_end; k++) {
        if (p->successors[k] <= i || p->successors[k] >= p->n_nodes) {
            return false;
        }
    }
    if (n->kind != EW_EXEC_COMPUTE && n->kind != EW_EXEC_SUM && n->kind != EW_EXEC_MESSAGE) {
        return true;
    }
    if (n->slot >= p->n_slots || !is_box_in(&n->box, p->slots[n->slot].shape)) {
        return false;
    }
    return n->kind == EW_EXEC_MESSAGE ? is_message_valid(p, n)
           : n->kind == EW_EXEC_SUM   ? !p->slots[n->slot].is_partial && are_terms_valid(p, n)
                                      : is_compute_valid(p, n, in_shape);
}

static enum ew_status check_ends(const struct ew_exec_program *p, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    if (p->n_graph_inputs == 0 || p->n_input_slots == 0 ||
        p->n_input_slots % p->n_graph_inputs != 0) {
        return ew_fail(err, EW_EINPUT, "program: malformed inputs");
    }
    for (uint32_t i = 0; i < p->n_input_slots && status == EW_OK; i++) {
        const uint32_t slot = p->input_slots[i];
        if (slot >= p->n_slots || p->slots[slot].op != EW_OP_INPUT ||
            !is_box_in(&p->input_boxes[i], p->slots[slot].shape)) {
            status = ew_fail(err, EW_EINPUT, "program: input %u is malformed", i);
        }
    }
    for (uint32_t i = 0; i < p->n_outputs && status == EW_OK; i++) {
        const uint32_t slot = p->outputs[i];
        if (slot >= p->n_slots || !is_box_in(&p->output_boxes[i], p->slots[slot].shape)) {
            status = ew_fail(err, EW_EINPUT, "program: output %u is malformed", i);
        }
    }
    return status;
}

static enum ew_status check_program(const struct ew_exec_program *p, struct ew_error *err)
{
    if (p->n_devices == 0 || p->source_device >= p->n_devices || p->sink_device >= p->n_devices ||
        p->result >= p->n_nodes || p->n_terms > p->n_slots) {
        return ew_fail(err, EW_EINPUT, "program: malformed head");
    }
    if (!ew_weight_table_is_valid(&p->weights)) {
        return ew_fail(err, EW_EINPUT, "program: malformed weights");
    }
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < p->n_slots && status == EW_OK; i++) {
        status = check_slot(p, i, p->n_slots - p->n_terms, err);
    }
    int32_t(*in_shape)[EW_DIMS] = malloc((p->n_inputs + 1u) * sizeof *in_shape);
    if (!in_shape) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < p->n_nodes && status == EW_OK; i++) {
        if (!is_node_valid(p, i, in_shape)) {
            status = ew_fail(err, EW_EINPUT, "program: node %u is malformed", i);
        }
    }
    free(in_shape);
    return status ? status : check_ends(p, err);
}

static void take_parts(struct reader *r, struct ew_exec_program *p)
{
    p->slots = take_array(r, p->n_slots, sizeof *p->slots);
    p->inputs = take_array(r, p->n_inputs, sizeof *p->inputs);
    p->nodes = take_array(r, p->n_nodes, sizeof *p->nodes);
    p->successors = take_array(r, p->n_successors, sizeof *p->successors);
    p->terms = take_array(r, p->n_terms, sizeof *p->terms);
    p->boxes = take_array(r, p->n_boxes, sizeof *p->boxes);
    p->input_slots = take_array(r, p->n_input_slots, sizeof *p->input_slots);
    p->input_boxes = take_array(r, p->n_input_slots, sizeof *p->input_boxes);
    p->outputs = take_array(r, p->n_outputs, sizeof *p->outputs);
    p->output_boxes = take_array(r, p->n_outputs, sizeof *p->output_boxes);
    p->weights.files = take_array(r, p->weights.n_files, sizeof *p->weights.files);
    p->weights.places = take_array(r, p->weights.n_places, sizeof *p->weights.places);
}

enum ew_status ew_exec_program_get(struct ew_exec_program **out, const char *bytes, size_t size,
                                   struct ew_error *err)
{
    struct head head;
    if (size < sizeof head) {
        return ew_fail(err, EW_EINPUT, "program: expected at least %zu bytes, found %zu",
                       sizeof head, size);
    }
    memcpy(&head, bytes, sizeof head);
    if (head.layout != layout_of()) {
        return ew_fail(err, EW_EINPUT, "program: made by another version of EdgeWeave");
    }
    struct ew_arena arena = {0};
    struct ew_exec_program *p = ew_arena_calloc(&arena, 1, sizeof *p);
    if (!p) {
        return ew_fail_memory(err);
    }
    *p = (struct ew_exec_program){
        .n_devices = head.n_devices,
        .source_device = head.source_device,
        .sink_device = head.sink_device,
        .n_slots = head.n_slots,
        .n_inputs = head.n_inputs,
        .n_nodes = head.n_nodes,
        .n_successors = head.n_successors,
        .n_terms = head.n_terms,
        .n_boxes = head.n_boxes,
        .n_input_slots = head.n_input_slots,
        .n_outputs = head.n_outputs,
        .n_graph_inputs = head.n_graph_inputs,
        .result = head.result,
        .weights = {.n_files = head.n_weight_files, .n_places = head.n_weight_places}};
    struct reader r = {bytes + sizeof head, size - sizeof head, &arena, false, false};
    take_parts(&r, p);
    enum ew_status status = EW_OK;
    if (r.is_short || r.left) {
        status = ew_fail(err, EW_EINPUT, "program: %s", r.is_short ? "cut short" : "too long");
    } else if (r.is_out_of_memory) {
        status = ew_fail_memory(err);
    } else {
        status = check_program(p, err);
    }
    if (status != EW_OK) {
        ew_arena_fini(&arena);
        return status;
    }
    p->arena = arena;
    *out = p;
    return EW_OK;
}
