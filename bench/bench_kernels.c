/*
 * Speed of the kernels of real execution: whole networks on one thread, their own weights or seeded
 * random ones, best of several runs, with the share of each op. GFLOP/s counts two per
 * multiply-add, so that of a network without many (pools, activations) is low by nature.
 *
 *   bench_kernels [-l] [-c] [-n RUNS] [-k KERNELS] GRAPH...
 *
 * -l: a line per layer; -c: only the milliseconds of CPU time, which a busy machine troubles less.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/exec/forward.h"
#include "engine/exec/graph_weights.h"
#include "io/graph_file.h"

/* What to measure. */
struct wishes {
    const struct ew_kernels *kernels;
    long n_runs;
    bool has_layers;
    bool is_cpu_time;
};

static double now_s(bool is_cpu_time)
{
    struct timespec t;
    (void)clock_gettime(is_cpu_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const struct ew_error *err)
{
    (void)fprintf(stderr, "bench_kernels: %s\n", err->message);
    exit(EXIT_FAILURE);
}

static struct ew_tensor make_input(const struct ew_graph *graph, struct ew_tensor_pool *pool)
{
    struct ew_error err = {0};
    struct ew_tensor input;
    const struct ew_box box = ew_box_full(graph->layers[graph->inputs[0]].shape);
    if (ew_tensor_get(&input, pool, &box, &err) != EW_OK) {
        die(&err);
    }
    for (uint64_t i = 0; i < ew_box_volume(&box); i++) {
        input.values[i] = ew_random_value(1, 0, i);
    }
    return input;
}

static void print_ops(const struct ew_graph *graph, const double *layer_s, double total_s)
{
    double op_s[EW_OP_COUNT] = {0};
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        op_s[graph->layers[i].op] += layer_s[i];
    }
    for (int op = 0; op < EW_OP_COUNT; op++) {
        if (op_s[op] > 0.01 * total_s) {
            printf(" %s %.0f%%", ew_op_name((enum ew_op)op), 100.0 * op_s[op] / total_s);
        }
    }
    printf("\n");
}

static void print_layers(const struct ew_graph *graph, const double *layer_s)
{
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        const struct ew_layer *layer = &graph->layers[i];
        printf("    %-28s %-10s %4dx%dx%d %9.1f us %7.1f GFLOP/s\n", layer->name,
               ew_op_name(layer->op), (int)layer->shape[EW_C], (int)layer->shape[EW_H],
               (int)layer->shape[EW_W], layer_s[i] * 1e6,
               layer_s[i] > 0 ? 2e-9 * (double)layer->macs / layer_s[i] : 0.0);
    }
}

static void bench(const char *path, const struct wishes *w)
{
    struct ew_error err = {0};
    struct ew_graph *graph = NULL;
    struct ew_forward *forward = NULL;
    if (ew_graph_load_file(&graph, NULL, path, &err) != EW_OK) {
        die(&err);
    }
    struct ew_graph_weights weights;
    if (ew_graph_weights_open(&weights, graph, false, NULL, 1, &err) != EW_OK) {
        die(&err);
    }
    const struct ew_weight_source source = ew_graph_weights_source(&weights);
    if (ew_forward_new(&forward, graph, graph->n_exits - 1, w->kernels, &source, &err) != EW_OK) {
        die(&err);
    }
    ew_graph_weights_close(&weights);
    struct ew_tensor_pool pool = {0};
    struct ew_tensor input = make_input(graph, &pool);
    struct ew_tensor *outputs = calloc(graph->n_layers, sizeof *outputs);
    double *layer_s = calloc(graph->n_layers, sizeof *layer_s);
    double *best_layer_s = calloc(graph->n_layers, sizeof *best_layer_s);
    if (!outputs || !layer_s || !best_layer_s) {
        exit(EXIT_FAILURE);
    }
    double best_s = 1e300;
    for (long run = 0; run < w->n_runs; run++) {
        const double start_s = now_s(w->is_cpu_time);
        if (ew_forward_run(outputs, forward, &input, layer_s, &err) != EW_OK) {
            die(&err);
        }
        const double took_s = now_s(w->is_cpu_time) - start_s;
        if (took_s < best_s) {
            best_s = took_s;
            memcpy(best_layer_s, layer_s, graph->n_layers * sizeof *layer_s);
        }
        ew_forward_put(forward, outputs);
    }
    if (w->is_cpu_time) {
        printf("%.2f\n", best_s * 1e3);
    } else {
        printf("%-16s %8.2f ms %7.1f GFLOP/s  ", graph->name, best_s * 1e3,
               2e-9 * (double)graph->macs / best_s);
        print_ops(graph, best_layer_s, best_s);
    }
    if (w->has_layers) {
        print_layers(graph, best_layer_s);
    }
    ew_tensor_put(&pool, &input);
    ew_tensor_pool_fini(&pool);
    free(best_layer_s);
    free(layer_s);
    free(outputs);
    ew_forward_free(forward);
    ew_graph_free(graph);
}

int main(int argc, char **argv)
{
    struct wishes w = {.kernels = ew_kernels_at(0), .n_runs = 5};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-l") == 0) {
            w.has_layers = true;
        } else if (strcmp(argv[i], "-c") == 0) {
            w.is_cpu_time = true;
        } else if (strcmp(argv[i], "-n") == 0 && i + 1 < argc) {
            w.n_runs = strtol(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "-k") == 0 && i + 1 < argc) {
            w.kernels = ew_kernels_find(argv[++i]);
            if (!w.kernels || !w.kernels->is_available(w.kernels)) {
                (void)fprintf(stderr, "bench_kernels: no kernels '%s' here\n", argv[i]);
                return EXIT_FAILURE;
            }
        } else {
            bench(argv[i], &w);
        }
    }
    return EXIT_SUCCESS;
}
