#include "distredge/making.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/emit.h"
#include "common/plugin.h"
#include "distredge/coordinate.h"
#include "distredge/lcpss.h"

/* How much the coordinate search may do: far more than it needs with a few devices. */
enum { COORDINATE_EVALUATIONS = 2000000, COORDINATE_STARTS = 4 };

/* ------------------------------------------------------------------ devices */

static bool has_wire(const struct ew_host *host, uint32_t a, uint32_t b)
{
    return isfinite(kit_wire_between(host, a, b).byte_s) &&
           isfinite(kit_wire_between(host, b, a).byte_s);
}

static bool is_among(uint32_t device, const uint32_t *devices, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (devices[i] == device) {
            return true;
        }
    }
    return false;
}

/* Every device but the source that everybody can talk to, in the platform's order; or those of the
 * wanted ones that can talk to each other. */
static void choose_devices(struct distredge *it)
{
    const struct ew_host *host = it->host;
    const struct ew_requirements_info *asked = host->requirements(host);
    bool includes_source = host->param_int(host, "include_source") != 0;
    for (uint32_t d = 0; d < host->device_count(host); d++) {
        bool is_member = it->wanted ? is_among(d, it->wanted, it->n_wanted)
                                    : is_among(d, it->group.device, it->group.n);
        bool is_reached =
            has_wire(host, asked->source_device, d) && has_wire(host, d, asked->sink_device);
        for (uint32_t i = 0; i < it->n_devices; i++) {
            is_reached = is_reached && has_wire(host, it->devices[i], d);
        }
        if (is_member && is_reached && (d != asked->source_device || includes_source)) {
            it->devices[it->n_devices++] = d;
        }
    }
}

static int32_t form_group(struct distredge *it)
{
    const struct ew_host *host = it->host;
    const struct kit_group_options options = {
        .first = host->requirements(host)->source_device,
        .capability = KIT_CAPABILITY_PROFILE,
        .needs_all_pairs = true,
    };
    int32_t rc = kit_group_init(&it->group, &it->net, &options);
    if (rc < 0) {
        return rc;
    }
    it->devices = calloc(host->device_count(host), sizeof *it->devices);
    it->capability = calloc(host->device_count(host), sizeof *it->capability);
    if (!it->devices || !it->capability) {
        return kit_fail_memory(host);
    }
    choose_devices(it);
    for (uint32_t i = 0; i < it->n_devices; i++) {
        it->capability[i] = kit_device_capability(&it->net, it->devices[i], KIT_CAPABILITY_PROFILE);
    }
    return EW_STRATEGY_OK;
}

/* ------------------------------------------------------------------ volumes */

/* "0,6,10": ascending block numbers from 0. */
static int32_t read_volumes(struct distredge *it, const char *text)
{
    const char *at = text;
    for (;;) {
        char *end = NULL;
        long first = strtol(at, &end, 10);
        bool is_next =
            it->n_volumes == 0 ? first == 0 : first > (long)it->starts[it->n_volumes - 1];
        if (end == at || !is_next || first >= (long)it->chain.n_blocks ||
            (*end != ',' && *end != '\0')) {
            return kit_fail(it->host, EW_STRATEGY_ECANNOT,
                            "volumes: expected ascending blocks from 0 to %u, e.g. 0,6, found '%s'",
                            it->chain.n_blocks - 1, text);
        }
        it->starts[it->n_volumes++] = (uint32_t)first;
        if (*end == '\0') {
            return EW_STRATEGY_OK;
        }
        at = end + 1;
    }
}

static int32_t choose_volumes(struct distredge *it)
{
    const struct ew_host *host = it->host;
    if (!kit_param_is(host, "volumes", "auto")) {
        return read_volumes(it, host->param_text(host, "volumes"));
    }
    const struct lcpss_problem problem = {
        .units = it->chain.units,
        .n_units = it->chain.n_blocks,
        .n_parts = it->n_devices,
        .n_draws = (uint32_t)host->param_int(host, "draws"),
        .n_pairings = (uint32_t)host->param_int(host, "pairings"),
        .alpha = host->param_real(host, "alpha"),
        .law = kit_param_is(host, "law", "clamped") ? VSL_CLAMPED : VSL_LITERAL,
    };
    it->n_volumes = lcpss_search(it->starts, &problem, &it->draw);
    return it->n_volumes > 0 ? EW_STRATEGY_OK : kit_fail_memory(host);
}

int32_t distredge_cut(struct distredge *it, const uint32_t *starts, uint32_t n_volumes)
{
    struct environment *environment = &it->environment;
    it->starts = calloc(it->chain.n_blocks, sizeof *it->starts);
    if (!it->starts) {
        return kit_fail_memory(it->host);
    }
    int32_t rc = EW_STRATEGY_OK;
    if (starts) {
        memcpy(it->starts, starts, n_volumes * sizeof *starts);
        it->n_volumes = n_volumes;
    } else {
        rc = choose_volumes(it);
    }
    if (rc < 0) {
        return rc;
    }
    environment->net = &it->net;
    environment->data = &it->data;
    environment->devices = it->devices;
    environment->builder = it->builder;
    environment->is_recursion = kit_param_is(it->host, "environment", "recursion");
    rc = environment_init(environment, &it->chain, it->starts, it->n_volumes);
    if (rc < 0) {
        return rc;
    }
    it->best.cuts = calloc((size_t)it->n_volumes * (it->n_devices + 1), sizeof *it->best.cuts);
    if (!it->best.cuts) {
        return kit_fail_memory(it->host);
    }
    it->single_s = environment_single_s(&it->single, environment);
    return it->single_s < 0.0 ? environment->status : EW_STRATEGY_OK;
}

/* ------------------------------------------------------------------ splits */

static int32_t status_of(const struct distredge *it, enum osds_outcome outcome)
{
    switch (outcome) {
    case OSDS_FOUND:
        return EW_STRATEGY_OK;
    case OSDS_NO_MEMORY:
        return kit_fail_memory(it->host);
    case OSDS_STOPPED:
        break;
    }
    return it->environment.status;
}

static int32_t search_coordinates(struct distredge *it)
{
    const struct coordinate_options options = {
        .max_evaluations = COORDINATE_EVALUATIONS,
        .capability = it->capability,
        .n_starts = COORDINATE_STARTS,
    };
    return status_of(
        it, coordinate_search(&it->best, &it->n_evaluations, &it->environment.problem, &options));
}

static int32_t polish(struct distredge *it)
{
    it->is_polished = true;
    return status_of(it, coordinate_improve(&it->best, &it->n_evaluations, &it->environment.problem,
                                            COORDINATE_EVALUATIONS));
}

void distredge_take_single(struct distredge *it)
{
    uint32_t width = it->n_devices + 1;
    for (uint32_t v = 0; v < it->n_volumes; v++) {
        for (uint32_t k = 0; k < width; k++) {
            it->best.cuts[v * width + k] =
                k > it->single ? it->environment.problem.volumes[v].rows : 0;
        }
    }
    it->best.latency_s = it->single_s;
}

/* The agent's split, or the single device's, which was seen first of all. */
static void keep_better(struct distredge *it)
{
    bool keeps_single = it->host->param_int(it->host, "keep_single") != 0;
    if (keeps_single && it->best.latency_s > it->single_s) {
        it->agent_s = it->best.latency_s;
        distredge_take_single(it);
    }
}

int32_t distredge_split(struct distredge *it, const struct agent *agent)
{
    const struct ew_host *host = it->host;
    if (it->n_devices == 1) {
        distredge_take_single(it);
        return EW_STRATEGY_OK;
    }
    if (kit_param_is(host, "search", "coordinate")) {
        return search_coordinates(it);
    }
    const struct learn_how how = {
        .scale_s = it->single_s, .draw = it->draw, .agent = agent, .keeps_files = it->keeps_files};
    int32_t rc = learn_split(&it->best, &it->learned, &it->environment, &how);
    if (rc < 0) {
        return rc;
    }
    keep_better(it);
    return host->param_int(host, "polish") != 0 ? polish(it) : rc;
}

/* ------------------------------------------------------------------ writing */

static int32_t note_volumes(const struct distredge *it)
{
    char text[512];
    int used = 0;
    text[0] = '\0';
    for (uint32_t v = 0; v < it->n_volumes && used >= 0 && (size_t)used < sizeof text; v++) {
        uint32_t layer = it->data.layer_id[it->data.model.blocks[it->starts[v]].first];
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%u (%s)", v ? ", " : "",
                         it->starts[v], it->net.layers[layer]->name);
    }
    return kit_note(it->builder, "volumes", "%s", text);
}

/* Rows of every device, volume by volume: "56: 0 20 36 0; …". */
static int32_t note_rows(const struct distredge *it)
{
    char text[1024];
    int used = 0;
    text[0] = '\0';
    for (uint32_t v = 0; v < it->n_volumes; v++) {
        const int32_t *cuts = it->best.cuts + (size_t)v * (it->n_devices + 1);
        for (uint32_t i = 0; i <= it->n_devices; i++) {
            if (used < 0 || (size_t)used >= sizeof text) {
                break;
            }
            used += i == 0
                        ? snprintf(text + used, sizeof text - (size_t)used, "%s%d:", v ? "; " : "",
                                   it->environment.problem.volumes[v].rows)
                        : snprintf(text + used, sizeof text - (size_t)used, " %d",
                                   cuts[i] - cuts[i - 1]);
        }
    }
    return kit_note(it->builder, "rows", "%s", text);
}

static int32_t note_search(const struct distredge *it)
{
    const struct osds_history *history = &it->learned.history;
    int32_t rc = EW_STRATEGY_OK;
    if (it->n_evaluations > 0) {
        rc = kit_note(it->builder, it->is_polished ? "polish" : "search",
                      "coordinate search, %llu latencies", (unsigned long long)it->n_evaluations);
    }
    if (rc >= 0 && history->n_episodes > 0) {
        rc = kit_note(it->builder, "episodes", "%u, best found in %u%s", history->n_episodes,
                      history->best_episode,
                      it->learned.is_resumed ? ", started from a trained actor" : "");
    }
    if (rc >= 0 && history->n_episodes > 0) {
        rc = kit_note(it->builder, "policy", "untrained %.6g s, trained %.6g s, best seen %.6g s",
                      history->initial_latency_s, history->final_latency_s,
                      it->agent_s > 0.0 ? it->agent_s : it->best.latency_s);
    }
    if (rc >= 0 && it->agent_s > 0.0) {
        rc = kit_note(it->builder, "kept", "the best single device, better than the agent's split");
    }
    if (rc >= 0 && it->reaction) {
        rc = kit_note(it->builder, "reaction", "%s", it->reaction);
    }
    return rc;
}

static int32_t write_notes(const struct distredge *it)
{
    const struct ew_host *host = it->host;
    int32_t rc = note_volumes(it);
    if (rc >= 0) {
        rc = note_rows(it);
    }
    if (rc >= 0) {
        rc = note_search(it);
    }
    if (rc >= 0) {
        rc = kit_note(it->builder, "best_single_s", "%.6g", it->single_s);
    }
    if (rc >= 0 && it->data.model.has_head) {
        uint32_t head = environment_head_device(&it->environment);
        rc = kit_note(it->builder, "head", "%s", host->device(host, head)->name);
    }
    if (rc >= 0 && it->group.excluded[0] != '\0') {
        rc = kit_note(it->builder, "left_out", "%s", it->group.excluded);
    }
    return rc;
}

static int32_t write_plan(struct distredge *it)
{
    /* Decides all volumes as the best split does. */
    double latency_s = environment_latency_s(&it->environment, it->best.cuts);
    int32_t rc = latency_s < 0.0 ? it->environment.status : EW_STRATEGY_OK;
    if (rc >= 0) {
        rc = it->builder->reset(it->builder);
    }
    if (rc >= 0) {
        rc = environment_emit(&it->environment);
    }
    if (rc >= 0) {
        rc = write_notes(it);
    }
    return rc < 0 ? rc : kit_predict(it->builder, &it->net, latency_s, NAN);
}

/* Nobody to share with: the source does it all. */
static int32_t write_local(const struct distredge *it)
{
    const struct ew_host *host = it->host;
    uint32_t source = host->requirements(host)->source_device;
    uint32_t sink = host->requirements(host)->sink_device;
    double latency_s = kit_net_compute_s(&it->net, source);
    int32_t rc = kit_begin_plan(it->builder, &it->net, "distredge");
    if (source != sink) {
        latency_s += host->transfer_s(host, source, sink, kit_net_result_bytes(&it->net));
    }
    if (rc >= 0) {
        rc = kit_emit_all(it->builder, &it->net, source);
    }
    if (rc >= 0) {
        rc = kit_note(it->builder, "local", "no other device can take a share%s%s",
                      it->group.excluded[0] ? ": " : "", it->group.excluded);
    }
    return rc < 0 ? rc : kit_predict(it->builder, &it->net, latency_s, NAN);
}

int32_t distredge_write(struct distredge *it)
{
    if (it->n_devices == 0) {
        return write_local(it);
    }
    if (!isfinite(it->best.latency_s)) {
        return kit_fail(it->host, EW_STRATEGY_ECANNOT,
                        "no split that was tried fits into the devices' memory");
    }
    return write_plan(it);
}

/* ------------------------------------------------------------------ life */

int32_t distredge_prepare(struct distredge *it)
{
    const struct ew_host *host = it->host;
    struct model_cast cast;
    int32_t rc = kit_net_init(&it->net, host, 0, EW_ID_NONE, KIT_ROWS);
    if (rc < 0) {
        return rc;
    }
    if (!chain_init(&it->chain, &it->net)) {
        return kit_fail_memory(host);
    }
    if (it->chain.n_blocks == 0) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "%s does not begin with convolutions whose rows can be split",
                        it->net.graph->name);
    }
    rc = form_group(it);
    if (rc < 0 || it->n_devices == 0) {
        return rc;
    }
    cast = (struct model_cast){.devices = it->devices, .n_parts = it->n_devices};
    rc = kit_param_device(&cast.head_device, host, "head_device");
    return rc < 0 ? rc : model_build(&it->data, &it->net, &it->chain, &cast);
}

void distredge_fini(struct distredge *it)
{
    agent_fini(&it->learned.agent);
    free(it->best.cuts);
    environment_fini(&it->environment);
    free(it->starts);
    model_data_fini(&it->data);
    free(it->devices);
    free(it->capability);
    chain_fini(&it->chain);
    kit_group_fini(&it->group);
    kit_net_fini(&it->net);
    *it = (struct distredge){0};
}
