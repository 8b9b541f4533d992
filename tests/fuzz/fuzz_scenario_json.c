/*
 * Fuzz target: scenario files. Whatever parses keeps to the documented ranges. Opens no files.
 */
#include <math.h>
#include <stdlib.h>

#include "io/scenario_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) {
        abort();
    }
}

static void check_workload(const struct ew_workload_spec *w)
{
    require(w->n_requests <= EW_SCENARIO_MAX_REQUESTS);
    require(w->batch >= 1 && w->batch <= EW_SCENARIO_MAX_BATCH);
    require(w->requests_per_job >= 1 && w->batch % (int64_t)w->requests_per_job == 0);
    require(w->deadline_s > 0);
    require(w->min_accuracy >= 0 && w->min_accuracy <= 1);
    require(isnan(w->input_bytes_per_element) || w->input_bytes_per_element > 0);
    require(w->arrival.text != NULL);
    require(w->arrival.form != EW_ARRIVE_CLOSED || w->arrival.outstanding >= 1);
    require((w->arrival.form == EW_ARRIVE_TRACE) == (w->arrival.trace_path != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ew_scenario s;
    struct ew_error err = {0};
    const enum ew_status status =
        ew_scenario_parse_json(&s, (const char *)data, size, "dir/scenario.json", &err);
    if (status != EW_OK) {
        require(err.message[0] != '\0');
        return 0;
    }
    require(s.n_workloads >= 1);
    for (uint32_t i = 0; i < s.n_workloads; i++) {
        check_workload(&s.workloads[i]);
    }
    for (uint32_t i = 0; i < s.n_overrides; i++) {
        require(isfinite(s.overrides[i].value) && s.overrides[i].name[0] != '\0');
    }
    for (uint32_t i = 0; i < s.n_params; i++) {
        require(s.params[i].name[0] != '\0' && s.params[i].value != NULL);
    }
    ew_scenario_fini(&s);
    return 0;
}
