#include "edgent/edgent_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/devices.h"
#include "common/emit.h"

/* ------------------------------------------------------------------ parameters */

static const char *const REGRESSIONS[] = {"profile", "paper", NULL};
const struct ew_param_info edgent_param_regression = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "regression",
    .unit = "",
    .default_text = "profile",
    .choices = REGRESSIONS,
    .doc = "Where layer times come from: the devices' cost profiles, or the paper's Table II (only "
           "for its own network, edgent_alexnet, one image per request).",
};
static const char *const UNITS[] = {"bytes", "elements", NULL};
const struct ew_param_info edgent_param_unit = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "unit",
    .unit = "",
    .default_text = "bytes",
    .choices = UNITS,
    .doc = "What the size variables of Table II count (regression=paper).",
};
const struct ew_param_info edgent_param_input = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_INT,
    .name = "input_bytes",
    .unit = "bytes",
    .default_text = "0",
    .min_value = 0,
    .max_value = 1e12,
    .doc = "Upload size that the prediction assumes; 0: the real one.",
};
static const char *const LOADINGS[] = {"auto", "on", "off", NULL};
const struct ew_param_info edgent_param_loading = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "loading",
    .unit = "",
    .default_text = "auto",
    .choices = LOADINGS,
    .doc =
        "Load the weights in every request, as in the paper; auto: on with regression=paper, off "
        "with profile, like the other strategies.",
};
static const char *const DIRECTIONS[] = {"paper", "device_first", NULL};
const struct ew_param_info edgent_param_direction = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "direction",
    .unit = "",
    .default_text = "paper",
    .choices = DIRECTIONS,
    .doc = "Who computes layers 1..p-1: the server (paper), or the device (re-implementations).",
};
const struct ew_param_info edgent_param_device = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_STRING,
    .name = "device",
    .unit = "",
    .default_text = "auto",
    .doc = "Name of the server; auto: the device with the best decision.",
};

/* ------------------------------------------------------------------ one exit */

static void release_candidate(struct edgent_candidate *candidate)
{
    free(candidate->server_s);
    free(candidate->device_s);
    free(candidate->output_bytes);
    free(candidate->server_load_s);
    free(candidate->device_load_s);
    free(candidate->can_cut);
    kit_net_fini(&candidate->net);
}

static int32_t mark_cuts(struct edgent_candidate *candidate)
{
    const struct kit_net *net = &candidate->net;
    uint32_t *cuts = calloc(net->n_layers, sizeof *cuts);
    if (!cuts) {
        return kit_fail_memory(net->host);
    }
    uint32_t n_cuts = kit_net_cut_layers(net, cuts);
    for (uint32_t k = 0, c = 0; k < net->n_order && c < n_cuts; k++) {
        if (net->order[k] == cuts[c]) {
            candidate->can_cut[k] = true;
            c++;
        }
    }
    free(cuts);
    return EW_STRATEGY_OK;
}

static int32_t init_candidate(struct edgent_candidate *candidate, const struct ew_host *host,
                              uint32_t exit)
{
    int32_t rc = kit_net_init(&candidate->net, host, 0, exit, KIT_ROWS);
    if (rc < 0) {
        return rc;
    }
    size_t n = candidate->net.n_order;
    candidate->server_s = calloc(n, sizeof *candidate->server_s);
    candidate->device_s = calloc(n, sizeof *candidate->device_s);
    candidate->output_bytes = calloc(n, sizeof *candidate->output_bytes);
    candidate->server_load_s = calloc(n + 1, sizeof *candidate->server_load_s);
    candidate->device_load_s = calloc(n + 1, sizeof *candidate->device_load_s);
    candidate->can_cut = calloc(n, sizeof *candidate->can_cut);
    if (!candidate->server_s || !candidate->device_s || !candidate->output_bytes ||
        !candidate->server_load_s || !candidate->device_load_s || !candidate->can_cut) {
        return kit_fail_memory(host);
    }
    for (uint32_t k = 0; k < candidate->net.n_order; k++) {
        candidate->output_bytes[k] =
            (double)kit_layer_bytes(&candidate->net, candidate->net.order[k]);
    }
    return mark_cuts(candidate);
}

/* ------------------------------------------------------------------ layer times */

static bool find_op(enum edgent_op *out, const char *name)
{
    static const struct {
        const char *name;
        enum edgent_op op;
    } ops[] = {{"conv", EDGENT_CONV}, {"relu", EDGENT_RELU},       {"max_pool", EDGENT_POOL},
               {"lrn", EDGENT_LRN},   {"dropout", EDGENT_DROPOUT}, {"fc", EDGENT_FC}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (strcmp(ops[i].name, name) == 0) {
            *out = ops[i].op;
            return true;
        }
    }
    return false;
}

static double count_elements(const struct ew_layer_info *info)
{
    return (double)info->shape[1] * info->shape[2] * info->shape[3];
}

/* The layer as Table I describes it. */
static struct edgent_layer describe_layer(const struct kit_net *net, uint32_t layer)
{
    const struct ew_layer_info *info = net->layers[layer];
    struct edgent_layer out = {.op = EDGENT_RELU};
    find_op(&out.op, info->op);
    out.input_elements = count_elements(net->layers[info->inputs[0]]);
    out.output_elements = count_elements(info);
    out.filter_ratio =
        (double)info->kernel[0] * info->kernel[1] / ((double)info->stride[0] * info->stride[1]);
    out.filters = info->shape[1];
    return out;
}

/* Loading as in the paper: a side that runs anything loads the whole sub-model. */
static void load_whole_model(struct edgent_candidate *candidate)
{
    uint32_t n = candidate->net.n_order;
    double bytes = (double)kit_net_weight_bytes(&candidate->net, KIT_ABSENT);
    for (uint32_t k = 0; k <= n; k++) {
        candidate->server_load_s[k] = edgent_load_s(bytes, EDGENT_SERVER);
        candidate->device_load_s[k] = edgent_load_s(bytes, EDGENT_DEVICE);
    }
}

/* Loading as the simulator does it: a side loads the weights of the layers it runs. */
static void load_own_layers(struct edgent_candidate *candidate, const struct edgent_view *view,
                            uint32_t server)
{
    const struct kit_net *net = &candidate->net;
    uint32_t front_device = view->is_device_first ? view->source : server;
    uint32_t back_device = view->is_device_first ? server : view->source;
    double *front = view->is_device_first ? candidate->device_load_s : candidate->server_load_s;
    double *back = view->is_device_first ? candidate->server_load_s : candidate->device_load_s;
    uint64_t all_bytes = kit_net_weight_bytes(net, KIT_ABSENT);
    uint64_t front_bytes = 0;
    for (uint32_t k = 0; k <= net->n_order; k++) {
        front[k] = net->host->load_s(net->host, front_device, front_bytes);
        back[k] = net->host->load_s(net->host, back_device, all_bytes - front_bytes);
        front_bytes += k < net->n_order ? net->layers[net->order[k]]->weight_bytes : 0;
    }
}

/* A side without layers loads nothing. */
static void clear_idle_loads(struct edgent_candidate *candidate, bool is_device_first)
{
    uint32_t n = candidate->net.n_order;
    double *front = is_device_first ? candidate->device_load_s : candidate->server_load_s;
    double *back = is_device_first ? candidate->server_load_s : candidate->device_load_s;
    front[0] = 0.0;
    back[n] = 0.0;
}

static void time_candidate(struct edgent_candidate *candidate, const struct edgent_view *view,
                           uint32_t server)
{
    const struct kit_net *net = &candidate->net;
    for (uint32_t k = 0; k < net->n_order; k++) {
        uint32_t layer = net->order[k];
        if (view->is_paper) {
            struct edgent_layer described = describe_layer(net, layer);
            candidate->server_s[k] = edgent_layer_s(&described, EDGENT_SERVER, view->unit);
            candidate->device_s[k] = edgent_layer_s(&described, EDGENT_DEVICE, view->unit);
        } else {
            candidate->server_s[k] = kit_layer_compute_s(net, layer, server);
            candidate->device_s[k] = kit_layer_compute_s(net, layer, view->source);
        }
    }
    if (view->has_loading && view->is_paper) {
        load_whole_model(candidate);
    } else if (view->has_loading) {
        load_own_layers(candidate, view, server);
    }
    clear_idle_loads(candidate, view->is_device_first);
}

/* ------------------------------------------------------------------ decision */

static struct edgent_wire as_wire(struct kit_wire wire)
{
    return (struct edgent_wire){.message_s = wire.message_s, .byte_s = wire.byte_s};
}

struct edgent_problem edgent_view_problem(struct edgent_view *view, uint32_t server)
{
    const struct ew_host *host = view->host;
    const uint32_t timed = server == EW_ID_NONE ? view->source : server;
    const struct kit_net *net = &view->candidates[0].net;
    int64_t assumed_bytes = host->param_int(host, "input_bytes");
    for (uint32_t i = 0; i < view->n; i++) {
        struct edgent_candidate *candidate = &view->candidates[i];
        time_candidate(candidate, view, timed);
        view->exits[i] = (struct edgent_exit){
            .n_layers = candidate->net.n_order,
            .layer_s = {candidate->server_s, candidate->device_s},
            .output_bytes = candidate->output_bytes,
            .can_cut = candidate->can_cut,
            .answer_bytes = view->is_paper ? 0.0 : (double)kit_net_result_bytes(&candidate->net),
            .load_s = {candidate->server_load_s, candidate->device_load_s},
        };
    }
    struct edgent_problem problem = {
        .n_exits = view->n,
        .exits = view->exits,
        .input_bytes = assumed_bytes > 0 ? (double)assumed_bytes : (double)kit_net_input_bytes(net),
        .is_device_first = view->is_device_first,
        .deadline_s = host->requirements(host)->deadline_s,
    };
    if (server == EW_ID_NONE) {
        problem.is_alone = true;
    } else if (view->is_paper) {
        problem.up.byte_s = 1.0 / host->link(host, view->source, server)->bandwidth_bytes_per_s;
        problem.down = problem.up;
    } else {
        problem.up = as_wire(kit_wire_between(host, view->source, server));
        problem.down = as_wire(kit_wire_between(host, server, view->source));
    }
    return problem;
}

bool edgent_can_go_alone(const struct edgent_view *view, uint32_t wanted)
{
    const struct ew_host *host = view->host;
    const uint32_t sink = host->requirements(host)->sink_device;
    return wanted == EW_ID_NONE && kit_has_route(host, view->source, sink) &&
           kit_fits(host, view->source, kit_net_weight_bytes(&view->candidates[0].net, KIT_ABSENT));
}

/* A server can be reached and holds at least the smallest sub-model. */
bool edgent_can_serve(const struct edgent_view *view, uint32_t device)
{
    return kit_has_route(view->host, view->source, device) &&
           kit_fits(view->host, device, kit_net_weight_bytes(&view->candidates[0].net, KIT_ABSENT));
}

/* ------------------------------------------------------------------ planning */

/* The paper's regressions know six layer types and one network. */
static int32_t check_paper(const struct edgent_view *view)
{
    const struct ew_host *host = view->host;
    const struct ew_graph_info *graph = host->graph(host, 0);
    enum edgent_op op;
    if (strcmp(graph->name, "edgent_alexnet") != 0) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "regression=paper holds for edgent_alexnet only, not for %s; use "
                        "regression=profile",
                        graph->name);
    }
    if (host->requirements(host)->batch != 1) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "regression=paper holds for one image per request, not for %d",
                        host->requirements(host)->batch);
    }
    for (uint32_t l = 0; l < graph->n_layers; l++) {
        const struct ew_layer_info *info = host->layer(host, 0, l);
        if (!info->is_input && !find_op(&op, info->op)) {
            return kit_fail(host, EW_STRATEGY_ECANNOT,
                            "regression=paper has no regression for layer %s (%s)", info->name,
                            info->op);
        }
    }
    return EW_STRATEGY_OK;
}

/* Candidates: the exits that are accurate enough, as far as their accuracy is known. */
int32_t edgent_view_init(struct edgent_view *view, const struct ew_host *host)
{
    const struct ew_graph_info *graph = host->graph(host, 0);
    double least = host->requirements(host)->min_accuracy;
    view->host = host;
    view->source = host->requirements(host)->source_device;
    view->is_paper = kit_param_is(host, "regression", "paper");
    view->has_loading = kit_param_is(host, "loading", "on") ||
                        (kit_param_is(host, "loading", "auto") && view->is_paper);
    view->is_device_first = kit_param_is(host, "direction", "device_first");
    view->unit = kit_param_is(host, "unit", "elements") ? EDGENT_ELEMENTS : EDGENT_BYTES;
    int32_t rc = view->is_paper ? check_paper(view) : EW_STRATEGY_OK;
    view->candidates = calloc(graph->n_exits, sizeof *view->candidates);
    view->exits = calloc(graph->n_exits, sizeof *view->exits);
    if (!view->candidates || !view->exits) {
        return kit_fail_memory(host);
    }
    for (uint32_t e = 0; e < graph->n_exits && rc >= 0; e++) {
        if (!(host->exit(host, 0, e)->accuracy < least)) {
            rc = init_candidate(&view->candidates[view->n++], host, e);
        }
    }
    if (rc >= 0 && view->n == 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "no exit of %s has an accuracy of %g or more",
                      graph->name, least);
    }
    return rc;
}

static int32_t set_notes(struct ew_plan_builder *builder, const struct edgent_view *view,
                         const struct edgent_choice *choice, uint32_t server)
{
    const struct ew_host *host = view->host;
    const struct kit_net *net = &view->candidates[choice->exit].net;
    int32_t rc = kit_note(builder, "exit", "%s (%u of %u)", host->exit(host, 0, net->exit)->name,
                          net->exit + 1, net->graph->n_exits);
    if (rc >= 0) {
        rc = kit_note(builder, "partition_point", "%u of 1..%u", choice->p, net->n_order + 1);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "server", "%s",
                      server == EW_ID_NONE ? "none: no device with a route both ways and the memory"
                                           : host->device(host, server)->name);
    }
    return rc;
}

int32_t edgent_write_plan(struct ew_plan_builder *builder, const struct edgent_view *view,
                          const struct edgent_choice *choice, uint32_t server)
{
    const struct kit_net *net = &view->candidates[choice->exit].net;
    uint32_t front = view->is_device_first ? view->source : server;
    uint32_t back = view->is_device_first ? server : view->source;
    int32_t rc = kit_begin_plan(builder, net, "edgent");
    for (uint32_t k = 0; k < net->n_order && rc >= 0; k++) {
        rc = kit_emit_whole(builder, net, net->order[k], k + 1 < choice->p ? front : back);
    }
    if (rc >= 0 && view->has_loading) {
        rc = builder->set_weights(builder, EW_WEIGHTS_MODE_PER_REQUEST);
    }
    if (rc >= 0) {
        rc = set_notes(builder, view, choice, server);
    }
    return rc < 0 ? rc : kit_predict(builder, net, choice->latency_s, NAN);
}

void edgent_view_fini(struct edgent_view *view)
{
    for (uint32_t i = 0; i < view->n; i++) {
        release_candidate(&view->candidates[i]);
    }
    free(view->candidates);
    free(view->exits);
}

int32_t edgent_wanted_server(uint32_t *wanted, const struct edgent_view *view)
{
    return kit_param_device(wanted, view->host, "device");
}

int32_t edgent_fail_server(const struct edgent_view *view, uint32_t wanted)
{
    const struct ew_host *host = view->host;
    if (wanted == view->source) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "parameter device: %s is the source, a server is needed",
                        host->device(host, wanted)->name);
    }
    return kit_fail(host, EW_STRATEGY_ECANNOT,
                    "%s: no route both ways from the source %s, or not enough memory",
                    wanted == EW_ID_NONE ? "no server" : host->device(host, wanted)->name,
                    host->device(host, view->source)->name);
}
