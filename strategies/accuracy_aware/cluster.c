#include "accuracy_aware/cluster.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/devices.h"
#include "common/plugin.h"

/* A device that works for nothing still has a rate. */
static const double LEAST_IMAGE_S = 1e-12;

/* ------------------------------------------------------------------ variants */

/* The base, and the variants whose accuracy can be weighed against its. */
static int32_t read_variants(struct cluster *cluster)
{
    const struct ew_host *host = cluster->host;
    uint32_t n = host->graph(host, 0)->n_variants;
    cluster->nets = calloc((size_t)n + 1, sizeof *cluster->nets);
    cluster->variant = calloc((size_t)n + 1, sizeof *cluster->variant);
    cluster->accuracy = calloc((size_t)n + 1, sizeof *cluster->accuracy);
    if (!cluster->nets || !cluster->variant || !cluster->accuracy) {
        return kit_fail_memory(host);
    }
    cluster->is_accuracy_known = isfinite(host->graph(host, 0)->accuracy);
    for (uint32_t v = 0; v < n; v++) {
        double accuracy = host->graph(host, v)->accuracy;
        if (v > 0 && !(cluster->is_accuracy_known && isfinite(accuracy))) {
            continue;
        }
        uint32_t k = cluster->problem.n_variants++;
        cluster->variant[k] = v;
        cluster->accuracy[k] = isfinite(accuracy) ? accuracy : 0.0;
        int32_t rc = kit_net_init(&cluster->nets[k], host, v, EW_ID_NONE, KIT_ROWS);
        if (rc < 0) {
            return rc;
        }
    }
    return EW_STRATEGY_OK;
}

/* ------------------------------------------------------------------ rates */

/* Input there, all layers, answer to the sink, for `images` images. */
static double seconds_for(const struct cluster *cluster, uint32_t k, uint32_t device,
                          int32_t images)
{
    const struct ew_host *host = cluster->host;
    const struct ew_requirements_info *asked = host->requirements(host);
    struct kit_net part = cluster->nets[k];
    part.batch = images;
    return host->transfer_s(host, asked->source_device, device, kit_net_input_bytes(&part)) +
           kit_net_compute_s(&part, device) +
           host->transfer_s(host, device, asked->sink_device, kit_net_result_bytes(&part));
}

/* Most images whose weights and tensors `bytes` of memory hold; 0 means no limit. */
static int32_t images_in(const struct cluster *cluster, uint32_t k, uint64_t bytes)
{
    struct kit_net part = cluster->nets[k];
    int32_t low = 0;
    int32_t high = part.batch;
    while (bytes > 0 && low < high) {
        int32_t middle = low + (high - low + 1) / 2;
        part.batch = middle;
        if (kit_net_memory_bytes(&part) <= bytes) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return high;
}

/* A straight line through one image and all of them. */
static struct dispatch_rate rate_for(const struct cluster *cluster, uint32_t k, uint32_t device)
{
    const struct ew_host *host = cluster->host;
    int32_t images = cluster->problem.images;
    double one_s = seconds_for(cluster, k, device, 1);
    double all_s = seconds_for(cluster, k, device, images);
    struct dispatch_rate rate = {.image_s = LEAST_IMAGE_S};
    if (!isfinite(one_s) || !isfinite(all_s)) {
        return rate;
    }
    double image_s = images > 1 ? (all_s - one_s) / (images - 1) : one_s;
    rate.image_s = fmax(image_s, LEAST_IMAGE_S);
    rate.fixed_s = fmax(one_s - rate.image_s, 0.0);
    rate.most_images = images_in(cluster, k, host->device(host, device)->memory_bytes);
    return rate;
}

static struct dispatch_rate *rates_of(const struct cluster *cluster, uint32_t node)
{
    return &cluster->rates[(size_t)node * cluster->problem.n_variants];
}

/* Seconds per image of the fastest variant it can run; INFINITY when it can run none. */
static double best_image_s(const struct cluster *cluster, uint32_t node)
{
    double best = INFINITY;
    for (uint32_t k = 0; k < cluster->problem.n_variants; k++) {
        const struct dispatch_rate *rate = &rates_of(cluster, node)[k];
        best = rate->most_images > 0 ? fmin(best, rate->image_s) : best;
    }
    return best;
}

static void remove_node(struct cluster *cluster, uint32_t node)
{
    size_t size = cluster->problem.n_variants * sizeof *cluster->rates;
    uint32_t last = --cluster->problem.n_nodes;
    memmove(rates_of(cluster, node), rates_of(cluster, node + 1), (last - node) * size);
    memmove(&cluster->device[node], &cluster->device[node + 1],
            (last - node) * sizeof *cluster->device);
}

/* Of equals the last. */
static uint32_t slowest_node(const struct cluster *cluster)
{
    uint32_t slowest = 0;
    for (uint32_t d = 1; d < cluster->problem.n_nodes; d++) {
        if (best_image_s(cluster, d) >= best_image_s(cluster, slowest)) {
            slowest = d;
        }
    }
    return slowest;
}

static int32_t read_devices(struct cluster *cluster, uint32_t max_nodes)
{
    const struct ew_host *host = cluster->host;
    uint32_t n = host->device_count(host);
    uint32_t n_variants = cluster->problem.n_variants;
    cluster->device = calloc((size_t)n + 1, sizeof *cluster->device);
    cluster->rates = calloc(((size_t)n + 1) * n_variants, sizeof *cluster->rates);
    if (!cluster->device || !cluster->rates) {
        return kit_fail_memory(host);
    }
    for (uint32_t d = 0; d < n; d++) {
        uint32_t node = cluster->problem.n_nodes++;
        cluster->device[node] = d;
        for (uint32_t k = 0; k < n_variants; k++) {
            rates_of(cluster, node)[k] = rate_for(cluster, k, d);
        }
        if (!isfinite(best_image_s(cluster, node))) {
            cluster->problem.n_nodes--;
        } else if (cluster->problem.n_nodes > max_nodes) {
            remove_node(cluster, slowest_node(cluster));
        }
    }
    if (cluster->problem.n_nodes == 0) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "no device can take a single image: none has routes from the source and to "
                        "the sink and memory for a variant of %s (%" PRIu64 " bytes at least)",
                        host->graph(host, 0)->name, kit_net_memory_bytes(&cluster->nets[0]));
    }
    return EW_STRATEGY_OK;
}

int32_t cluster_init(struct cluster *cluster, const struct ew_host *host, uint32_t max_nodes)
{
    const struct ew_requirements_info *asked = host->requirements(host);
    cluster->host = host;
    cluster->problem.images = asked->batch;
    cluster->problem.min_accuracy = asked->min_accuracy;
    cluster->problem.limit_s = asked->deadline_s;
    if (asked->min_throughput_per_s > 0.0) {
        cluster->problem.limit_s = fmin(asked->deadline_s, 1.0 / asked->min_throughput_per_s);
    }
    int32_t rc = read_variants(cluster);
    if (rc >= 0) {
        rc = read_devices(cluster, max_nodes);
    }
    cluster->problem.rates = cluster->rates;
    cluster->problem.accuracy = cluster->accuracy;
    return rc;
}

void cluster_fini(struct cluster *cluster)
{
    for (uint32_t k = 0; cluster->nets && k < cluster->problem.n_variants; k++) {
        kit_net_fini(&cluster->nets[k]);
    }
    free(cluster->nets);
    free(cluster->variant);
    free(cluster->accuracy);
    free(cluster->device);
    free(cluster->rates);
    memset(cluster, 0, sizeof *cluster);
}

/* ------------------------------------------------------------------ memory */

static bool is_same_node(const struct cluster *cluster, uint32_t a, uint32_t b)
{
    const struct ew_host *host = cluster->host;
    return host->device(host, cluster->device[a])->node ==
           host->device(host, cluster->device[b])->node;
}

bool cluster_is_overfull(const struct cluster *cluster, const struct dispatch_plan *plan)
{
    const struct ew_host *host = cluster->host;
    for (uint32_t a = 0; a < cluster->problem.n_nodes; a++) {
        uint64_t needed_bytes = 0;
        for (uint32_t b = 0; b < cluster->problem.n_nodes; b++) {
            if (plan->images[b] > 0 && is_same_node(cluster, a, b)) {
                struct kit_net part = cluster->nets[plan->variant[b]];
                part.batch = plan->images[b];
                needed_bytes += kit_net_memory_bytes(&part);
            }
        }
        if (!kit_fits(host, cluster->device[a], needed_bytes)) {
            return true;
        }
    }
    return false;
}

void cluster_divide_memory(struct cluster *cluster)
{
    const struct ew_host *host = cluster->host;
    for (uint32_t a = 0; a < cluster->problem.n_nodes; a++) {
        uint64_t bytes = host->device(host, cluster->device[a])->memory_bytes;
        uint32_t mates = 0;
        for (uint32_t b = 0; b < cluster->problem.n_nodes; b++) {
            mates += is_same_node(cluster, a, b);
        }
        for (uint32_t k = 0; k < cluster->problem.n_variants && bytes > 0; k++) {
            struct dispatch_rate *rate = &rates_of(cluster, a)[k];
            int32_t most = images_in(cluster, k, bytes > mates ? bytes / mates : 1);
            rate->most_images = most < rate->most_images ? most : rate->most_images;
        }
    }
}

int32_t cluster_fail_capacity(const struct cluster *cluster)
{
    const struct ew_host *host = cluster->host;
    int64_t most = 0;
    for (uint32_t d = 0; d < cluster->problem.n_nodes; d++) {
        int32_t best = 0;
        for (uint32_t k = 0; k < cluster->problem.n_variants; k++) {
            int32_t images = rates_of(cluster, d)[k].most_images;
            best = images > best ? images : best;
        }
        most += best;
    }
    return kit_fail(host, EW_STRATEGY_ECANNOT,
                    "the memory of the %u usable devices does not hold a batch of %d images: "
                    "%" PRId64 " at most, whatever the variants",
                    cluster->problem.n_nodes, cluster->problem.images, most);
}

/* ------------------------------------------------------------------ plans */

static int32_t emit_segment(struct ew_plan_builder *builder, const struct kit_net *net,
                            uint32_t segment, uint32_t device, int32_t lo, int32_t hi)
{
    for (uint32_t i = 0; i < net->n_order; i++) {
        struct ew_piece_desc piece = {
            .struct_size = sizeof piece,
            .segment = segment,
            .layer = net->order[i],
            .device = device,
            .role = EW_ROLE_FULL,
            .chain = EW_ID_NONE,
            .sum_piece = EW_ID_NONE,
            .box = kit_full_box(net, net->order[i]),
        };
        piece.box.lo[0] = lo;
        piece.box.hi[0] = hi;
        int32_t id = builder->add_piece(builder, &piece);
        if (id < 0) {
            return id;
        }
    }
    return EW_STRATEGY_OK;
}

int32_t cluster_emit(struct ew_plan_builder *builder, const struct cluster *cluster,
                     const struct dispatch_plan *plan, const char *name)
{
    int32_t next = 0;
    int32_t rc = builder->begin_plan(builder, name);
    for (uint32_t d = 0; d < cluster->problem.n_nodes && rc >= 0; d++) {
        if (plan->images[d] == 0) {
            continue;
        }
        const struct kit_net *net = &cluster->nets[plan->variant[d]];
        int32_t end = next + plan->images[d];
        rc = builder->assign(builder, next, end, net->variant, net->exit);
        if (rc >= 0) {
            rc = emit_segment(builder, net, (uint32_t)rc, cluster->device[d], next, end);
        }
        next = end;
    }
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

/* "nano: 40 x base, xu4: 60 x w0.75", as far as it fits. */
static void list_shares(char *out, size_t size, const struct cluster *cluster,
                        const struct dispatch_plan *plan)
{
    const struct ew_host *host = cluster->host;
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t d = 0; d < cluster->problem.n_nodes && used < size; d++) {
        if (plan->images[d] > 0) {
            int n = snprintf(out + used, size - used, "%s%s: %d x %s", used ? ", " : "",
                             host->device(host, cluster->device[d])->name, plan->images[d],
                             cluster->nets[plan->variant[d]].graph->variant_name);
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

/* What the plan misses; "" when nothing. Met exactly counts as met. */
static void list_misses(char *out, size_t size, const struct cluster *cluster,
                        const struct dispatch_plan *plan, double latency_s)
{
    const struct ew_requirements_info *asked = cluster->host->requirements(cluster->host);
    const double tolerance = 1e-9;
    out[0] = '\0';
    if (asked->min_accuracy > 0.0 && !cluster->is_accuracy_known) {
        snprintf(out, size, "the accuracy of the network is unknown, %g is asked for",
                 asked->min_accuracy);
    } else if (plan->accuracy < asked->min_accuracy - tolerance) {
        snprintf(out, size, "predicted accuracy %.6g is below the %.6g asked for", plan->accuracy,
                 asked->min_accuracy);
    } else if (latency_s > asked->deadline_s * (1.0 + tolerance)) {
        snprintf(out, size, "predicted latency %.6g s exceeds the deadline of %.6g s", latency_s,
                 asked->deadline_s);
    } else if (latency_s * asked->min_throughput_per_s > 1.0 + tolerance) {
        snprintf(out, size, "predicted throughput %.6g/s is below the %.6g/s asked for",
                 1.0 / latency_s, asked->min_throughput_per_s);
    }
}

int32_t cluster_describe(struct ew_plan_builder *builder, const struct cluster *cluster,
                         const struct dispatch_plan *plan, double latency_s)
{
    char text[400];
    list_shares(text, sizeof text, cluster, plan);
    int32_t rc = kit_note(builder, "shares", "%s", text);
    if (rc >= 0 && cluster->is_accuracy_known) {
        rc = kit_note(builder, "accuracy", "%.6g", plan->accuracy);
    }
    if (rc < 0) {
        return rc;
    }
    list_misses(text, sizeof text, cluster, plan, latency_s);
    return builder->set_prediction(builder, latency_s, NAN, text[0] ? text : NULL);
}
