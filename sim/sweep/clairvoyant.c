#include "sweep/clairvoyant.h"

enum ew_status ew_clairvoyant_run(struct ew_result **out, struct ew_clairvoyant_facts *facts,
                                  const struct ew_point_config *config,
                                  const struct ew_contender *const *makers,
                                  const struct ew_point_run *how, double until_s,
                                  uint32_t max_plans, struct ew_error *err)
{
    const struct ew_foresight foresight = {until_s, max_plans, EW_CLAIRVOYANT_MAX_EVALUATIONS};
    struct ew_point_config clairvoyant = *config;
    struct ew_point point = {0};
    clairvoyant.foresight = &foresight;
    *facts = (struct ew_clairvoyant_facts){0};
    enum ew_status status = ew_point_plan(&point, &clairvoyant, makers, err);
    for (uint32_t w = 0; status == EW_OK && w < config->setup->n_workloads; w++) {
        const struct ew_replan *replan = point.replans[w];
        facts->n_changes += replan->n_changes;
        facts->n_regimes += replan->n_asked;
        facts->n_failed += replan->n_unable;
    }
    if (status == EW_OK) {
        status = ew_point_run(out, &point, how, err);
    }
    ew_point_fini(&point);
    return status;
}
