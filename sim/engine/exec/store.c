#include "engine/exec/store.h"

#include <stdlib.h>
#include <string.h>

enum ew_status ew_store_init(struct ew_store *store, uint32_t n_slots, const uint32_t *n_readers,
                             struct ew_error *err)
{
    store->slots = calloc(n_slots ? n_slots : 1, sizeof *store->slots);
    if (!store->slots) {
        return ew_fail_memory(err);
    }
    store->n_slots = n_slots;
    for (uint32_t i = 0; i < n_slots; i++) {
        store->slots[i].n_readers = n_readers[i];
    }
    return EW_OK;
}

static void empty_slot(struct ew_store_slot *slot, struct ew_tensor_pool *pool)
{
    for (size_t i = 0; i < slot->fragments.count; i++) {
        ew_tensor_put(pool, &slot->fragments.items[i]);
    }
    slot->fragments.count = 0;
}

void ew_store_fini(struct ew_store *store, struct ew_tensor_pool *pool)
{
    for (uint32_t i = 0; i < store->n_slots; i++) {
        empty_slot(&store->slots[i], pool);
        ew_vec_fini(&store->slots[i].fragments);
    }
    free(store->slots);
    *store = (struct ew_store){0};
}

enum ew_status ew_store_put_take(struct ew_store *store, struct ew_tensor_pool *pool, uint32_t slot,
                                 struct ew_tensor *tensor, struct ew_error *err)
{
    struct ew_store_slot *s = &store->slots[slot];
    if (s->n_readers == 0) {
        ew_tensor_put(pool, tensor);
        return EW_OK;
    }
    if (!ew_vec_push(&s->fragments, *tensor)) {
        ew_tensor_put(pool, tensor);
        return ew_fail_memory(err);
    }
    return EW_OK;
}

void ew_tensor_copy(struct ew_tensor *to, const struct ew_tensor *from, const struct ew_box *box)
{
    const size_t n = (size_t)ew_box_extent(box, EW_W) * sizeof(float);
    const int32_t x = box->lo[EW_W];
    for (int32_t i = box->lo[EW_N]; i < box->hi[EW_N]; i++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
                memcpy(ew_tensor_at(to, i, c, y, x), ew_tensor_at(from, i, c, y, x), n);
            }
        }
    }
}

/* Copies of an element are equal bit by bit whoever computed them, so any fragment serves; each
 * element is copied once. */
enum ew_status ew_tensor_put_together(struct ew_tensor *out, const struct ew_fragments *fragments,
                                      struct ew_error *err)
{
    struct ew_box_set missing = {0};
    bool is_ok = ew_box_set_add(&missing, &out->box);
    for (size_t i = 0; is_ok && missing.count && i < fragments->count; i++) {
        const struct ew_tensor *fragment = &fragments->items[i];
        for (size_t k = 0; k < missing.count; k++) {
            struct ew_box common;
            if (ew_box_intersect(&common, &missing.items[k], &fragment->box)) {
                ew_tensor_copy(out, fragment, &common);
            }
        }
        is_ok = ew_box_set_remove(&missing, &fragment->box);
    }
    const bool is_complete = missing.count == 0;
    ew_box_set_fini(&missing);
    if (!is_ok) {
        return ew_fail_memory(err);
    }
    return is_complete ? EW_OK : ew_fail(err, EW_EENGINE, "an element was never computed or sent");
}

bool ew_store_find(struct ew_tensor *out, const struct ew_store *store, uint32_t slot,
                   const struct ew_box *box)
{
    const struct ew_store_slot *s = &store->slots[slot];
    for (size_t i = 0; i < s->fragments.count; i++) {
        if (ew_box_contains(&s->fragments.items[i].box, box)) {
            *out = s->fragments.items[i];
            return true;
        }
    }
    return false;
}

enum ew_status ew_store_list(struct ew_fragments *out, const struct ew_store *store, uint32_t slot,
                             struct ew_error *err)
{
    const struct ew_store_slot *s = &store->slots[slot];
    if (!ew_vec_reserve(out, s->fragments.count)) {
        return ew_fail_memory(err);
    }
    if (s->fragments.count) {
        memcpy(out->items, s->fragments.items, s->fragments.count * sizeof *out->items);
    }
    out->count = s->fragments.count;
    return EW_OK;
}

void ew_store_drop_reader(struct ew_store *store, struct ew_tensor_pool *pool, uint32_t slot)
{
    if (--store->slots[slot].n_readers == 0) {
        empty_slot(&store->slots[slot], pool);
    }
}
