#include "cli/exec_answers.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/out_file.h"
#include "base/vec.h"
#include "io/npy.h"

enum { MAX_NAME_BYTES = 200 };

/* What one layer of a workload's exit gave. */
struct answer_file {
    struct ew_out_file file;
    uint32_t workload;
    const char *layer; /* of the graph */
    char *path;
    uint32_t n_dims;
    uint64_t dims[4];  /* images, then the layer's */
    uint64_t n_values; /* of an image */
    bool *is_there;    /* per image */
};

struct ew_exec_answers {
    const struct ew_setup *setup;
    char *dir;
    EW_VEC(struct answer_file *) files;
    struct ew_error err; /* the first; status EW_OK: none */
};

static void free_file(struct answer_file *file)
{
    ew_out_file_discard(&file->file);
    free(file->path);
    free(file->is_there);
    free(file);
}

enum ew_status ew_exec_answers_new(struct ew_exec_answers **out, const char *dir,
                                   const struct ew_setup *setup, struct ew_error *err)
{
    struct ew_exec_answers *answers = calloc(1, sizeof *answers);
    if (!answers) {
        return ew_fail_memory(err);
    }
    answers->setup = setup;
    answers->dir = strdup(dir);
    const enum ew_status status = answers->dir ? ew_dir_make(dir, err) : ew_fail_memory(err);
    if (status != EW_OK) {
        ew_exec_answers_free(answers);
        return status;
    }
    *out = answers;
    return EW_OK;
}

/* ---- names ---- */

/* A name as a part of a path: "/fc/Gemm" becomes "fc_Gemm". */
static void append_name(struct ew_str *out, const char *name)
{
    size_t n = 0;
    for (name += strspn(name, "/."); *name && n < MAX_NAME_BYTES; name++, n++) {
        const bool is_plain = (*name >= '0' && *name <= '9') || (*name >= 'a' && *name <= 'z') ||
                              (*name >= 'A' && *name <= 'Z') || strchr("._-+", *name);
        ew_str_append_n(out, is_plain ? name : "_", 1);
    }
    if (n == 0) {
        ew_str_append(out, "_");
    }
}

static bool is_taken(const struct ew_exec_answers *answers, const char *path)
{
    for (size_t i = 0; i < answers->files.count; i++) {
        if (strcmp(answers->files.items[i]->path, path) == 0) {
            return true;
        }
    }
    return false;
}

/* The file's path, and its directory when workloads have their own. NULL: no memory. */
static char *make_path(struct ew_exec_answers *answers, uint32_t workload, const char *layer)
{
    for (uint32_t number = 1;; number++) {
        struct ew_str path = {0};
        struct ew_error ignored = {0};
        ew_str_append(&path, answers->dir);
        if (answers->setup->n_workloads > 1) {
            ew_str_append(&path, "/");
            append_name(&path, answers->setup->workloads[workload].name);
            if (!path.failed) {
                (void)ew_dir_make(ew_str_text(&path), &ignored); /* opening says what is wrong */
            }
        }
        ew_str_append(&path, "/");
        append_name(&path, layer);
        if (number > 1) {
            ew_str_printf(&path, "_%u", number);
        }
        ew_str_append(&path, ".npy");
        if (path.failed || !is_taken(answers, ew_str_text(&path))) {
            char *text = path.failed ? NULL : strdup(ew_str_text(&path));
            ew_str_fini(&path);
            return text;
        }
        ew_str_fini(&path);
    }
}

/* ---- rows ---- */

static uint64_t images_of(const struct ew_setup *setup, uint32_t workload)
{
    const struct ew_setup_workload *w = &setup->workloads[workload];
    return w->n_requests * (uint64_t)w->problem.images_per_request;
}

static enum ew_status open_file(struct answer_file **out, struct ew_exec_answers *answers,
                                uint32_t workload, const struct ew_layer *layer,
                                struct ew_error *err)
{
    struct answer_file *file = calloc(1, sizeof *file);
    if (!file || !ew_vec_reserve_one(&answers->files)) {
        free(file);
        return ew_fail_memory(err);
    }
    file->workload = workload;
    file->layer = layer->name;
    file->n_values = layer->elements;
    file->n_dims = 4;
    file->dims[0] = images_of(answers->setup, workload);
    for (int d = EW_C; d < EW_DIMS; d++) {
        file->dims[d] = (uint64_t)layer->shape[d];
    }
    while (file->n_dims > 2 && file->dims[file->n_dims - 1] == 1) { /* 1000x1x1 is 1000 */
        file->n_dims--;
    }
    file->is_there = calloc(file->dims[0] + 1, sizeof *file->is_there);
    file->path = make_path(answers, workload, layer->name);
    const enum ew_status status = file->is_there && file->path
                                      ? ew_out_file_open(&file->file, file->path, err)
                                      : ew_fail_memory(err);
    if (status != EW_OK) {
        free_file(file);
        return status;
    }
    answers->files.items[answers->files.count++] = file;
    *out = file;
    return EW_OK;
}

static enum ew_status find_file(struct answer_file **out, struct ew_exec_answers *answers,
                                uint32_t workload, const struct ew_layer *layer,
                                struct ew_error *err)
{
    for (size_t i = 0; i < answers->files.count; i++) {
        struct answer_file *file = answers->files.items[i];
        if (file->workload == workload && strcmp(file->layer, layer->name) == 0 &&
            file->dims[EW_C] == (uint64_t)layer->shape[EW_C] &&
            file->dims[EW_H] == (uint64_t)layer->shape[EW_H] &&
            file->dims[EW_W] == (uint64_t)layer->shape[EW_W]) {
            *out = file;
            return EW_OK;
        }
    }
    return open_file(out, answers, workload, layer, err);
}

static enum ew_status write_at(const struct answer_file *file, const void *data, size_t n,
                               uint64_t at, struct ew_error *err)
{
    const char *bytes = data;
    while (n) {
        const ssize_t done = pwrite(file->file.fd, bytes, n, (off_t)at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return ew_fail(err, EW_EIO, "%s: %s", file->path, strerror(errno));
        }
        bytes += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return EW_OK;
}

static enum ew_status write_row(struct answer_file *file, uint64_t image, const float *values,
                                struct ew_error *err)
{
    const uint64_t row_bytes = file->n_values * sizeof(float);
    file->is_there[image] = true;
    return write_at(file, values, row_bytes, EW_NPY_HEAD_BYTES + image * row_bytes, err);
}

/* Rows of output `k`. A job at the end that is not full has images that nobody asked for. */
static enum ew_status take_output(struct ew_exec_answers *answers,
                                  const struct ew_exec_answer *answer, uint32_t k,
                                  const float *values, struct ew_error *err)
{
    const struct ew_exec_slot *slot = &answer->program->slots[answer->program->outputs[k]];
    const struct ew_box *box = &answer->program->output_boxes[k];
    const struct ew_graph *graph = answers->setup->workloads[answer->workload].graph;
    const struct ew_layer *layer = &graph->variants[slot->variant].graph->layers[slot->layer];
    struct answer_file *file = NULL;
    enum ew_status status = find_file(&file, answers, answer->workload, layer, err);
    for (int32_t i = box->lo[EW_N]; i < box->hi[EW_N] && status == EW_OK; i++) {
        const uint64_t image = answer->first_image + (uint64_t)i;
        if (image < file->dims[0]) {
            status = write_row(file, image, values, err);
        }
        values += file->n_values;
    }
    return status;
}

void ew_exec_answers_take(void *ctx, const struct ew_exec_answer *answer)
{
    struct ew_exec_answers *answers = ctx;
    const float *values = answer->values;
    for (uint32_t k = 0; k < answer->program->n_outputs && answers->err.status == EW_OK; k++) {
        (void)take_output(answers, answer, k, values, &answers->err);
        values += ew_box_volume(&answer->program->output_boxes[k]);
    }
}

/* ---- the end ---- */

static enum ew_status finish_file(struct answer_file *file, struct ew_error *err)
{
    char head[EW_NPY_HEAD_BYTES];
    enum ew_status status = EW_OK;
    float *nothing = malloc(file->n_values * sizeof *nothing);
    if (!nothing) {
        return ew_fail_memory(err);
    }
    for (uint64_t i = 0; i < file->n_values; i++) {
        nothing[i] = NAN;
    }
    for (uint64_t i = 0; i < file->dims[0] && status == EW_OK; i++) {
        if (!file->is_there[i]) {
            status = write_row(file, i, nothing, err);
        }
    }
    free(nothing);
    ew_npy_put_head(head, file->n_dims, file->dims);
    status = status ? status : write_at(file, head, sizeof head, 0, err);
    return status ? status : ew_out_file_publish(&file->file, false, err);
}

enum ew_status ew_exec_answers_publish(struct ew_exec_answers *answers, const struct ew_cli *cli,
                                       struct ew_error *err)
{
    if (answers->err.status != EW_OK) {
        *err = answers->err;
        return err->status;
    }
    for (size_t i = 0; i < answers->files.count; i++) {
        struct answer_file *file = answers->files.items[i];
        const enum ew_status status = finish_file(file, err);
        if (status != EW_OK) {
            return status;
        }
        struct ew_str dims = {0};
        ew_npy_put_dims(&dims, file->n_dims, file->dims);
        ew_cli_detail(cli, "%s: %s values", file->path, ew_str_text(&dims));
        ew_str_fini(&dims);
    }
    return EW_OK;
}

void ew_exec_answers_free(struct ew_exec_answers *answers)
{
    if (!answers) {
        return;
    }
    for (size_t i = 0; i < answers->files.count; i++) {
        free_file(answers->files.items[i]);
    }
    ew_vec_fini(&answers->files);
    free(answers->dir);
    free(answers);
}
