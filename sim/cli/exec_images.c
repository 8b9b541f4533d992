#include "cli/exec_images.h"

#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "io/npy.h"

/* ---- which input ---- */

static const struct ew_layer *input_layer(const struct ew_graph *graph, uint32_t i)
{
    return &graph->layers[graph->inputs[i]];
}

/* "[NAME=]FILE": a network with one input needs no name. What stands before '=' is a name when an
 * input has it, else a part of the path. */
static enum ew_status find_input(uint32_t *out, const char **path, const char *value,
                                 const struct ew_graph *graph, struct ew_error *err)
{
    const char *equals = strchr(value, '=');
    for (uint32_t i = 0; equals && i < graph->n_inputs; i++) {
        const char *name = input_layer(graph, i)->name;
        if (strlen(name) == (size_t)(equals - value) &&
            memcmp(name, value, (size_t)(equals - value)) == 0) {
            *out = i;
            *path = equals + 1;
            return EW_OK;
        }
    }
    *out = 0;
    *path = value;
    if (graph->n_inputs == 1) {
        return EW_OK;
    }
    struct ew_str names = {0};
    for (uint32_t i = 0; i < graph->n_inputs; i++) {
        ew_str_printf(&names, "%s'%s'", i ? ", " : "", input_layer(graph, i)->name);
    }
    const enum ew_status status = ew_fail(
        err, EW_EUSAGE, "option '--input': expected NAME=FILE with a name of %s, found '%s'",
        ew_str_text(&names), value);
    ew_str_fini(&names);
    return status;
}

/* ---- shapes ---- */

/* Dimensions but those of 1: (1, 3, 1, 5) is as good as (3, 5). */
static uint32_t squeeze(uint64_t out[EW_NPY_MAX_DIMS], uint32_t n, const uint64_t *dims)
{
    uint32_t n_left = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (dims[i] != 1) {
            out[n_left++] = dims[i];
        }
    }
    return n_left;
}

static bool are_equal(uint32_t n, const uint64_t *dims, uint32_t n_expected,
                      const uint64_t *expected)
{
    uint64_t a[EW_NPY_MAX_DIMS], b[EW_NPY_MAX_DIMS];
    const uint32_t n_a = squeeze(a, n, dims);
    return n_a == squeeze(b, n_expected, expected) && memcmp(a, b, n_a * sizeof *a) == 0;
}

/* One image, or images along the first dimension; 0: neither. */
static uint64_t count_images(const struct ew_npy *array, uint32_t n, const uint64_t *image)
{
    if (are_equal(array->n_dims, array->dims, n, image)) {
        return 1;
    }
    return array->n_dims && are_equal(array->n_dims - 1, array->dims + 1, n, image) ? array->dims[0]
                                                                                    : 0;
}

static enum ew_status check_shape(uint64_t *n_images, const struct ew_npy *array,
                                  const struct ew_layer *layer, const char *path,
                                  struct ew_error *err)
{
    const uint64_t image[] = {(uint64_t)layer->shape[EW_C], (uint64_t)layer->shape[EW_H],
                              (uint64_t)layer->shape[EW_W]};
    *n_images = count_images(array, 3, image);
    if (*n_images >= 1 && *n_images <= UINT32_MAX / 2) {
        return EW_OK;
    }
    struct ew_str expected = {0}, found = {0};
    ew_npy_put_dims(&expected, 3, image);
    ew_npy_put_dims(&found, array->n_dims, array->dims);
    const enum ew_status status =
        ew_fail(err, EW_EINPUT, "%s: expected %s or Nx%s for input '%s', found %s", path,
                ew_str_text(&expected), ew_str_text(&expected), layer->name, ew_str_text(&found));
    ew_str_fini(&expected);
    ew_str_fini(&found);
    return status;
}

/* ---- reading ---- */

static enum ew_status read_one(struct ew_exec_images *out, const char *value,
                               const struct ew_graph *graph, struct ew_error *err)
{
    uint32_t i;
    const char *path;
    struct ew_npy array;
    uint64_t n_images = 0;
    enum ew_status status = find_input(&i, &path, value, graph, err);
    if (status == EW_OK && out->n_elements[i]) {
        status = ew_fail(err, EW_EUSAGE, "option '--input': input '%s' has two files",
                         input_layer(graph, i)->name);
    }
    status = status ? status : ew_npy_load(&array, &out->values[i], path, err);
    status = status ? status : check_shape(&n_images, &array, input_layer(graph, i), path, err);
    if (status == EW_OK && out->inputs.n_images && out->inputs.n_images != n_images) {
        status = ew_fail(err, EW_EINPUT, "%s: expected %u images as in the other input, found %llu",
                         path, out->inputs.n_images, (unsigned long long)n_images);
    }
    if (status == EW_OK) {
        out->n_elements[i] = input_layer(graph, i)->elements;
        out->inputs.n_images = (uint32_t)n_images;
    }
    return status;
}

static enum ew_status read_all(struct ew_exec_images *out, struct ew_cli *cli,
                               const struct ew_graph *graph, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (size_t k = 0; k < cli->args.n_options && status == EW_OK; k++) {
        const struct ew_arg *arg = &cli->args.options[k];
        if (arg->option == EW_OPTION_INPUT) {
            cli->blame = arg->at;
            status = read_one(out, arg->value, graph, err);
        }
    }
    for (uint32_t i = 0; i < graph->n_inputs && status == EW_OK; i++) {
        if (!out->n_elements[i]) {
            status = ew_fail(err, EW_EUSAGE, "option '--input': no file for input '%s'",
                             input_layer(graph, i)->name);
        }
    }
    return status;
}

enum ew_status ew_exec_images_read(struct ew_exec_images *out, bool *is_given, struct ew_cli *cli,
                                   const struct ew_setup *setup, struct ew_error *err)
{
    *is_given = ew_args_last(&cli->args, EW_OPTION_INPUT) != NULL;
    if (!*is_given) {
        return EW_OK;
    }
    ew_options_blame(cli, EW_OPTION_INPUT);
    if (setup->n_workloads != 1) {
        return ew_fail(err, EW_EUSAGE, "option '--input': expected one workload, found %u",
                       setup->n_workloads);
    }
    const struct ew_graph *graph = setup->workloads[0].graph;
    out->n = graph->n_inputs;
    out->values = calloc(out->n, sizeof(float *));
    out->n_elements = calloc(out->n, sizeof *out->n_elements);
    if (!out->values || !out->n_elements) {
        return ew_fail_memory(err);
    }
    const enum ew_status status = read_all(out, cli, graph, err);
    if (status == EW_OK) {
        cli->blame = -1;
        out->inputs.n_inputs = out->n;
        out->inputs.n_elements = out->n_elements;
        out->inputs.values = (const float *const *)out->values;
    }
    return status;
}

void ew_exec_images_fini(struct ew_exec_images *images)
{
    for (uint32_t i = 0; images->values && i < images->n; i++) {
        free(images->values[i]);
    }
    free(images->values);
    free(images->n_elements);
    *images = (struct ew_exec_images){0};
}
