#include "results/result.h"

#include <math.h>
#include <stdlib.h>

static struct ew_service empty_service(void)
{
    return (struct ew_service){
        .latency = {NAN, NAN, NAN, NAN, NAN},
        .first_arrival_s = NAN,
        .last_completion_s = NAN,
        .throughput_per_s = NAN,
        .period_s = NAN,
        .deadline_s = NAN,
        .deadline_met_ratio = NAN,
        .accuracy = NAN,
        .predicted_latency_s = NAN,
    };
}

static const char *copy_text(struct ew_result *result, const char *text)
{
    return ew_arena_strdup(&result->arena, text ? text : "");
}

struct ew_result *ew_result_new_error(const struct ew_run_labels *labels, enum ew_status status,
                                      const char *message)
{
    struct ew_result *result = calloc(1, sizeof *result);
    if (!result) {
        return NULL;
    }
    result->strategy = copy_text(result, labels->strategy);
    result->strategy_version = copy_text(result, labels->strategy_version);
    result->params = copy_text(result, labels->params);
    result->engine = copy_text(result, labels->engine);
    result->error = copy_text(result, message);
    if (!result->strategy || !result->strategy_version || !result->params || !result->engine ||
        !result->error) {
        ew_result_free(result);
        return NULL;
    }
    result->plan_time_s = labels->plan_time_s;
    result->run_time_s = labels->run_time_s;
    result->error_status = status;
    result->service = empty_service();
    result->horizon_begin_s = result->horizon_end_s = NAN;
    result->energy_j = result->dynamic_energy_j = NAN;
    result->energy_per_request_j = result->dynamic_energy_per_request_j = NAN;
    result->idle_share_per_request_j = NAN;
    for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
        result->state_j[i] = NAN;
    }
    return result;
}

void ew_result_free(struct ew_result *result)
{
    if (result) {
        struct ew_arena arena = result->arena;
        free(result);
        ew_arena_fini(&arena);
    }
}
