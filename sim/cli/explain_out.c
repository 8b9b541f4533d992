#include "cli/explain_out.h"

#include <math.h>
#include <string.h>

#include "base/json_writer.h"

/* --- sums --------------------------------------------------------------------------------------
 */

static double length_s(const struct ew_path_part *part)
{
    return part->end_s - part->begin_s;
}

static double latency_s(const struct ew_explanation *e)
{
    return e->critical->end_s - e->critical->arrival_s;
}

static double kind_s(const struct ew_explanation *e, enum ew_path_part_kind kind)
{
    double sum = 0;
    for (size_t i = 0; i < e->critical->parts.count; i++) {
        const struct ew_path_part *part = &e->critical->parts.items[i];
        sum += part->kind == kind ? length_s(part) : 0;
    }
    return sum;
}

/* Time of the path that the device computes or loads. */
static double device_s(const struct ew_explanation *e, uint32_t device)
{
    double sum = 0;
    for (size_t i = 0; i < e->critical->parts.count; i++) {
        const struct ew_path_part *part = &e->critical->parts.items[i];
        const bool is_work = part->kind == EW_PATH_PART_COMPUTE || part->kind == EW_PATH_PART_LOAD;
        sum += is_work && part->device == device ? length_s(part) : 0;
    }
    return sum;
}

/* Time of the path that bytes take where the link is the narrowest of the route. */
static double link_s(const struct ew_explanation *e, uint32_t link)
{
    double sum = 0;
    for (size_t i = 0; i < e->critical->parts.count; i++) {
        const struct ew_path_part *part = &e->critical->parts.items[i];
        const bool is_flow =
            part->kind == EW_PATH_PART_TRANSFER || part->kind == EW_PATH_PART_CONTENTION;
        sum += is_flow && part->link == link ? length_s(part) : 0;
    }
    return sum;
}

static uint32_t busiest(const struct ew_explanation *e, uint32_t n,
                        double (*seconds)(const struct ew_explanation *e, uint32_t id))
{
    uint32_t best = EW_NONE;
    double best_s = 0;
    for (uint32_t i = 0; i < n; i++) {
        const double mine_s = seconds(e, i);
        if (mine_s > best_s) {
            best_s = mine_s;
            best = i;
        }
    }
    return best;
}

struct rows {
    uint64_t all, redundant;
    double redundant_s; /* time of computing, by the share of rows */
};

static struct rows sum_rows(const struct ew_explanation *e)
{
    struct rows sum = {0};
    for (size_t i = 0; i < e->critical->parts.count; i++) {
        const struct ew_path_part *part = &e->critical->parts.items[i];
        sum.all += part->rows;
        sum.redundant += part->redundant_rows;
        sum.redundant_s += part->rows ? length_s(part) * part->redundant_rows / part->rows : 0;
    }
    return sum;
}

static const char *layer_of(const struct ew_explanation *e, const struct ew_path_part *part)
{
    if (part->node == EW_NONE) {
        return "";
    }
    const struct ew_task_info *info = &e->tasks->info[part->node];
    const struct ew_graph *graph = e->graph;
    if (info->segment < e->plan->n_segments) {
        graph = ew_segment_graph(graph, &e->plan->segments[info->segment]);
    }
    return info->layer < graph->n_layers ? graph->layers[info->layer].name : "(result)";
}

/* --- words -------------------------------------------------------------------------------------
 */

static void put_share(struct ew_str *out, const struct ew_explanation *e, double seconds,
                      const char *words)
{
    char text[32];
    ew_human_seconds(text, seconds);
    ew_str_printf(out, "%s (%.1f %%) %s", text, 100 * seconds / latency_s(e), words);
}

static void put_words(struct ew_str *out, const struct ew_explanation *e)
{
    char text[32];
    const char *separator = "";
    const struct rows rows = sum_rows(e);
    ew_human_seconds(text, latency_s(e));
    ew_str_printf(out, "%s, request %llu of '%s' on %s: %s from arrival to answer\n", e->strategy,
                  (unsigned long long)e->critical->request, e->workload, e->engine, text);
    ew_str_append(out, "On its critical path: ");
    for (int k = 0; k < EW_PATH_PART_COUNT; k++) {
        const double seconds = kind_s(e, (enum ew_path_part_kind)k);
        if (seconds > 0) {
            ew_str_append(out, separator);
            put_share(out, e, seconds, ew_path_part_words((enum ew_path_part_kind)k));
            separator = ", ";
        }
    }
    ew_str_append(out, ".\n");
    const uint32_t device = busiest(e, e->platform->n_devices, device_s);
    const uint32_t link = busiest(e, e->platform->n_links, link_s);
    if (device != EW_NONE) {
        ew_str_printf(out, "Bottleneck device: %s, ", e->platform->devices[device].name);
        put_share(out, e, device_s(e, device), "of the path.\n");
    }
    if (link != EW_NONE) {
        ew_str_printf(out, "Bottleneck link: %s, ", e->platform->links[link].name);
        put_share(out, e, link_s(e, link), "of the path.\n");
    }
    if (rows.redundant) {
        ew_human_seconds(text, rows.redundant_s);
        ew_str_printf(out,
                      "Of %llu rows computed on the path, other devices compute %llu, too: %s.\n",
                      (unsigned long long)rows.all, (unsigned long long)rows.redundant, text);
    }
}

/* Parts that follow each other on one device are one line. */
static void put_path(struct ew_str *out, const struct ew_explanation *e)
{
    const struct ew_path_part *parts = e->critical->parts.items;
    ew_str_printf(out, "\n%10s %10s  %-28s %-24s %s\n", "at", "for", "what", "where", "layer");
    for (size_t i = 0; i < e->critical->parts.count;) {
        size_t last = i;
        while (last + 1 < e->critical->parts.count && parts[i].peer == EW_NONE &&
               parts[last + 1].kind == parts[i].kind && parts[last + 1].device == parts[i].device &&
               parts[last + 1].peer == EW_NONE) {
            last++;
        }
        char at[32], length[32];
        struct ew_str where = {0};
        ew_human_seconds(at, parts[i].begin_s - e->critical->arrival_s);
        ew_human_seconds(length, parts[last].end_s - parts[i].begin_s);
        if (parts[i].device != EW_NONE) {
            ew_str_append(&where, e->platform->devices[parts[i].device].name);
        }
        if (parts[i].peer != EW_NONE) {
            ew_str_printf(&where, " -> %s", e->platform->devices[parts[i].peer].name);
        }
        ew_str_printf(out, "%10s %10s  %-28s %-24s %s", at, length,
                      ew_path_part_words(parts[i].kind), ew_str_text(&where),
                      layer_of(e, &parts[i]));
        if (last > i && strcmp(layer_of(e, &parts[i]), layer_of(e, &parts[last])) != 0) {
            ew_str_printf(out, " to %s", layer_of(e, &parts[last]));
        }
        ew_str_append(out, "\n");
        ew_str_fini(&where);
        i = last + 1;
    }
}

static void put_change(struct ew_str *out, double value, double base)
{
    if (isfinite(value) && base > 0) {
        ew_str_printf(out, " %+11.2f %%", 100 * (value / base - 1));
    } else {
        ew_str_printf(out, " %13s", "-");
    }
}

static void put_worths(struct ew_str *out, const struct ew_explanation *e)
{
    const double base_s = e->result->service.latency.mean_s;
    char text[32];
    if (e->n_worths == 0) {
        return;
    }
    ew_human_seconds(text, base_s);
    ew_str_printf(out,
                  "\nMean latency (now %s), simulated again with 10 %% more of one resource, and "
                  "without one device:\n",
                  text);
    ew_str_printf(out, "%-6s %-24s %13s %13s %13s\n", "", "", "same plan", "planned anew",
                  "without it");
    for (size_t i = 0; i < e->n_worths; i++) {
        const struct ew_worth *w = &e->worths[i];
        ew_str_printf(out, "%-6s %-24s", w->is_link ? "link" : "device",
                      w->is_link ? e->platform->links[w->id].name
                                 : e->platform->devices[w->id].name);
        put_change(out, w->more.latency_mean_s, base_s);
        put_change(out, w->replan.latency_mean_s, base_s);
        if (w->is_link) {
            ew_str_append(out, "\n");
        } else if (w->is_needed) {
            ew_str_printf(out, " %13s\n", "source/sink");
        } else {
            put_change(out, w->without.latency_mean_s, base_s);
            ew_str_printf(out, "%s%s\n", *w->without.why ? "  " : "", w->without.why);
        }
    }
}

static void put_break_even(struct ew_str *out, const struct ew_explanation *e)
{
    const struct ew_break_even *b = e->break_even;
    if (!e->rival) {
        return;
    }
    const char *better = b->first_sign < 0 ? e->strategy : e->rival;
    const char *worse = b->first_sign < 0 ? e->rival : e->strategy;
    ew_str_printf(out, "\n%s or %s, when link %s has from %.4g to %.4g bytes/s (%u samples",
                  e->strategy, e->rival, e->rival_link, b->from_bytes_per_s, b->to_bytes_per_s,
                  b->n_samples);
    if (b->n_equal) {
        ew_str_printf(out, ", at %u of them equal", b->n_equal);
    }
    if (b->n_failed) {
        ew_str_printf(out, ", at %u of them one cannot serve", b->n_failed);
    }
    ew_str_append(out, "):\n");
    if (b->first_sign == 0) {
        ew_str_append(out, "  never a difference in mean latency\n");
    } else if (b->n_crossings == 0) {
        ew_str_printf(out, "  %s is never slower than %s\n", better, worse);
    } else {
        ew_str_printf(out, "  %s is faster at first\n", better);
    }
    for (uint32_t i = 0; i < b->n_crossings; i++) {
        ew_str_printf(out, "  %s is faster from %.6g bytes/s on%s\n",
                      b->crossings[i].first_wins ? e->strategy : e->rival,
                      b->crossings[i].bandwidth_bytes_per_s,
                      b->crossings[i].is_jump ? " (at once: a plan changes there)" : "");
    }
}

void ew_explain_print_text(struct ew_str *out, const struct ew_explanation *e)
{
    put_words(out, e);
    put_path(out, e);
    put_worths(out, e);
    put_break_even(out, e);
}

/* --- JSON --------------------------------------------------------------------------------------
 */

static void put_json_parts(struct ew_json *j, const struct ew_explanation *e)
{
    ew_json_key(j, "path");
    ew_json_array_begin(j);
    for (size_t i = 0; i < e->critical->parts.count; i++) {
        const struct ew_path_part *p = &e->critical->parts.items[i];
        ew_json_object_begin_inline(j);
        ew_json_kv_string(j, "what", ew_path_part_name(p->kind));
        ew_json_kv_double(j, "begin_s", p->begin_s);
        ew_json_kv_double(j, "end_s", p->end_s);
        ew_json_kv_string(j, "device",
                          p->device == EW_NONE ? NULL : e->platform->devices[p->device].name);
        ew_json_kv_string(j, "peer",
                          p->peer == EW_NONE ? NULL : e->platform->devices[p->peer].name);
        ew_json_kv_string(j, "link", p->link == EW_NONE ? NULL : e->platform->links[p->link].name);
        ew_json_kv_string(j, "layer", p->node == EW_NONE ? NULL : layer_of(e, p));
        ew_json_kv_u64(j, "rows", p->rows);
        ew_json_kv_u64(j, "redundant_rows", p->redundant_rows);
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

static void put_json_supposed(struct ew_json *j, const char *key, const struct ew_supposed *s)
{
    ew_json_key(j, key);
    ew_json_object_begin_inline(j);
    ew_json_kv_double(j, "latency_mean_s", s->latency_mean_s);
    ew_json_kv_double(j, "energy_per_request_j", s->energy_per_request_j);
    if (*s->why) {
        ew_json_kv_string(j, "error", s->why);
    }
    ew_json_object_end(j);
}

static void put_json_worths(struct ew_json *j, const struct ew_explanation *e)
{
    ew_json_key(j, "resources");
    ew_json_array_begin(j);
    for (size_t i = 0; i < e->n_worths; i++) {
        const struct ew_worth *w = &e->worths[i];
        ew_json_object_begin(j);
        ew_json_kv_string(j, "kind", w->is_link ? "link" : "device");
        ew_json_kv_string(j, "name",
                          w->is_link ? e->platform->links[w->id].name
                                     : e->platform->devices[w->id].name);
        ew_json_kv_double(j, "path_s", w->is_link ? link_s(e, w->id) : device_s(e, w->id));
        put_json_supposed(j, "more_same_plan", &w->more);
        put_json_supposed(j, "more_planned_anew", &w->replan);
        if (!w->is_link && !w->is_needed) {
            put_json_supposed(j, "without", &w->without);
        }
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

static void put_json_break_even(struct ew_json *j, const struct ew_explanation *e)
{
    const struct ew_break_even *b = e->break_even;
    ew_json_key(j, "break_even");
    if (!e->rival) {
        ew_json_null(j);
        return;
    }
    ew_json_object_begin(j);
    ew_json_kv_string(j, "rival", e->rival);
    ew_json_kv_string(j, "link", e->rival_link);
    ew_json_kv_double(j, "from_bytes_per_s", b->from_bytes_per_s);
    ew_json_kv_double(j, "to_bytes_per_s", b->to_bytes_per_s);
    ew_json_kv_u64(j, "samples", b->n_samples);
    ew_json_kv_u64(j, "equal_samples", b->n_equal);
    ew_json_kv_u64(j, "failed_samples", b->n_failed);
    ew_json_kv_string(j, "faster_at_first",
                      b->first_sign == 0  ? NULL
                      : b->first_sign < 0 ? e->strategy
                                          : e->rival);
    ew_json_key(j, "crossings");
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < b->n_crossings; i++) {
        ew_json_object_begin_inline(j);
        ew_json_kv_double(j, "bandwidth_bytes_per_s", b->crossings[i].bandwidth_bytes_per_s);
        ew_json_kv_string(j, "faster_above", b->crossings[i].first_wins ? e->strategy : e->rival);
        ew_json_kv_bool(j, "is_jump", b->crossings[i].is_jump);
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
    ew_json_object_end(j);
}

void ew_explain_print_json(struct ew_str *out, const struct ew_explanation *e)
{
    struct ew_json j = {.out = out};
    const struct rows rows = sum_rows(e);
    const uint32_t device = busiest(e, e->platform->n_devices, device_s);
    const uint32_t link = busiest(e, e->platform->n_links, link_s);
    ew_json_object_begin(&j);
    ew_json_kv_i64(&j, "schema", 1);
    ew_json_kv_string(&j, "strategy", e->strategy);
    ew_json_kv_string(&j, "engine", e->engine);
    ew_json_kv_string(&j, "workload", e->workload);
    ew_json_kv_u64(&j, "request", e->critical->request);
    ew_json_kv_double(&j, "arrival_s", e->critical->arrival_s);
    ew_json_kv_double(&j, "latency_s", latency_s(e));
    ew_json_kv_double(&j, "latency_mean_s", e->result->service.latency.mean_s);
    ew_json_kv_double(&j, "energy_per_request_j", e->result->energy_per_request_j);
    ew_json_key(&j, "sums_s");
    ew_json_object_begin(&j);
    for (int k = 0; k < EW_PATH_PART_COUNT; k++) {
        ew_json_kv_double(&j, ew_path_part_name((enum ew_path_part_kind)k),
                          kind_s(e, (enum ew_path_part_kind)k));
    }
    ew_json_object_end(&j);
    ew_json_kv_string(&j, "bottleneck_device",
                      device == EW_NONE ? NULL : e->platform->devices[device].name);
    ew_json_kv_string(&j, "bottleneck_link",
                      link == EW_NONE ? NULL : e->platform->links[link].name);
    ew_json_kv_u64(&j, "rows", rows.all);
    ew_json_kv_u64(&j, "redundant_rows", rows.redundant);
    ew_json_kv_double(&j, "redundant_s", rows.redundant_s);
    put_json_parts(&j, e);
    put_json_worths(&j, e);
    put_json_break_even(&j, e);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}
