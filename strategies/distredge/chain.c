#include "distredge/chain.h"

#include <stdlib.h>
#include <string.h>

/* Scratch of the search for cuts. */
struct finder {
    const struct kit_net *net;
    uint32_t *position; /* by layer: in net->order */
    uint32_t *crossing; /* by position: tensors read behind it that are there before */
    bool *is_cut;       /* by position: a block ends with it */
    uint32_t *depth;    /* scratch by position */
};

static bool has_window(const struct kit_net *net, uint32_t position)
{
    uint32_t op_class = net->layers[net->order[position]]->op_class;
    return op_class == EW_LAYER_CONV || op_class == EW_LAYER_POOL;
}

/* ------------------------------------------------------------------ where to cut */

/* Each tensor crosses from behind its maker (an input: from the beginning) up to its last reader.
 */
static void count_crossings(struct finder *finder, uint32_t n_body)
{
    const struct kit_net *net = finder->net;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        if (net->place[l] == KIT_ABSENT || !kit_is_read(net, l)) {
            continue;
        }
        const struct ew_layer_info *info = net->layers[l];
        uint32_t first = info->is_input ? 0 : finder->position[l];
        uint32_t last = first;
        for (uint32_t i = 0; i < info->n_consumers; i++) {
            uint32_t reader = info->consumers[i];
            bool is_later = net->place[reader] != KIT_ABSENT && finder->position[reader] > last;
            last = is_later ? finder->position[reader] : last;
        }
        for (uint32_t p = first; p < last && p < n_body; p++) {
            finder->crossing[p]++;
        }
    }
}

/* Most windows on a path inside [first, end). */
static uint32_t depth_of(struct finder *finder, uint32_t first, uint32_t end)
{
    const struct kit_net *net = finder->net;
    uint32_t most = 0;
    for (uint32_t p = first; p < end; p++) {
        const struct ew_layer_info *info = net->layers[net->order[p]];
        uint32_t depth = 0;
        for (uint32_t i = 0; i < info->n_inputs; i++) {
            uint32_t input = finder->position[info->inputs[i]];
            bool is_inside = input != EW_ID_NONE && input >= first;
            depth = is_inside && finder->depth[input] > depth ? finder->depth[input] : depth;
        }
        finder->depth[p] = depth + (has_window(net, p) ? 1 : 0);
        most = finder->depth[p] > most ? finder->depth[p] : most;
    }
    return most;
}

static uint32_t fewest_crossings(const struct finder *finder, uint32_t first, uint32_t end)
{
    uint32_t fewest = UINT32_MAX;
    for (uint32_t p = first; p + 1 < end; p++) {
        fewest = finder->crossing[p] < fewest ? finder->crossing[p] : fewest;
    }
    return fewest;
}

static void cut_where(struct finder *finder, uint32_t first, uint32_t end, uint32_t most)
{
    for (uint32_t p = first; p + 1 < end; p++) {
        finder->is_cut[p] = finder->is_cut[p] || finder->crossing[p] <= most;
    }
}

/* Cut every piece that is too deep where the fewest tensors cross. True when there was one that is
 * not a single layer. */
static bool cut_deep_pieces(struct finder *finder, uint32_t n_body)
{
    bool has_cut = false;
    for (uint32_t start = 0, end = 1; end <= n_body; end++) {
        if (!finder->is_cut[end - 1]) {
            continue;
        }
        if (end - start > 1 && depth_of(finder, start, end) > CHAIN_MAX_DEPTH) {
            cut_where(finder, start, end, fewest_crossings(finder, start, end));
            has_cut = true;
        }
        start = end;
    }
    return has_cut;
}

/* Cut wherever a single tensor crosses, then what is too deep still. */
static void find_cuts(struct finder *finder, uint32_t n_body)
{
    if (n_body > 0) {
        finder->is_cut[n_body - 1] = true;
        cut_where(finder, 0, n_body, 1);
    }
    while (cut_deep_pieces(finder, n_body)) {
    }
}

static uint32_t count_body(const struct kit_net *net)
{
    uint32_t n = 0;
    while (n < net->n_order && net->place[net->order[n]] == KIT_BANDED) {
        n++;
    }
    return n;
}

/* Blocks end at cuts; what has no window joins the block before (in front: the block behind). */
static void collect_blocks(struct chain *chain, const struct finder *finder)
{
    uint32_t start = 0;
    bool is_heavy = false;
    for (uint32_t p = 0; p < chain->n_body; p++) {
        is_heavy = is_heavy || has_window(finder->net, p);
        if (!finder->is_cut[p]) {
            continue;
        }
        if (is_heavy) {
            chain->starts[chain->n_blocks++] = start;
        }
        if (is_heavy || chain->n_blocks > 0) {
            start = p + 1;
            is_heavy = false;
        }
    }
    chain->starts[chain->n_blocks] = chain->n_body;
}

/* ------------------------------------------------------------------ blocks as units */

/* Rows [lo stride + first, (hi - 1) stride + end) of a tensor are needed for rows [lo, hi) of the
 * block's last layer. */
struct field {
    bool is_needed;
    int64_t stride;
    int64_t first;
    int64_t end;
};

static const int64_t FAR = INT64_C(1) << 30;

static int64_t bounded(int64_t x)
{
    return x < -FAR ? -FAR : x > FAR ? FAR : x;
}

/* One layer's own field: its window and padding (layers without a window have a window of one), or
 * where heights do not fit that, as behind an upsampling, what their middle row reads. */
static struct field layer_field(const struct kit_net *net, uint32_t layer, uint32_t input)
{
    const struct ew_layer_info *info = net->layers[layer];
    int32_t rows = kit_layer_extent(net, layer);
    int32_t rows_in = kit_layer_extent(net, info->inputs[input]);
    bool is_windowed = info->op_class == EW_LAYER_CONV || info->op_class == EW_LAYER_POOL;
    if (is_windowed || (int64_t)rows_in + info->pads[0] + info->pads[2] == rows) {
        int64_t window = bounded((int64_t)(info->kernel[0] - 1) * info->dilation[0] + 1);
        return (struct field){true, info->stride[0], -(int64_t)info->pads[0],
                              window - info->pads[0]};
    }
    struct ew_tensor_box out = kit_band_box(net, layer, rows / 2, rows / 2 + 1);
    struct ew_tensor_box in = {{0}, {0}};
    int64_t n_read = 1;
    if (net->host->input_box(net->host, net->variant, layer, input, &out, &in) == 0) {
        n_read = in.hi[net->dim] - in.lo[net->dim];
    }
    return (struct field){true, rows_in > rows ? rows_in / rows : 1, 0, n_read > 1 ? n_read : 1};
}

/* What the field `out` of a layer's output is in its input. */
static struct field through(struct field out, struct field layer)
{
    return (struct field){
        .is_needed = true,
        .stride = bounded(out.stride * layer.stride),
        .first = bounded(out.first * layer.stride + layer.first),
        .end = bounded((out.end - 1) * layer.stride + layer.end),
    };
}

static void widen(struct field *field, struct field other)
{
    if (!field->is_needed) {
        *field = other;
        return;
    }
    field->stride = other.stride > field->stride ? other.stride : field->stride;
    field->first = other.first < field->first ? other.first : field->first;
    field->end = other.end > field->end ? other.end : field->end;
}

/* Operations of a whole layer as LC-PSS counts them: 2 per multiply-accumulate, one per tap of a
 * pooling. */
static double layer_ops(const struct kit_net *net, uint32_t layer)
{
    const struct ew_layer_info *info = net->layers[layer];
    if (info->op_class == EW_LAYER_POOL) {
        return (double)info->kernel[0] * info->kernel[1] * info->shape[1] * info->shape[2] *
               info->shape[3];
    }
    return 2.0 * (double)info->macs;
}

static double row_elements(const struct kit_net *net, uint32_t layer)
{
    const int32_t *shape = net->layers[layer]->shape;
    return (double)shape[1] * shape[3];
}

/* Of the tensors that a block reads from before it the one with most rows stands for all. */
static uint32_t main_input(const struct kit_net *net, const struct field *fields,
                           uint32_t first_layer)
{
    uint32_t best = EW_ID_NONE;
    for (uint32_t l = 0; l < first_layer; l++) {
        if (fields[l].is_needed &&
            (best == EW_ID_NONE || kit_layer_extent(net, l) >= kit_layer_extent(net, best))) {
            best = l;
        }
    }
    return best;
}

/* Back from the block's last layer, then what its inputs amount to. `fields`: zeroed, by layer. */
static struct vsl_unit block_unit(const struct kit_net *net, struct field *fields, uint32_t start,
                                  uint32_t end)
{
    uint32_t last = net->order[end - 1];
    double ops = 0.0;
    fields[last] = (struct field){true, 1, 0, 1};
    for (uint32_t p = end; p-- > start;) {
        uint32_t l = net->order[p];
        ops += layer_ops(net, l);
        for (uint32_t i = 0; fields[l].is_needed && i < net->layers[l]->n_inputs; i++) {
            widen(&fields[net->layers[l]->inputs[i]], through(fields[l], layer_field(net, l, i)));
        }
    }
    uint32_t input = main_input(net, fields, net->order[start]);
    int32_t rows = kit_layer_extent(net, last);
    struct vsl_unit unit = {
        .kernel = 1,
        .stride = 1,
        .in_rows = rows,
        .out_rows = rows,
        .row_ops = ops / rows,
        .out_elements = row_elements(net, last),
    };
    if (input != EW_ID_NONE) {
        unit.kernel = (int32_t)bounded(fields[input].end - fields[input].first);
        unit.stride = (int32_t)fields[input].stride;
        unit.pad = (int32_t)-fields[input].first;
        unit.in_rows = kit_layer_extent(net, input);
    }
    for (uint32_t l = 0; l < net->order[start]; l++) {
        unit.in_elements += fields[l].is_needed
                                ? row_elements(net, l) * kit_layer_extent(net, l) / unit.in_rows
                                : 0.0;
    }
    return unit;
}

/* ------------------------------------------------------------------ life */

static bool allocate(struct chain *chain, struct finder *finder, const struct kit_net *net)
{
    size_t n = net->n_order + 1u;
    finder->net = net;
    finder->position = calloc(net->n_layers, sizeof *finder->position);
    finder->crossing = calloc(n, sizeof *finder->crossing);
    finder->is_cut = calloc(n, sizeof *finder->is_cut);
    finder->depth = calloc(n, sizeof *finder->depth);
    chain->starts = calloc(n, sizeof *chain->starts);
    chain->units = calloc(n, sizeof *chain->units);
    return finder->position && finder->crossing && finder->is_cut && finder->depth &&
           chain->starts && chain->units;
}

static void find_blocks(struct chain *chain, struct finder *finder)
{
    const struct kit_net *net = finder->net;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        finder->position[l] = EW_ID_NONE;
    }
    for (uint32_t p = 0; p < net->n_order; p++) {
        finder->position[net->order[p]] = p;
    }
    chain->n_body = count_body(net);
    count_crossings(finder, chain->n_body);
    find_cuts(finder, chain->n_body);
    collect_blocks(chain, finder);
}

bool chain_init(struct chain *chain, const struct kit_net *net)
{
    struct finder finder = {0};
    struct field *fields = calloc(net->n_layers, sizeof *fields);
    bool has_memory = allocate(chain, &finder, net) && fields;
    if (has_memory) {
        find_blocks(chain, &finder);
        for (uint32_t b = 0; b < chain->n_blocks; b++) {
            memset(fields, 0, net->n_layers * sizeof *fields);
            chain->units[b] = block_unit(net, fields, chain->starts[b], chain->starts[b + 1]);
        }
    }
    free(fields);
    free(finder.position);
    free(finder.crossing);
    free(finder.is_cut);
    free(finder.depth);
    return has_memory;
}

void chain_fini(struct chain *chain)
{
    free(chain->starts);
    free(chain->units);
    memset(chain, 0, sizeof *chain);
}
