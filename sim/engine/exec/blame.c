#include "engine/exec/blame.h"

#include "model/platform.h"

void blame_clear(uint32_t n, struct blame *blames)
{
    for (uint32_t d = 0; d < n; d++) {
        blames[d] = (struct blame){.of = EW_NONE};
    }
}

void blame_note(uint32_t n, struct blame *blames, uint32_t by, uint32_t of, double now_s)
{
    if (by < n && of < n && by != of && blames[by].of == EW_NONE) {
        blames[by].of = of;
        blames[by].said_s = now_s;
    }
}

/* Follow complaints from `by` for n steps: past the chain, and round any circle. */
static uint32_t follow(uint32_t n, const struct blame *blames, uint32_t by)
{
    for (uint32_t i = 0; i < n && blames[by].of != EW_NONE; i++) {
        by = blames[by].of;
    }
    return by;
}

uint32_t blame_root(uint32_t n, const struct blame *blames, uint32_t by)
{
    const uint32_t root = follow(n, blames, by);
    return blames[root].of == EW_NONE ? root : EW_NONE;
}

static bool is_in_circle(const struct blame *blames, uint32_t n, uint32_t by)
{
    uint32_t at = blames[by].of;
    for (uint32_t i = 0; i < n && at != by; i++) {
        at = blames[at].of;
    }
    return at == by;
}

bool blame_is_due(uint32_t n, const struct blame *blames, double now_s, double grace_s,
                  uint32_t *by, uint32_t *of)
{
    uint32_t first = EW_NONE; /* complaint that stands */
    for (uint32_t d = 0; d < n; d++) {
        if (blames[d].of == EW_NONE ||
            (first != EW_NONE && blames[first].said_s <= blames[d].said_s)) {
            continue;
        }
        const struct blame *accused = &blames[blames[d].of];
        const bool stands = accused->of == EW_NONE
                                ? accused->has_answered || now_s - blames[d].said_s >= grace_s
                                : blame_root(n, blames, d) == EW_NONE && is_in_circle(blames, n, d);
        first = stands ? d : first;
    }
    if (first != EW_NONE) {
        *by = first;
        *of = blames[first].of;
    }
    return first != EW_NONE;
}
