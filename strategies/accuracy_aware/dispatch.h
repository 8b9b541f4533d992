/*
 * Dispatching a batch on plain numbers: shares of images and a variant of the model per node, under
 * a time limit and an accuracy target; and four simpler rules to compare with.
 *
 * After Taufique, Miele, Liljeberg, Kanduri: "Adaptive Workload Distribution for Accuracy-aware DNN
 * Inference on Collaborative Edge Platforms", ASP-DAC 2024 (abstract only; the formulation is
 * ours). Knows no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_ACCURACY_DISPATCH_H
#define EDGEWEAVE_STRATEGIES_ACCURACY_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

/** No variant: the node gets no images. */
#define DISPATCH_OFF UINT32_MAX

/** One node running one variant: finished with w images after fixed_s + w * image_s, w >= 1. */
struct dispatch_rate {
    double fixed_s;      /**< >= 0 */
    double image_s;      /**< > 0 */
    int32_t most_images; /**< what its memory holds; 0: cannot run this variant at all */
};

/** How images are shared among nodes whose variants are fixed. */
enum dispatch_sharing {
    DISPATCH_EQUAL_FINISH,   /**< all finish together, as early as possible */
    DISPATCH_ACCURATE_FIRST, /**< accurate nodes take all they can within the time limit */
};

/** Everything the rules look at. Arrays are borrowed. */
struct dispatch_problem {
    uint32_t n_nodes;
    uint32_t n_variants;
    const struct dispatch_rate *rates; /**< node * n_variants + variant */
    const double *accuracy;            /**< by variant; variant 0 is the base model */
    int32_t images;                    /**< >= 1 */
    double limit_s;                    /**< INFINITY: none */
    double min_accuracy;               /**< 0: none */
    enum dispatch_sharing sharing;
    uint64_t exhaustive_limit; /**< most vectors of variants that are enumerated */
};

/** What a decision achieves; a greater value is better. */
enum dispatch_outcome {
    DISPATCH_NONE,       /**< the nodes cannot hold the images */
    DISPATCH_INACCURATE, /**< the accuracy target is missed */
    DISPATCH_LATE,       /**< accurate enough, but the time limit is missed */
    DISPATCH_MEETS,      /**< both targets met */
};

/** A decision. The arrays belong to the caller: n_nodes values each. */
struct dispatch_plan {
    uint32_t *variant; /**< DISPATCH_OFF where images is 0 */
    int32_t *images;
    double finish_s;
    double accuracy; /**< mean over images */
    uint32_t n_active;
    enum dispatch_outcome outcome;
    bool is_exhaustive; /**< every vector of variants was looked at */
};

/** The four rules to compare with. */
enum dispatch_rule {
    DISPATCH_UNIFORM,             /**< equal shares, base model */
    DISPATCH_PROPORTIONAL,        /**< shares follow rates, base model */
    DISPATCH_UNIFORM_APPROX,      /**< equal shares, one variant for all */
    DISPATCH_PROPORTIONAL_APPROX, /**< shares follow rates, one variant for all */
};

/** Images the node can finish within `limit_s`. */
int32_t dispatch_images_within(const struct dispatch_rate *rate, double limit_s);

/** True when there are at most exhaustive_limit vectors, (n_variants + 1)^n_nodes. */
bool dispatch_is_small(const struct dispatch_problem *problem);

/** Step to the next vector of variants (0 .. n_variants - 1, then DISPATCH_OFF; the last node
 *  fastest; all zero is the first) that every node can run. False behind the last one. */
bool dispatch_advance(uint32_t *vector, const struct dispatch_problem *problem);

/** True when every node can run its variant. */
bool dispatch_can_run(const struct dispatch_problem *problem, const uint32_t *vector);

/** Fill the rest of a plan whose variants and images are given; nodes without images are off. */
void dispatch_judge(struct dispatch_plan *plan, const struct dispatch_problem *problem);

/** Shares for given variants (plan->variant) that finish first; exact over whole images. Fills the
 *  rest of the plan. */
void dispatch_share_equal(struct dispatch_plan *plan, const struct dispatch_problem *problem);

/** Shares for given variants with the greatest accuracy that finish within `limit_s`; nodes of the
 *  least accurate variant in use finish together. DISPATCH_NONE when that time is too short. */
void dispatch_share_accurate(struct dispatch_plan *plan, const struct dispatch_problem *problem,
                             double limit_s);

/** Choose variants and shares together: meeting both targets, then the greatest accuracy, then the
 *  earliest finish, then the fewest nodes. When the time limit cannot be met: the earliest finish
 *  that is accurate enough; when the accuracy cannot be met either: the most accurate, earliest.
 *  False when memory runs out. */
bool dispatch_search(struct dispatch_plan *plan, const struct dispatch_problem *problem);

/** One of the rules. The approximate ones take the most accurate variant that meets the time limit
 *  among those that meet the accuracy target; none: the earliest of these; none accurate: the base.
 *  False when memory runs out. */
bool dispatch_by_rule(struct dispatch_plan *plan, const struct dispatch_problem *problem,
                      enum dispatch_rule rule);

#endif
