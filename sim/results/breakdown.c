#include "results/breakdown.h"

#include <math.h>
#include <string.h>

static const char *const WORDS[] = {"device", "layer", "state", "request"};

enum { N_WORDS = sizeof WORDS / sizeof *WORDS };

static const char *word_at(const void *ctx, size_t i)
{
    (void)ctx;
    return WORDS[i];
}

enum ew_status ew_breakdown_parse(enum ew_breakdown *out, const char *word, struct ew_error *err)
{
    for (size_t i = 0; i < N_WORDS; i++) {
        if (strcmp(WORDS[i], word) == 0) {
            *out = (enum ew_breakdown)i;
            return EW_OK;
        }
    }
    const char *near = ew_nearest_name(word, N_WORDS, word_at, NULL);
    return ew_fail(err, EW_EUSAGE, "expected device, layer, state or request, found '%.40s'%s%s%s",
                   word, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void put_number(struct ew_str *out, double value)
{
    char text[32] = "";
    if (isfinite(value)) {
        ew_format_double(text, value);
    }
    ew_str_printf(out, ",%s", text);
}

/* Names may hold commas. */
static void put_name(struct ew_str *out, const char *name)
{
    if (!strpbrk(name, ",\"")) {
        ew_str_append(out, name);
        return;
    }
    ew_str_append(out, "\"");
    for (const char *c = name; *c; c++) {
        ew_str_append_n(out, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    }
    ew_str_append(out, "\"");
}

static void put_row(struct ew_str *out, const struct ew_result *run, const char *name,
                    const char *part, double time_s, double energy_j)
{
    put_name(out, run->strategy);
    ew_str_append(out, ",");
    put_name(out, name);
    ew_str_printf(out, ",%s", part);
    put_number(out, time_s);
    put_number(out, energy_j);
    ew_str_append(out, "\n");
}

/* How long a device was in a state; NAN for idle and off, which nothing measures. */
static double state_s(const struct ew_device_result *device, enum ew_power_state state)
{
    switch (state) {
    case EW_POWER_COMPUTE:
        return device->busy_s;
    case EW_POWER_TX:
        return device->tx_s;
    case EW_POWER_RX:
        return device->rx_s;
    default:
        return NAN;
    }
}

static void put_devices(struct ew_str *out, const struct ew_result *run)
{
    for (uint32_t d = 0; d < run->n_devices; d++) {
        const struct ew_device_result *device = &run->devices[d];
        for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
            const enum ew_power_state state = (enum ew_power_state)i;
            put_row(out, run, device->name, ew_power_state_name(state), state_s(device, state),
                    device->has_energy ? device->state_j[i] : NAN);
        }
    }
}

static void put_layers(struct ew_str *out, const struct ew_result *run)
{
    for (uint32_t i = 0; i < run->n_layers; i++) {
        const struct ew_layer_result *layer = &run->layers[i];
        put_row(out, run, layer->name, "compute", layer->compute_s, layer->compute_j);
        put_row(out, run, layer->name, "transfer", layer->transfer_s, layer->transfer_j);
    }
}

static void put_states(struct ew_str *out, const struct ew_result *run)
{
    for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
        const enum ew_power_state state = (enum ew_power_state)i;
        double sum_s = 0;
        for (uint32_t d = 0; d < run->n_devices; d++) {
            sum_s += state_s(&run->devices[d], state);
        }
        put_row(out, run, "platform", ew_power_state_name(state), sum_s,
                run->has_energy ? run->state_j[i] : NAN);
    }
}

/* One row per state; of off and idle, which no request causes, only the energy. */
static void put_request(struct ew_str *out, const struct ew_result *run, const char *name,
                        const double *time_s, const double *energy_j)
{
    for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
        put_row(out, run, name, ew_power_state_name((enum ew_power_state)i),
                time_s && i != EW_POWER_OFF && i != EW_POWER_IDLE ? time_s[i] : NAN,
                run->has_energy ? energy_j[i] : NAN);
    }
}

/* Per answered request on average, then each request by itself. */
static void put_requests(struct ew_str *out, const struct ew_result *run)
{
    const double n = (double)run->service.counts.completed;
    double mean_s[EW_POWER_STATE_COUNT] = {0}, mean_j[EW_POWER_STATE_COUNT];
    for (int s = 0; s < EW_POWER_STATE_COUNT; s++) {
        for (uint64_t i = 0; i < run->n_requests_shared; i++) {
            mean_s[s] += run->request_shares[i].time_s[s] / n;
        }
        mean_j[s] = run->state_j[s] / n;
    }
    if (n > 0) {
        put_request(out, run, "mean request", run->n_requests_shared ? mean_s : NULL, mean_j);
    }
    for (uint64_t i = 0; i < run->n_requests_shared; i++) {
        const struct ew_request_share *share = &run->request_shares[i];
        struct ew_str name = {0};
        if (run->n_workloads > 1 && share->workload < run->n_workloads) {
            ew_str_printf(&name, "%s ", run->workloads[share->workload].name);
        }
        ew_str_printf(&name, "request %llu", (unsigned long long)share->request);
        put_request(out, run, ew_str_text(&name), share->time_s, share->energy_j);
        out->failed |= name.failed;
        ew_str_fini(&name);
    }
}

void ew_breakdown_print(struct ew_str *out, enum ew_breakdown by,
                        const struct ew_result *const *results, uint32_t n)
{
    static void (*const put[])(struct ew_str *, const struct ew_result *) = {
        put_devices, put_layers, put_states, put_requests};
    ew_str_append(out, "strategy,name,part,time_s,energy_j\n");
    for (uint32_t i = 0; i < n; i++) {
        if (!results[i]->error) {
            put[by](out, results[i]);
        }
    }
}
