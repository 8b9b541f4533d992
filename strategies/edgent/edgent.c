/*
 * edgent: the latest exit, and its best partition point between the source and one server, that
 * meet the deadline (static bandwidth). As in the paper the server computes the first layers.
 *
 * Li, Zhou, Chen: "Edge Intelligence: On-Demand Deep Learning Model Co-Inference with Device-Edge
 * Synergy", MECOMM 2018, arXiv:1806.07840v2.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/devices.h"
#include "common/emit.h"
#include "common/net.h"
#include "common/plugin.h"
#include "edgent/edgent_model.h"

/* ------------------------------------------------------------------ descriptor */

static const char *const REGRESSIONS[] = {"profile", "paper", NULL};
static const struct ew_param_info PARAM_REGRESSION = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "regression",
    .unit = "",
    .default_text = "profile",
    .choices = REGRESSIONS,
    .doc = "Where layer times come from: the devices' cost profiles, or the paper's Table II (only "
           "for its own network, edgent_alexnet, one image per request).",
};
static const char *const SELECTIONS[] = {"argmin", "first_feasible", NULL};
static const struct ew_param_info PARAM_SELECTION = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "selection",
    .unit = "",
    .default_text = "argmin",
    .choices = SELECTIONS,
    .doc =
        "Partition point of an exit: the fastest, or the first from p = 1 that meets the deadline.",
};
static const char *const UNITS[] = {"bytes", "elements", NULL};
static const struct ew_param_info PARAM_UNIT = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "unit",
    .unit = "",
    .default_text = "bytes",
    .choices = UNITS,
    .doc = "What the size variables of Table II count (regression=paper).",
};
static const struct ew_param_info PARAM_INPUT = {
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
static const struct ew_param_info PARAM_LOADING = {
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
static const struct ew_param_info PARAM_DIRECTION = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "direction",
    .unit = "",
    .default_text = "paper",
    .choices = DIRECTIONS,
    .doc = "Who computes layers 1..p-1: the server (paper), or the device (re-implementations).",
};
static const struct ew_param_info PARAM_FALLBACK = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_BOOL,
    .name = "fallback",
    .unit = "",
    .default_text = "true",
    .doc = "When nothing meets the deadline: the first exit at its fastest point, flagged; false: "
           "refuse.",
};
static const struct ew_param_info PARAM_DEVICE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_STRING,
    .name = "device",
    .unit = "",
    .default_text = "auto",
    .doc = "Name of the server; auto: the device with the best decision.",
};
static const struct ew_param_info PARAM_EXIT1 = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_REAL,
    .name = "device_only_exit1_s",
    .unit = "s",
    .default_text = "0",
    .min_value = 0.0,
    .max_value = 1e6,
    .doc =
        "Latency that the prediction takes for the first exit on the device alone; 0: the sum of "
        "its layers. Figure 6 needs 2.25 to 2.45.",
};
static const struct ew_param_info *const PARAMS[] = {
    &PARAM_REGRESSION, &PARAM_SELECTION, &PARAM_UNIT,   &PARAM_INPUT, &PARAM_LOADING,
    &PARAM_DIRECTION,  &PARAM_FALLBACK,  &PARAM_DEVICE, &PARAM_EXIT1};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "edgent",
    .version = "1.0.0",
    .summary = "early exit and partition point for one device and one server, static bandwidth",
    .citation = "Li, Zhou, Chen, Edgent, MECOMM 2018, doi:10.1145/3229556.3229562",
    .params = PARAMS,
};

/* ------------------------------------------------------------------ one exit */

/* A candidate exit and its numbers for the server being tried. */
struct candidate {
    struct kit_net net;
    double *server_s;
    double *device_s;
    double *output_bytes;
    double *server_load_s; /* by number of front layers */
    double *device_load_s;
    bool *can_cut;
};

/* The plan being made. */
struct edgent {
    const struct ew_host *host;
    uint32_t source;
    bool is_paper;
    bool has_loading;
    bool is_device_first;
    enum edgent_unit unit;
    uint32_t n;
    struct candidate *candidates;
    struct edgent_exit *exits;
};

static void release_candidate(struct candidate *candidate)
{
    free(candidate->server_s);
    free(candidate->device_s);
    free(candidate->output_bytes);
    free(candidate->server_load_s);
    free(candidate->device_load_s);
    free(candidate->can_cut);
    kit_net_fini(&candidate->net);
}

static int32_t mark_cuts(struct candidate *candidate)
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

static int32_t init_candidate(struct candidate *candidate, const struct ew_host *host,
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
static void load_whole_model(struct candidate *candidate)
{
    uint32_t n = candidate->net.n_order;
    double bytes = (double)kit_net_weight_bytes(&candidate->net, KIT_ABSENT);
    for (uint32_t k = 0; k <= n; k++) {
        candidate->server_load_s[k] = edgent_load_s(bytes, EDGENT_SERVER);
        candidate->device_load_s[k] = edgent_load_s(bytes, EDGENT_DEVICE);
    }
}

/* Loading as the simulator does it: a side loads the weights of the layers it runs. */
static void load_own_layers(struct candidate *candidate, const struct edgent *edgent,
                            uint32_t server)
{
    const struct kit_net *net = &candidate->net;
    uint32_t front_device = edgent->is_device_first ? edgent->source : server;
    uint32_t back_device = edgent->is_device_first ? server : edgent->source;
    double *front = edgent->is_device_first ? candidate->device_load_s : candidate->server_load_s;
    double *back = edgent->is_device_first ? candidate->server_load_s : candidate->device_load_s;
    uint64_t all_bytes = kit_net_weight_bytes(net, KIT_ABSENT);
    uint64_t front_bytes = 0;
    for (uint32_t k = 0; k <= net->n_order; k++) {
        front[k] = net->host->load_s(net->host, front_device, front_bytes);
        back[k] = net->host->load_s(net->host, back_device, all_bytes - front_bytes);
        front_bytes += k < net->n_order ? net->layers[net->order[k]]->weight_bytes : 0;
    }
}

/* A side without layers loads nothing. */
static void clear_idle_loads(struct candidate *candidate, bool is_device_first)
{
    uint32_t n = candidate->net.n_order;
    double *front = is_device_first ? candidate->device_load_s : candidate->server_load_s;
    double *back = is_device_first ? candidate->server_load_s : candidate->device_load_s;
    front[0] = 0.0;
    back[n] = 0.0;
}

static void time_candidate(struct candidate *candidate, const struct edgent *edgent,
                           uint32_t server)
{
    const struct kit_net *net = &candidate->net;
    for (uint32_t k = 0; k < net->n_order; k++) {
        uint32_t layer = net->order[k];
        if (edgent->is_paper) {
            struct edgent_layer described = describe_layer(net, layer);
            candidate->server_s[k] = edgent_layer_s(&described, EDGENT_SERVER, edgent->unit);
            candidate->device_s[k] = edgent_layer_s(&described, EDGENT_DEVICE, edgent->unit);
        } else {
            candidate->server_s[k] = kit_layer_compute_s(net, layer, server);
            candidate->device_s[k] = kit_layer_compute_s(net, layer, edgent->source);
        }
    }
    if (edgent->has_loading && edgent->is_paper) {
        load_whole_model(candidate);
    } else if (edgent->has_loading) {
        load_own_layers(candidate, edgent, server);
    }
    clear_idle_loads(candidate, edgent->is_device_first);
}

/* ------------------------------------------------------------------ decision */

static struct edgent_wire as_wire(struct kit_wire wire)
{
    return (struct edgent_wire){.message_s = wire.message_s, .byte_s = wire.byte_s};
}

static struct edgent_choice decide(struct edgent *edgent, uint32_t server)
{
    const struct ew_host *host = edgent->host;
    const struct kit_net *net = &edgent->candidates[0].net;
    int64_t assumed_bytes = host->param_int(host, "input_bytes");
    for (uint32_t i = 0; i < edgent->n; i++) {
        struct candidate *candidate = &edgent->candidates[i];
        time_candidate(candidate, edgent, server);
        edgent->exits[i] = (struct edgent_exit){
            .n_layers = candidate->net.n_order,
            .layer_s = {candidate->server_s, candidate->device_s},
            .output_bytes = candidate->output_bytes,
            .can_cut = candidate->can_cut,
            .answer_bytes = edgent->is_paper ? 0.0 : (double)kit_net_result_bytes(&candidate->net),
            .load_s = {candidate->server_load_s, candidate->device_load_s},
        };
    }
    struct edgent_problem problem = {
        .n_exits = edgent->n,
        .exits = edgent->exits,
        .input_bytes = assumed_bytes > 0 ? (double)assumed_bytes : (double)kit_net_input_bytes(net),
        .is_device_first = edgent->is_device_first,
        .deadline_s = host->requirements(host)->deadline_s,
        .selection = kit_param_is(host, "selection", "first_feasible") ? EDGENT_FIRST_FEASIBLE
                                                                       : EDGENT_ARGMIN,
        .device_only_exit1_s = host->param_real(host, "device_only_exit1_s"),
    };
    if (edgent->is_paper) {
        problem.up.byte_s = 1.0 / host->link(host, edgent->source, server)->bandwidth_bytes_per_s;
        problem.down = problem.up;
    } else {
        problem.up = as_wire(kit_wire_between(host, edgent->source, server));
        problem.down = as_wire(kit_wire_between(host, server, edgent->source));
    }
    return edgent_choose(&problem);
}

/* In time first, then the later exit, then the faster. */
static bool is_better(const struct edgent_choice *a, const struct edgent_choice *b)
{
    if (a->meets_deadline != b->meets_deadline) {
        return a->meets_deadline;
    }
    if (a->meets_deadline && a->exit != b->exit) {
        return a->exit > b->exit;
    }
    return a->latency_s < b->latency_s;
}

/* A server can be reached and holds at least the smallest sub-model. */
static bool can_serve(const struct edgent *edgent, uint32_t device)
{
    return kit_has_route(edgent->host, edgent->source, device) &&
           kit_fits(edgent->host, device,
                    kit_net_weight_bytes(&edgent->candidates[0].net, KIT_ABSENT));
}

static int32_t choose(struct edgent_choice *choice, uint32_t *server, struct edgent *edgent)
{
    const struct ew_host *host = edgent->host;
    uint32_t wanted;
    int32_t rc = kit_param_device(&wanted, host, "device");
    if (rc < 0) {
        return rc;
    }
    *server = EW_ID_NONE;
    for (uint32_t d = 0; d < host->device_count(host); d++) {
        bool is_asked = d != edgent->source && (wanted == EW_ID_NONE || d == wanted);
        if (!is_asked || !can_serve(edgent, d)) {
            continue;
        }
        struct edgent_choice decision = decide(edgent, d);
        if (*server == EW_ID_NONE || is_better(&decision, choice)) {
            *choice = decision;
            *server = d;
        }
    }
    if (*server != EW_ID_NONE) {
        return EW_STRATEGY_OK;
    }
    if (wanted == edgent->source) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "parameter device: %s is the source, a server is needed",
                        host->device(host, wanted)->name);
    }
    return kit_fail(host, EW_STRATEGY_ECANNOT,
                    "%s: no route both ways from the source %s, or not enough memory",
                    wanted == EW_ID_NONE ? "no server" : host->device(host, wanted)->name,
                    host->device(host, edgent->source)->name);
}

/* ------------------------------------------------------------------ planning */

/* The paper's regressions know six layer types and one network. */
static int32_t check_paper(const struct edgent *edgent)
{
    const struct ew_host *host = edgent->host;
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
static int32_t prepare(struct edgent *edgent)
{
    const struct ew_host *host = edgent->host;
    const struct ew_graph_info *graph = host->graph(host, 0);
    double least = host->requirements(host)->min_accuracy;
    edgent->source = host->requirements(host)->source_device;
    edgent->is_paper = kit_param_is(host, "regression", "paper");
    edgent->has_loading = kit_param_is(host, "loading", "on") ||
                          (kit_param_is(host, "loading", "auto") && edgent->is_paper);
    edgent->is_device_first = kit_param_is(host, "direction", "device_first");
    edgent->unit = kit_param_is(host, "unit", "elements") ? EDGENT_ELEMENTS : EDGENT_BYTES;
    int32_t rc = edgent->is_paper ? check_paper(edgent) : EW_STRATEGY_OK;
    edgent->candidates = calloc(graph->n_exits, sizeof *edgent->candidates);
    edgent->exits = calloc(graph->n_exits, sizeof *edgent->exits);
    if (!edgent->candidates || !edgent->exits) {
        return kit_fail_memory(host);
    }
    for (uint32_t e = 0; e < graph->n_exits && rc >= 0; e++) {
        if (!(host->exit(host, 0, e)->accuracy < least)) {
            rc = init_candidate(&edgent->candidates[edgent->n++], host, e);
        }
    }
    if (rc >= 0 && edgent->n == 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "no exit of %s has an accuracy of %g or more",
                      graph->name, least);
    }
    return rc;
}

static int32_t set_notes(struct ew_plan_builder *builder, const struct edgent *edgent,
                         const struct edgent_choice *choice, uint32_t server)
{
    const struct ew_host *host = edgent->host;
    const struct kit_net *net = &edgent->candidates[choice->exit].net;
    int32_t rc = kit_note(builder, "exit", "%s (%u of %u)", host->exit(host, 0, net->exit)->name,
                          net->exit + 1, net->graph->n_exits);
    if (rc >= 0) {
        rc = kit_note(builder, "partition_point", "%u of 1..%u", choice->p, net->n_order + 1);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "server", "%s", host->device(host, server)->name);
    }
    if (rc >= 0 && !choice->meets_deadline) {
        rc = kit_note(builder, "fallback",
                      "no exit meets the deadline: the first one at its fastest point");
    }
    return rc;
}

static int32_t write_plan(struct ew_plan_builder *builder, const struct edgent *edgent,
                          const struct edgent_choice *choice, uint32_t server)
{
    const struct ew_host *host = edgent->host;
    const struct kit_net *net = &edgent->candidates[choice->exit].net;
    uint32_t front = edgent->is_device_first ? edgent->source : server;
    uint32_t back = edgent->is_device_first ? server : edgent->source;
    if (!choice->meets_deadline && host->param_int(host, "fallback") == 0) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "no exit meets the deadline of %g s; the first exit needs %g s at best",
                        host->requirements(host)->deadline_s, choice->latency_s);
    }
    int32_t rc = kit_begin_plan(builder, net, "edgent");
    for (uint32_t k = 0; k < net->n_order && rc >= 0; k++) {
        rc = kit_emit_whole(builder, net, net->order[k], k + 1 < choice->p ? front : back);
    }
    if (rc >= 0 && edgent->has_loading) {
        rc = builder->set_weights(builder, EW_WEIGHTS_MODE_PER_REQUEST);
    }
    if (rc >= 0) {
        rc = set_notes(builder, edgent, choice, server);
    }
    return rc < 0 ? rc : kit_predict(builder, net, choice->latency_s, NAN);
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct edgent edgent = {.host = host};
    struct edgent_choice choice = {0};
    uint32_t server;
    int32_t rc = prepare(&edgent);
    if (rc >= 0) {
        rc = choose(&choice, &server, &edgent);
    }
    if (rc >= 0) {
        rc = write_plan(builder, &edgent, &choice, server);
    }
    for (uint32_t i = 0; i < edgent.n; i++) {
        release_candidate(&edgent.candidates[i]);
    }
    free(edgent.candidates);
    free(edgent.exits);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
