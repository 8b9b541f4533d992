#include "sweep/setup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "io/arrival_trace.h"
#include "io/graph_file.h"
#include "sweep/dynamics_open.h"
#include "sweep/override.h"
#include "sweep/shelf.h"

static const char *device_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_platform *)ctx)->devices[i].name;
}

enum ew_status ew_setup_find_device(uint32_t *out, const struct ew_platform *platform,
                                    const char *what, const char *name, struct ew_error *err)
{
    if (ew_platform_find_device(out, platform, name)) {
        return EW_OK;
    }
    const char *near = ew_nearest_name(name, platform->n_devices, device_name_at, platform);
    return ew_fail(err, EW_EINPUT, "%s: expected a device of %s, found '%s'%s%s%s", what,
                   platform->path, name, near ? "; did you mean '" : "", near ? near : "",
                   near ? "'?" : "");
}

/* --- one workload ---------------------------------------------------------------------------- */

static enum ew_status read_graph(struct ew_setup_workload *w, const char *path,
                                 struct ew_error *err)
{
    struct ew_str text = {0};
    const enum ew_status status = ew_graph_load_file(&w->graph, &text, path, err);
    if (status == EW_OK) {
        w->graph_hash = ew_hash_bytes(EW_HASH_BEGIN, ew_str_text(&text), text.length);
        w->owns_graph = true;
    }
    ew_str_fini(&text);
    return status;
}

/* Workloads that name the same file share the graph. */
static enum ew_status open_graph(struct ew_setup *s, uint32_t index, struct ew_shelf *shelf,
                                 struct ew_error *err)
{
    struct ew_setup_workload *w = &s->workloads[index];
    if (!w->spec->graph) {
        return ew_fail(err, EW_EUSAGE, "expected a graph; see --graph and 'edgeweave list graphs'");
    }
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(s->workloads[i].spec->graph, w->spec->graph) == 0) {
            w->graph = s->workloads[i].graph;
            w->graph_hash = s->workloads[i].graph_hash;
            return EW_OK;
        }
    }
    if (shelf && ew_shelf_graph(&w->graph, &w->graph_hash, shelf, w->spec->graph)) {
        return EW_OK;
    }
    enum ew_status status = read_graph(w, w->spec->graph, err);
    if (status == EW_OK && shelf) {
        status = ew_shelf_put_graph(shelf, w->graph, w->graph_hash, w->spec->graph, err);
        w->owns_graph = status != EW_OK;
    }
    return status;
}

static enum ew_status find_ends(struct ew_setup *s, struct ew_setup_workload *w,
                                struct ew_setup_blame *blame, struct ew_error *err)
{
    const struct ew_workload_spec *spec = w->spec;
    enum ew_status status = EW_OK;
    blame->part = EW_SETUP_SOURCE;
    if (spec->source_device) {
        status = ew_setup_find_device(&w->problem.source_device, s->platform, "source",
                                      spec->source_device, err);
    }
    if (status != EW_OK) {
        return status;
    }
    blame->part = EW_SETUP_SINK;
    w->problem.sink_device = w->problem.source_device;
    return spec->sink_device ? ew_setup_find_device(&w->problem.sink_device, s->platform, "sink",
                                                    spec->sink_device, err)
                             : EW_OK;
}

static enum ew_status open_arrival(struct ew_setup_workload *w, struct ew_error *err)
{
    const struct ew_arrival_spec *spec = &w->spec->arrival;
    enum ew_status status = EW_OK;
    w->n_requests = w->spec->n_requests ? w->spec->n_requests : 1;
    switch (spec->form) {
    case EW_ARRIVE_CLOSED:
        w->arrival = (struct ew_arrival){
            .kind = EW_ARRIVAL_CLOSED, .outstanding = spec->outstanding, .think_s = spec->think_s};
        break;
    case EW_ARRIVE_POISSON:
    case EW_ARRIVE_PERIODIC:
        w->arrival = (struct ew_arrival){
            .kind = spec->form == EW_ARRIVE_POISSON ? EW_ARRIVAL_POISSON : EW_ARRIVAL_PERIODIC,
            .rate_per_s = spec->rate_per_s};
        break;
    case EW_ARRIVE_TRACE:
        w->arrival.kind = EW_ARRIVAL_TRACE;
        status = ew_arrival_trace_load(&w->times_s, &w->arrival.n_times, spec->trace_path, err);
        w->arrival.times_s = w->times_s;
        if (status == EW_OK && (!w->spec->n_requests || w->n_requests > w->arrival.n_times)) {
            w->n_requests = w->arrival.n_times;
        }
        break;
    }
    w->arrival.group_size = spec->group_size;
    w->arrival.loadgen = spec->loadgen;
    return status;
}

static void fill_problem(const struct ew_setup *s, struct ew_setup_workload *w)
{
    const struct ew_workload_spec *spec = w->spec;
    struct ew_problem *p = &w->problem;
    p->context.graph = w->graph;
    p->context.platform = s->platform;
    p->context.element_bytes = ew_element_bytes_of(w->graph);
    if (!isnan(spec->input_bytes_per_element)) {
        p->context.element_bytes.input = spec->input_bytes_per_element;
    }
    if (!isnan(spec->activation_bytes_per_element)) {
        p->context.element_bytes.activation = spec->activation_bytes_per_element;
    }
    p->batch = spec->batch;
    p->images_per_request = spec->batch / (int32_t)spec->requests_per_job;
    p->deadline_s = spec->deadline_s;
    p->min_accuracy = spec->min_accuracy;
    p->min_throughput_per_s = spec->min_throughput_per_s;
    p->arrival = spec->arrival.text;
    p->workload = w->name;
    p->seed = s->scenario->seed;
}

static enum ew_status open_workload(struct ew_setup *s, uint32_t index, struct ew_shelf *shelf,
                                    struct ew_setup_blame *blame, struct ew_error *err)
{
    struct ew_setup_workload *w = &s->workloads[index];
    w->spec = &s->scenario->workloads[index];
    w->name = w->spec->name ? w->spec->name : "main";
    blame->part = EW_SETUP_COUNTS;
    enum ew_status status = ew_workload_spec_check(w->spec, err);
    if (status == EW_OK) {
        blame->part = EW_SETUP_GRAPH;
        status = open_graph(s, index, shelf, err);
    }
    if (status == EW_OK) {
        status = find_ends(s, w, blame, err);
    }
    if (status == EW_OK) {
        blame->part = EW_SETUP_ARRIVAL;
        status = open_arrival(w, err);
    }
    if (status == EW_OK) {
        fill_problem(s, w);
    } else if (s->n_workloads > 1) {
        (void)ew_prefix(err, "workload '%s': ", w->name);
    }
    return status;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static enum ew_status find_models(struct ew_setup *s, struct ew_setup_blame *blame,
                                  struct ew_error *err)
{
    blame->part = EW_SETUP_NET;
    s->net = ew_net_model_find(s->scenario->net);
    if (!s->net) {
        return ew_fail(err, EW_EINPUT, "unknown network model '%s'; expected 'ideal' or 'tcp'",
                       s->scenario->net);
    }
    blame->part = EW_SETUP_ENERGY_RULE;
    if (!ew_energy_rule_find(&s->energy_rule, s->scenario->energy_rule)) {
        return ew_fail(err, EW_EINPUT, "unknown energy rule '%s'; expected 'both' or 'receiver'",
                       s->scenario->energy_rule);
    }
    return EW_OK;
}

static enum ew_status open_platform(struct ew_setup *s, const struct ew_platform_source *source,
                                    struct ew_setup_blame *blame, struct ew_error *err)
{
    blame->part = EW_SETUP_PLATFORM;
    if (!s->scenario->platform) {
        return ew_fail(err, EW_EUSAGE,
                       "expected a platform; see --platform and 'edgeweave list platforms'");
    }
    if (source->shelf && ew_shelf_platform(&s->platform, source->shelf, s->scenario)) {
        return EW_OK;
    }
    s->owns_platform = true;
    enum ew_status status = ew_platform_load(&s->platform, source, s->scenario->platform, err);
    if (status == EW_OK && s->scenario->n_devices) {
        status = ew_platform_keep_devices(&s->platform, s->scenario->n_devices, err);
    }
    if (status == EW_OK) {
        blame->part = EW_SETUP_OVERRIDE;
        status = ew_platform_override(&s->platform, s->scenario->n_overrides,
                                      s->scenario->overrides, &blame->override, err);
    }
    if (status == EW_OK && source->what_if) {
        s->base = s->platform;
        s->platform = NULL;
        status = ew_platform_suppose(&s->platform, s->base, source->what_if, err);
    }
    if (status == EW_OK && source->shelf) {
        status = ew_shelf_put_platform(source->shelf, s->platform, s->scenario, err);
        s->owns_platform = status != EW_OK;
    }
    return status;
}

enum ew_status ew_setup_open(struct ew_setup *setup, const struct ew_scenario *scenario,
                             const struct ew_platform_source *source, struct ew_setup_blame *blame,
                             struct ew_error *err)
{
    setup->scenario = scenario;
    blame->override = EW_NONE;
    enum ew_status status = find_models(setup, blame, err);
    if (status == EW_OK) {
        status = open_platform(setup, source, blame, err);
    }
    if (status == EW_OK) {
        blame->part = EW_SETUP_DYNAMICS;
        status = ew_dynamics_open(&setup->dynamics, &scenario->dynamics, setup->platform, err);
        if (status == EW_EINPUT && scenario->path) {
            (void)ew_prefix(err, "%s: ", scenario->path);
        }
    }
    if (status != EW_OK) {
        return status;
    }
    setup->workloads = calloc(scenario->n_workloads, sizeof *setup->workloads);
    if (!setup->workloads) {
        return ew_fail_memory(err);
    }
    setup->n_workloads = scenario->n_workloads;
    for (uint32_t i = 0; status == EW_OK && i < setup->n_workloads; i++) {
        status = open_workload(setup, i, source->shelf, blame, err);
    }
    return status;
}

void ew_setup_fini(struct ew_setup *setup)
{
    for (uint32_t i = 0; i < setup->n_workloads; i++) {
        if (setup->workloads[i].owns_graph) {
            ew_graph_free(setup->workloads[i].graph);
        }
        free(setup->workloads[i].times_s);
    }
    free(setup->workloads);
    ew_dynamics_free(setup->dynamics);
    if (setup->owns_platform) {
        ew_platform_free(setup->platform);
    }
    ew_platform_free(setup->base);
    *setup = (struct ew_setup){0};
}
