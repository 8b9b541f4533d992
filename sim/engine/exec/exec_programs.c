/*
 * What workers are told to compute: a program per plan.
 */
#include <stdlib.h>

#include "engine/exec/exec_internal.h"
#include "engine/exec/kernel/kernel.h"

/* Every layer of every variant must have a kernel. */
static enum ew_status check_layers(const struct ew_graph *graph, struct ew_error *err)
{
    for (uint32_t v = 0; v < graph->n_variants; v++) {
        const struct ew_graph *own = graph->variants[v].graph;
        for (uint32_t i = 0; i < own->n_layers; i++) {
            const struct ew_op_view view = ew_layer_view(&own->layers[i]);
            const enum ew_status status =
                view.op == EW_OP_INPUT ? EW_OK : ew_kernels_can_compute(&view, err);
            if (status != EW_OK) {
                ew_prefix(err, "graph '%s': layer '%s': ", own->name, own->layers[i].name);
                return status;
            }
        }
    }
    return EW_OK;
}

/* Once a plan was made during the run, it is the only one. */
static uint32_t count_plans(const struct exec *exec, uint32_t workload)
{
    return exec->forced[workload] == EW_NONE ? exec->run->workloads[workload].book->n_plans : 1;
}

uint32_t exec_program_of(const struct exec *exec, uint32_t workload, uint32_t plan)
{
    return exec->first_program[workload] + (exec->forced[workload] == EW_NONE ? plan : 0);
}

uint32_t exec_images_per_request(const struct exec *exec, uint32_t workload)
{
    const struct ew_run_workload *w = &exec->run->workloads[workload];
    return (uint32_t)w->book->plans[0]->batch / w->requests_per_job;
}

/* Given inputs are whole images of every network that a plan runs. */
static enum ew_status check_inputs(const struct exec *exec, const struct ew_exec_program *p,
                                   struct ew_error *err)
{
    const struct ew_exec_inputs *inputs = exec->options->inputs;
    if (exec->run->n_workloads != 1 || p->n_graph_inputs != inputs->n_inputs) {
        return ew_fail(err, EW_ENOTSUP, "engine exec: inputs of other networks were given");
    }
    for (uint32_t i = 0; i < p->n_input_slots; i++) {
        const uint64_t n = ew_exec_input_elements(p, i);
        if (n != inputs->n_elements[i % inputs->n_inputs]) {
            return ew_fail(err, EW_ENOTSUP,
                           "engine exec: a variant of the network takes inputs of %llu values, "
                           "given were %llu",
                           (unsigned long long)n,
                           (unsigned long long)inputs->n_elements[i % inputs->n_inputs]);
        }
    }
    return EW_OK;
}

void exec_free_programs(struct exec *exec)
{
    for (uint32_t i = 0; exec->programs && i < exec->n_programs; i++) {
        ew_exec_program_free(exec->programs[i]);
    }
    free(exec->programs);
    free(exec->first_program);
    exec->programs = NULL;
    exec->first_program = NULL;
    exec->n_programs = 0;
}

/* Programs of one workload's plans. */
static enum ew_status make_workload_programs(struct exec *exec, uint32_t w)
{
    const struct ew_run_workload *workload = &exec->run->workloads[w];
    const struct ew_graph *graph = workload->context->graph;
    struct ew_arena arena = {0};
    struct ew_weight_table weights;
    const bool is_from_file = !exec->options->has_random_weights &&
                              (exec->options->weights_path || ew_graph_has_weights(graph));
    enum ew_status status = check_layers(graph, &exec->err);
    if (status == EW_OK && is_from_file) {
        status =
            ew_weight_table_make(&weights, &arena, graph, exec->options->weights_path, &exec->err);
    }
    for (uint32_t i = 0; i < count_plans(exec, w) && status == EW_OK; i++) {
        const uint32_t plan = exec->forced[w] == EW_NONE ? i : exec->forced[w];
        status =
            ew_exec_program_make(&exec->programs[exec->first_program[w] + i], workload->context,
                                 workload->book->plans[plan], workload->task_graphs[plan],
                                 is_from_file ? &weights : NULL, &exec->err);
        if (status == EW_OK && exec->options->inputs) {
            status = check_inputs(exec, exec->programs[exec->first_program[w] + i], &exec->err);
        }
    }
    ew_arena_fini(&arena);
    return status;
}

enum ew_status exec_make_programs(struct exec *exec)
{
    const struct ew_run *run = exec->run;
    exec->first_program = calloc(run->n_workloads + 1u, sizeof *exec->first_program);
    for (uint32_t w = 0; w < run->n_workloads; w++) {
        exec->n_programs += count_plans(exec, w);
    }
    exec->programs = calloc(exec->n_programs + 1u, sizeof(struct ew_exec_program *));
    if (!exec->first_program || !exec->programs) {
        return ew_fail_memory(&exec->err);
    }
    uint32_t k = 0;
    for (uint32_t w = 0; w < run->n_workloads; w++) {
        exec->first_program[w] = k;
        const enum ew_status status = make_workload_programs(exec, w);
        if (status != EW_OK) {
            return status;
        }
        k += count_plans(exec, w);
    }
    return EW_OK;
}
