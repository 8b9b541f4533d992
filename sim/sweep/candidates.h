/*
 * Candidates: plans made so far, offered to strategies that look for better ones (extension
 * "edgeweave.candidates/1" of edgeweave/strategy.h). Borrows the books.
 */
#ifndef EW_SWEEP_CANDIDATES_H
#define EW_SWEEP_CANDIDATES_H

#include "base/vec.h"
#include "edgeweave/strategy.h"
#include "plan/plan.h"

/** Zero-initialise, then ew_candidates_bind; do not move afterwards. */
struct ew_candidate_list {
    struct ew_candidates abi;
    EW_VEC(const struct ew_book *) books;
    uint32_t n_layers; /**< of variant 0 */
};

void ew_candidates_bind(struct ew_candidate_list *list, uint32_t n_layers);
void ew_candidates_fini(struct ew_candidate_list *list);

/** Offer a book of one plan; others are passed over. EW_ENOMEM. */
enum ew_status ew_candidates_add(struct ew_candidate_list *list, const struct ew_book *book,
                                 struct ew_error *err);

#endif
