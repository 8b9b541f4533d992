#include "engine/exec/program.h"

#include <stdlib.h>
#include <string.h>

/* What is being built; arrays sized before they are filled. */
struct maker {
    const struct ew_plan_context *context;
    const struct ew_plan *plan;
    const struct ew_task_graph *graph;
    struct ew_exec_program *program;
    uint32_t *first_slot;   /* per segment */
    uint32_t *partial_slot; /* per piece; EW_NONE: not a partial sum */
    struct ew_exec_slot *slots;
    uint32_t *inputs;
    struct ew_exec_node *nodes;
    uint32_t *terms;
};

static const struct ew_graph *segment_graph(const struct maker *m, uint32_t segment)
{
    return ew_segment_graph(m->context->graph, &m->plan->segments[segment]);
}

static struct ew_box segment_box(const struct maker *m, uint32_t segment, uint32_t layer)
{
    struct ew_box box = ew_box_full(segment_graph(m, segment)->layers[layer].shape);
    box.lo[EW_N] = m->plan->segments[segment].image_lo;
    box.hi[EW_N] = m->plan->segments[segment].image_hi;
    return box;
}

/* ---- sizes ---- */

static enum ew_status count_all(struct maker *m, struct ew_error *err)
{
    struct ew_exec_program *p = m->program;
    m->first_slot = ew_arena_calloc(&p->arena, m->plan->n_segments + 1u, sizeof *m->first_slot);
    m->partial_slot = ew_arena_calloc(&p->arena, m->plan->n_pieces + 1u, sizeof *m->partial_slot);
    if (!m->first_slot || !m->partial_slot) {
        return ew_fail_memory(err);
    }
    for (uint32_t s = 0; s < m->plan->n_segments; s++) {
        const struct ew_graph *graph = segment_graph(m, s);
        m->first_slot[s] = p->n_slots;
        p->n_slots += graph->n_layers;
        p->n_input_slots += graph->n_inputs;
        p->n_outputs += graph->exits[m->plan->segments[s].exit].n_layers;
        for (uint32_t l = 0; l < graph->n_layers; l++) {
            p->n_inputs += graph->layers[l].n_inputs;
        }
    }
    for (uint32_t i = 0; i < m->plan->n_pieces; i++) {
        const struct ew_piece *piece = &m->plan->pieces[i];
        m->partial_slot[i] = EW_NONE;
        if (piece->role == EW_PIECE_PARTIAL) {
            m->partial_slot[i] = p->n_slots++;
            p->n_terms++;
            p->n_inputs += segment_graph(m, piece->segment)->layers[piece->layer].n_inputs;
        }
    }
    p->n_nodes = m->graph->n_nodes;
    p->n_successors = m->graph->n_successors;
    p->n_boxes = m->graph->box_begin[m->graph->n_nodes];
    return EW_OK;
}

/* ---- slots ---- */

static void put_slot(struct maker *m, uint32_t slot, uint32_t segment, uint32_t layer_id,
                     bool is_partial, uint32_t *next_input)
{
    const struct ew_layer *layer = &segment_graph(m, segment)->layers[layer_id];
    struct ew_exec_slot *s = &m->slots[slot];
    memset(s, 0, sizeof *s);
    s->op = (uint32_t)layer->op;
    s->variant = m->plan->segments[segment].variant;
    s->layer = layer_id;
    s->is_partial = is_partial;
    s->first_input = *next_input;
    s->n_inputs = layer->n_inputs;
    memcpy(s->shape, layer->shape, sizeof s->shape);
    s->attrs = layer->attrs;
    for (uint32_t i = 0; i < layer->n_inputs; i++) {
        m->inputs[(*next_input)++] = m->first_slot[segment] + layer->inputs[i];
    }
}

static void fill_slots(struct maker *m)
{
    uint32_t next_input = 0;
    for (uint32_t s = 0; s < m->plan->n_segments; s++) {
        for (uint32_t l = 0; l < segment_graph(m, s)->n_layers; l++) {
            put_slot(m, m->first_slot[s] + l, s, l, false, &next_input);
        }
    }
    for (uint32_t i = 0; i < m->plan->n_pieces; i++) {
        if (m->partial_slot[i] != EW_NONE) {
            put_slot(m, m->partial_slot[i], m->plan->pieces[i].segment, m->plan->pieces[i].layer,
                     true, &next_input);
        }
    }
}

/* ---- nodes ---- */

static void put_compute(struct maker *m, struct ew_exec_node *node, uint32_t number)
{
    const struct ew_piece *piece = &m->plan->pieces[number];
    node->kind = piece->role == EW_PIECE_SUM ? EW_EXEC_SUM : EW_EXEC_COMPUTE;
    node->slot = m->partial_slot[number] != EW_NONE ? m->partial_slot[number]
                                                    : m->first_slot[piece->segment] + piece->layer;
    node->box = piece->box;
    node->has_reduction = piece->role == EW_PIECE_PARTIAL;
    if (node->has_reduction) {
        node->reduction = piece->reduction;
    }
}

static void put_message(struct maker *m, struct ew_exec_node *node, uint32_t i)
{
    const struct ew_task_info *info = &m->graph->info[i];
    const bool is_partial =
        info->piece < m->plan->n_pieces && m->partial_slot[info->piece] != EW_NONE;
    const struct ew_boundary boundary =
        ew_plan_boundary(m->plan, m->plan->segments[info->segment].variant, info->layer);
    node->kind = EW_EXEC_MESSAGE;
    node->peer = m->graph->nodes[i].peer;
    node->slot =
        is_partial ? m->partial_slot[info->piece] : m->first_slot[info->segment] + info->layer;
    node->box = info->box;
    node->first = m->graph->box_begin[i];
    node->count = m->graph->box_begin[i + 1] - node->first;
    node->wire_bits = boundary.wire_bits ? boundary.wire_bits : 32;
    node->bytes = m->graph->nodes[i].bytes;
}

static void fill_nodes(struct maker *m)
{
    for (uint32_t i = 0; i < m->graph->n_nodes; i++) {
        const struct ew_task_node *from = &m->graph->nodes[i];
        struct ew_exec_node *node = &m->nodes[i];
        memset(node, 0, sizeof *node);
        node->device = from->device;
        node->peer = from->device;
        node->successors_begin = from->successors_begin;
        node->successors_end = from->successors_end;
        if (from->kind == EW_NODE_MESSAGE) {
            put_message(m, node, i);
        } else if (from->kind == EW_NODE_COMPUTE && !m->graph->info[i].is_conversion) {
            put_compute(m, node, m->graph->info[i].piece);
        } else if (from->is_input) {
            node->kind = EW_EXEC_INPUT;
        } else if (i == m->graph->result) {
            node->kind = EW_EXEC_RESULT;
        }
    }
}

static int compare_terms(const void *a, const void *b)
{
    const struct ew_piece *const *x = a;
    const struct ew_piece *const *y = b;
    if ((*x)->sum != (*y)->sum) {
        return (*x)->sum < (*y)->sum ? -1 : 1;
    }
    return (*x)->reduction.lo < (*y)->reduction.lo ? -1 : (*x)->reduction.lo > (*y)->reduction.lo;
}

/* Terms of every sum, in the order of their reductions. */
static enum ew_status fill_terms(struct maker *m, struct ew_error *err)
{
    const uint32_t n = m->program->n_terms;
    const struct ew_piece **partials = malloc((n + 1u) * sizeof *partials);
    uint32_t *first = malloc((m->plan->n_pieces + 1u) * sizeof *first); /* per sum piece */
    uint32_t *count = calloc(m->plan->n_pieces + 1u, sizeof *count);
    const bool is_ok = partials && first && count;
    if (is_ok) {
        uint32_t found = 0;
        for (uint32_t i = 0; i < m->plan->n_pieces; i++) {
            if (m->partial_slot[i] != EW_NONE) {
                partials[found++] = &m->plan->pieces[i];
            }
        }
        qsort(partials, n, sizeof *partials, compare_terms);
        for (uint32_t i = 0; i < n; i++) {
            m->terms[i] = m->partial_slot[partials[i] - m->plan->pieces];
            first[partials[i]->sum] = count[partials[i]->sum]++ ? first[partials[i]->sum] : i;
        }
        for (uint32_t i = 0; i < m->graph->n_nodes; i++) {
            if (m->nodes[i].kind == EW_EXEC_SUM) {
                m->nodes[i].first = first[m->graph->info[i].piece];
                m->nodes[i].count = count[m->graph->info[i].piece];
            }
        }
    }
    free(partials);
    free(first);
    free(count);
    return is_ok ? EW_OK : ew_fail_memory(err);
}

/* ---- ends ---- */

static enum ew_status fill_ends(struct maker *m, struct ew_error *err)
{
    struct ew_exec_program *p = m->program;
    uint32_t *input_slots = ew_arena_calloc(&p->arena, p->n_input_slots, sizeof *input_slots);
    struct ew_box *input_boxes = ew_arena_calloc(&p->arena, p->n_input_slots, sizeof *input_boxes);
    uint32_t *outputs = ew_arena_calloc(&p->arena, p->n_outputs, sizeof *outputs);
    struct ew_box *output_boxes = ew_arena_calloc(&p->arena, p->n_outputs, sizeof *output_boxes);
    if (!input_slots || !input_boxes || !outputs || !output_boxes) {
        return ew_fail_memory(err);
    }
    uint32_t n_inputs = 0;
    uint32_t n_outputs = 0;
    for (uint32_t s = 0; s < m->plan->n_segments; s++) {
        const struct ew_graph *graph = segment_graph(m, s);
        for (uint32_t i = 0; i < graph->n_inputs; i++) {
            input_slots[n_inputs] = m->first_slot[s] + graph->inputs[i];
            input_boxes[n_inputs++] = segment_box(m, s, graph->inputs[i]);
        }
        const struct ew_exit *exit = &graph->exits[m->plan->segments[s].exit];
        for (uint32_t i = 0; i < exit->n_layers; i++) {
            outputs[n_outputs] = m->first_slot[s] + exit->layers[i];
            output_boxes[n_outputs++] = segment_box(m, s, exit->layers[i]);
        }
    }
    p->input_slots = input_slots;
    p->input_boxes = input_boxes;
    p->outputs = outputs;
    p->output_boxes = output_boxes;
    p->result = m->graph->result;
    p->successors =
        ew_arena_copy(&p->arena, m->graph->successors, p->n_successors, sizeof(uint32_t));
    p->boxes = ew_arena_copy(&p->arena, m->graph->boxes, p->n_boxes, sizeof(struct ew_box));
    return p->successors && p->boxes ? EW_OK : ew_fail_memory(err);
}

static enum ew_status make_all(struct maker *m, struct ew_error *err)
{
    struct ew_exec_program *p = m->program;
    enum ew_status status = count_all(m, err);
    if (status != EW_OK) {
        return status;
    }
    p->slots = m->slots = ew_arena_calloc(&p->arena, p->n_slots, sizeof *m->slots);
    p->inputs = m->inputs = ew_arena_calloc(&p->arena, p->n_inputs, sizeof *m->inputs);
    p->nodes = m->nodes = ew_arena_calloc(&p->arena, p->n_nodes, sizeof *m->nodes);
    p->terms = m->terms = ew_arena_calloc(&p->arena, p->n_terms, sizeof *m->terms);
    if (!m->slots || !m->inputs || !m->nodes || !m->terms) {
        return ew_fail_memory(err);
    }
    fill_slots(m);
    fill_nodes(m);
    status = fill_terms(m, err);
    return status ? status : fill_ends(m, err);
}

static enum ew_status copy_weights(struct ew_exec_program *p, const struct ew_weight_table *table,
                                   struct ew_error *err)
{
    p->weights = *table;
    p->weights.files = ew_arena_copy(&p->arena, table->files, table->n_files, sizeof *table->files);
    p->weights.places =
        ew_arena_copy(&p->arena, table->places, table->n_places, sizeof *table->places);
    return p->weights.files && p->weights.places ? EW_OK : ew_fail_memory(err);
}

static struct ew_exec_program *new_program(void)
{
    struct ew_arena arena = {0};
    struct ew_exec_program *p = ew_arena_calloc(&arena, 1, sizeof *p);
    if (p) {
        p->arena = arena;
    }
    return p;
}

void ew_exec_program_free(struct ew_exec_program *program)
{
    if (program) {
        struct ew_arena arena = program->arena; /* the program itself lives in it */
        ew_arena_fini(&arena);
    }
}

enum ew_status ew_exec_program_make(struct ew_exec_program **out,
                                    const struct ew_plan_context *context,
                                    const struct ew_plan *plan, const struct ew_task_graph *graph,
                                    const struct ew_weight_table *weights, struct ew_error *err)
{
    if (graph->n_units) {
        return ew_fail(err, EW_ENOTSUP,
                       "plan '%s' binds chains to devices as it runs; real execution needs to know "
                       "before, --engine fast or simgrid does not",
                       plan->name);
    }
    struct ew_exec_program *program = new_program();
    if (!program) {
        return ew_fail_memory(err);
    }
    program->n_devices = context->platform->n_devices;
    program->source_device = plan->source_device;
    program->sink_device = plan->sink_device;
    program->n_graph_inputs = context->graph->n_inputs;
    struct maker m = {.context = context, .plan = plan, .graph = graph, .program = program};
    enum ew_status status = make_all(&m, err);
    if (status == EW_OK && weights) {
        status = copy_weights(program, weights, err);
    }
    if (status != EW_OK) {
        ew_exec_program_free(program);
        return status;
    }
    *out = program;
    return EW_OK;
}

struct ew_op_view ew_exec_slot_view(const struct ew_exec_program *program, uint32_t slot,
                                    int32_t (*in_shape)[EW_DIMS])
{
    const struct ew_exec_slot *s = &program->slots[slot];
    for (uint32_t i = 0; i < s->n_inputs; i++) {
        memcpy(in_shape[i], program->slots[program->inputs[s->first_input + i]].shape,
               sizeof *in_shape);
    }
    return (struct ew_op_view){(enum ew_op)s->op, &s->attrs, s->n_inputs,
                               (const int32_t(*)[EW_DIMS])in_shape, s->shape};
}

uint64_t ew_exec_input_elements(const struct ew_exec_program *program, uint32_t input)
{
    const struct ew_box whole = ew_box_full(program->slots[program->input_slots[input]].shape);
    return ew_box_volume(&whole);
}

uint64_t ew_exec_answer_bytes(const struct ew_exec_program *program)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < program->n_outputs; i++) {
        n += ew_box_volume(&program->output_boxes[i]) * sizeof(float);
    }
    return n;
}

uint64_t ew_exec_message_elements(const struct ew_exec_program *program, uint32_t node)
{
    const struct ew_exec_node *n = &program->nodes[node];
    uint64_t elements = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        elements += ew_box_volume(&program->boxes[n->first + i]);
    }
    return elements;
}
