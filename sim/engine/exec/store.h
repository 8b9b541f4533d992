/*
 * Store: the tensors of one job that a worker holds. A slot is held in fragments, each a box that
 * was computed here or arrived; whoever reads gets its box whole. A fragment lives until the last
 * local reader of its slot is done.
 */
#ifndef EW_ENGINE_EXEC_STORE_H
#define EW_ENGINE_EXEC_STORE_H

#include "base/vec.h"
#include "engine/exec/tensor_pool.h"

/** A slot's fragments. */
struct ew_store_slot {
    EW_VEC(struct ew_tensor) fragments;
    uint32_t n_readers; /**< still to come */
};

struct ew_store {
    uint32_t n_slots;
    struct ew_store_slot *slots;
};

/** `n_readers` per slot: how many local nodes will read it. */
enum ew_status ew_store_init(struct ew_store *store, uint32_t n_slots, const uint32_t *n_readers,
                             struct ew_error *err);

/** Free everything; accepts a zeroed one. */
void ew_store_fini(struct ew_store *store, struct ew_tensor_pool *pool);

/** Keep a tensor; the store owns it from now on, also on failure. One that nobody will read goes
 *  back to the pool at once. */
enum ew_status ew_store_put_take(struct ew_store *store, struct ew_tensor_pool *pool, uint32_t slot,
                                 struct ew_tensor *tensor, struct ew_error *err);

/** A fragment that holds all of `box`, borrowed; false when there is none. */
bool ew_store_find(struct ew_tensor *out, const struct ew_store *store, uint32_t slot,
                   const struct ew_box *box);

/** Tensors known at one moment. They stay valid while the caller is a reader of the slot, whatever
 *  arrives meanwhile. */
struct ew_fragments {
    struct ew_tensor *items;
    size_t count;
    size_t capacity;
};

/** Copy the list of a slot's fragments. EW_ENOMEM. */
enum ew_status ew_store_list(struct ew_fragments *out, const struct ew_store *store, uint32_t slot,
                             struct ew_error *err);

/** Fill `out->box` from the fragments. EW_EENGINE when some element is in none. */
enum ew_status ew_tensor_put_together(struct ew_tensor *out, const struct ew_fragments *fragments,
                                      struct ew_error *err);

/** One reader of the slot is done. */
void ew_store_drop_reader(struct ew_store *store, struct ew_tensor_pool *pool, uint32_t slot);

/** Copy the elements of `box` between tensors that both hold it. */
void ew_tensor_copy(struct ew_tensor *to, const struct ew_tensor *from, const struct ew_box *box);

#endif
