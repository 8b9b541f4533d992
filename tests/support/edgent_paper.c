#include "support/edgent_paper.h"

#include <stddef.h>

/* Compact description: type, kernel, channels or units after the layer. */
struct row {
    enum edgent_op op;
    int kernel;
    int out;
};

#define CONV(kernel, out)                                                                          \
    {                                                                                              \
        EDGENT_CONV, kernel, out                                                                   \
    }
#define RELU                                                                                       \
    {                                                                                              \
        EDGENT_RELU, 0, 0                                                                          \
    }
#define POOL                                                                                       \
    {                                                                                              \
        EDGENT_POOL, 0, 0                                                                          \
    }
#define LRN                                                                                        \
    {                                                                                              \
        EDGENT_LRN, 0, 0                                                                           \
    }
#define DROP                                                                                       \
    {                                                                                              \
        EDGENT_DROPOUT, 0, 0                                                                       \
    }
#define FC(out)                                                                                    \
    {                                                                                              \
        EDGENT_FC, 0, out                                                                          \
    }

static const struct row trunk[] = {CONV(5, 64),  RELU, POOL,         LRN,     CONV(5, 128), RELU,
                                   POOL,         LRN,  CONV(3, 192), RELU,    CONV(3, 192), RELU,
                                   CONV(3, 128), RELU, POOL,         FC(512), RELU,         DROP,
                                   FC(256),      RELU, DROP,         FC(10)};
static const struct row branch1[] = {CONV(5, 128), RELU, POOL, LRN,
                                     CONV(3, 192), RELU, POOL, FC(10)};
static const struct row branch2[] = {CONV(3, 192), RELU, POOL, LRN,
                                     CONV(3, 128), RELU, POOL, FC(10)};
static const struct row branch3[] = {CONV(3, 192), RELU, POOL, LRN,   CONV(3, 128),
                                     RELU,         POOL, DROP, FC(10)};
static const struct row branch4[] = {CONV(3, 128), RELU, POOL, LRN, FC(256), RELU, DROP, FC(10)};

/* Follow the shapes from the 3x32x32 input: same-size convs, pools that halve. */
static void fill_layers(struct edgent_paper_model *model, const struct row *rows, uint32_t n)
{
    double channels = 3.0, side = 32.0, weights = 0.0;
    for (uint32_t k = 0; k < n; k++) {
        struct edgent_layer *layer = &model->layers[k];
        layer->op = rows[k].op;
        layer->input_elements = channels * side * side;
        if (rows[k].op == EDGENT_CONV) {
            layer->filter_ratio = rows[k].kernel * rows[k].kernel;
            layer->filters = rows[k].out;
            weights += layer->filter_ratio * channels * rows[k].out;
            channels = rows[k].out;
        } else if (rows[k].op == EDGENT_POOL) {
            side /= 2.0;
        } else if (rows[k].op == EDGENT_FC) {
            weights += layer->input_elements * rows[k].out;
            channels = rows[k].out;
            side = 1.0;
        }
        layer->output_elements = channels * side * side;
        model->output_bytes[k] = 4.0 * layer->output_elements;
        model->can_cut[k] = true;
    }
    model->model_bytes = 4.0 * weights;
}

static void fill_model(struct edgent_paper_model *model, uint32_t n_trunk, const struct row *branch,
                       uint32_t n_branch, enum edgent_unit unit)
{
    struct row rows[EDGENT_PAPER_LAYERS];
    uint32_t n = n_trunk + n_branch;
    for (uint32_t k = 0; k < n; k++) {
        rows[k] = k < n_trunk ? trunk[k] : branch[k - n_trunk];
    }
    fill_layers(model, rows, n);
    for (uint32_t k = 0; k < n; k++) {
        model->server_s[k] = edgent_layer_s(&model->layers[k], EDGENT_SERVER, unit);
        model->device_s[k] = edgent_layer_s(&model->layers[k], EDGENT_DEVICE, unit);
    }
    for (uint32_t k = 0; k <= n; k++) {
        model->server_load_s[k] = k > 0 ? edgent_load_s(model->model_bytes, EDGENT_SERVER) : 0.0;
        model->device_load_s[k] = k < n ? edgent_load_s(model->model_bytes, EDGENT_DEVICE) : 0.0;
    }
    model->exit = (struct edgent_exit){
        .n_layers = n,
        .layer_s = {model->server_s, model->device_s},
        .output_bytes = model->output_bytes,
        .can_cut = model->can_cut,
        .load_s = {model->server_load_s, model->device_load_s},
    };
}

void edgent_paper_init(struct edgent_paper *net, enum edgent_unit unit)
{
    fill_model(&net->models[0], 4, branch1, 8, unit);
    fill_model(&net->models[1], 8, branch2, 8, unit);
    fill_model(&net->models[2], 10, branch3, 9, unit);
    fill_model(&net->models[3], 12, branch4, 8, unit);
    fill_model(&net->models[4], 22, NULL, 0, unit);
    for (int i = 0; i < EDGENT_PAPER_EXITS; i++) {
        net->exits[i] = net->models[i].exit;
    }
}
