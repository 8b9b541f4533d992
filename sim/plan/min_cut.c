#include "plan/min_cut.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is left of a capacity counts as nothing below this share of it. */
static const double NEGLIGIBLE = 1e-13;

bool ew_cut_init(struct ew_cut *cut, uint32_t n_nodes, uint32_t n_edges)
{
    *cut = (struct ew_cut){.n_nodes = n_nodes, .max_edges = 2 * n_edges};
    cut->edges = malloc(((size_t)cut->max_edges + 1) * sizeof *cut->edges);
    cut->first = malloc(n_nodes * sizeof *cut->first);
    cut->level = malloc(n_nodes * sizeof *cut->level);
    cut->current = malloc(n_nodes * sizeof *cut->current);
    cut->stack = malloc(n_nodes * sizeof *cut->stack);
    if (!cut->edges || !cut->first || !cut->level || !cut->current || !cut->stack) {
        ew_cut_fini(cut);
        return false;
    }
    memset(cut->first, 0xff, n_nodes * sizeof *cut->first);
    return true;
}

void ew_cut_fini(struct ew_cut *cut)
{
    free(cut->edges);
    free(cut->first);
    free(cut->level);
    free(cut->current);
    free(cut->stack);
    *cut = (struct ew_cut){0};
}

uint32_t ew_cut_add(struct ew_cut *cut, uint32_t from, uint32_t to, double capacity)
{
    const uint32_t edge = cut->n_edges;
    cut->edges[edge] = (struct ew_cut_edge){to, cut->first[from], capacity, capacity};
    cut->edges[edge + 1] = (struct ew_cut_edge){from, cut->first[to], 0, 0};
    cut->first[from] = edge;
    cut->first[to] = edge + 1;
    cut->n_edges += 2;
    return edge;
}

void ew_cut_set(struct ew_cut *cut, uint32_t edge, double capacity)
{
    cut->edges[edge].capacity = capacity;
}

static bool is_open(const struct ew_cut *cut, uint32_t edge)
{
    const double whole = cut->edges[edge & ~1u].capacity;
    return cut->edges[edge].left > (isinf(whole) ? 0 : NEGLIGIBLE * whole);
}

/* Distance from the source over open edges; false when the sink is out of reach. */
static bool find_levels(struct ew_cut *cut)
{
    uint32_t head = 0, tail = 0;
    memset(cut->level, 0xff, cut->n_nodes * sizeof *cut->level);
    cut->level[EW_CUT_SOURCE] = 0;
    cut->stack[tail++] = EW_CUT_SOURCE;
    while (head < tail) {
        const uint32_t node = cut->stack[head++];
        for (uint32_t e = cut->first[node]; e != EW_CUT_NONE; e = cut->edges[e].next) {
            const uint32_t to = cut->edges[e].to;
            if (cut->level[to] == EW_CUT_NONE && is_open(cut, e)) {
                cut->level[to] = cut->level[node] + 1;
                cut->stack[tail++] = to;
            }
        }
    }
    return cut->level[EW_CUT_SINK] != EW_CUT_NONE;
}

/* Follow open edges one level down each; the path's edges are on the stack. */
static uint32_t find_path(struct ew_cut *cut)
{
    uint32_t depth = 0, node = EW_CUT_SOURCE;
    while (node != EW_CUT_SINK) {
        uint32_t e = cut->current[node];
        while (e != EW_CUT_NONE &&
               !(is_open(cut, e) && cut->level[cut->edges[e].to] == cut->level[node] + 1)) {
            e = cut->edges[e].next;
        }
        cut->current[node] = e;
        if (e != EW_CUT_NONE) {
            cut->stack[depth++] = e;
            node = cut->edges[e].to;
        } else if (depth > 0) {
            const uint32_t back = cut->stack[--depth];
            node = cut->edges[back ^ 1].to;
            cut->current[node] = cut->edges[back].next;
        } else {
            return 0;
        }
    }
    return depth;
}

static double push_path(struct ew_cut *cut, uint32_t depth)
{
    double amount = INFINITY;
    for (uint32_t i = 0; i < depth; i++) {
        amount = fmin(amount, cut->edges[cut->stack[i]].left);
    }
    for (uint32_t i = 0; i < depth && isfinite(amount); i++) {
        cut->edges[cut->stack[i]].left -= amount;
        cut->edges[cut->stack[i] ^ 1].left += amount;
    }
    return amount;
}

double ew_cut_solve(struct ew_cut *cut)
{
    double value = 0;
    for (uint32_t e = 0; e < cut->n_edges; e++) {
        cut->edges[e].left = cut->edges[e].capacity;
    }
    while (find_levels(cut)) {
        memcpy(cut->current, cut->first, cut->n_nodes * sizeof *cut->current);
        for (uint32_t depth = find_path(cut); depth > 0; depth = find_path(cut)) {
            const double amount = push_path(cut, depth);
            value += amount;
            if (isinf(amount)) {
                return value;
            }
        }
    }
    return value;
}
