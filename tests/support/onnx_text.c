#include "support/onnx_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void put_varint(struct ew_str *out, uint64_t x)
{
    do {
        const char byte = (char)((x & 0x7f) | (x > 0x7f ? 0x80 : 0));
        ew_str_append_n(out, &byte, 1);
        x >>= 7;
    } while (x);
}

static void put_number(struct ew_str *out, unsigned field, uint64_t x)
{
    put_varint(out, field << 3);
    put_varint(out, x);
}

static void put_bytes(struct ew_str *out, unsigned field, const char *bytes, size_t size)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, size);
    ew_str_append_n(out, bytes, size);
}

static void put_message(struct ew_str *out, unsigned field, struct ew_str *message)
{
    put_bytes(out, field, ew_str_text(message), message->length);
    ew_str_fini(message);
}

static void put_text(struct ew_str *out, unsigned field, const char *text)
{
    put_bytes(out, field, text, strlen(text));
}

static void put_float(struct ew_str *out, unsigned field, float x)
{
    char bytes[sizeof x];
    memcpy(bytes, &x, sizeof x); /* tests run on little-endian machines */
    put_varint(out, field << 3 | 5);
    ew_str_append_n(out, bytes, sizeof bytes);
}

/* Each word of a list as a text field. */
static void put_words(struct ew_str *out, unsigned field, const char *words)
{
    while (*words) {
        const size_t n = strcspn(words, " ");
        const bool is_none = n == 1 && *words == '-';
        put_bytes(out, field, words, is_none ? 0 : n);
        words += n + (words[n] == ' ');
    }
}

/* Each number of a list as a varint field; returns their product. */
static uint64_t put_numbers(struct ew_str *out, unsigned field, const char *numbers)
{
    uint64_t product = 1;
    while (*numbers) {
        char *end = NULL;
        const long long x = strtoll(numbers, &end, 10);
        put_number(out, field, (uint64_t)x);
        product *= (uint64_t)x;
        numbers = *end ? end + 1 : end;
    }
    return product;
}

/* ---- nodes ---- */

static void end_node(struct onnx_file *f)
{
    if (f->node.length) {
        put_message(&f->graph, 1, &f->node);
    }
}

void onnx_node(struct onnx_file *f, const char *op, const char *inputs, const char *outputs)
{
    end_node(f);
    put_words(&f->node, 1, inputs);
    put_words(&f->node, 2, outputs);
    put_text(&f->node, 4, op);
}

void onnx_int(struct onnx_file *f, const char *name, int64_t x)
{
    struct ew_str a = {0};
    put_text(&a, 1, name);
    put_number(&a, 3, (uint64_t)x);
    put_message(&f->node, 5, &a);
}

void onnx_float(struct onnx_file *f, const char *name, float x)
{
    struct ew_str a = {0};
    put_text(&a, 1, name);
    put_float(&a, 2, x);
    put_message(&f->node, 5, &a);
}

void onnx_text(struct onnx_file *f, const char *name, const char *text)
{
    struct ew_str a = {0};
    put_text(&a, 1, name);
    put_text(&a, 4, text);
    put_message(&f->node, 5, &a);
}

void onnx_ints(struct onnx_file *f, const char *name, const char *numbers)
{
    struct ew_str a = {0};
    put_text(&a, 1, name);
    (void)put_numbers(&a, 8, numbers);
    put_message(&f->node, 5, &a);
}

/* ---- values ---- */

static void put_info(struct onnx_file *f, unsigned field, const char *name, const char *dims)
{
    struct ew_str info = {0}, type = {0}, tensor = {0}, shape = {0};
    put_text(&info, 1, name);
    put_number(&tensor, 1, 1);
    for (const char *at = dims; at && *at;) {
        struct ew_str dim = {0};
        const size_t n = strcspn(at, "x");
        if (*at >= '0' && *at <= '9') {
            put_number(&dim, 1, (uint64_t)strtoll(at, NULL, 10));
        } else {
            put_bytes(&dim, 2, at, n);
        }
        put_message(&shape, 1, &dim);
        at += n + (at[n] == 'x');
    }
    if (dims) {
        put_message(&tensor, 2, &shape);
    }
    put_message(&type, 1, &tensor);
    put_message(&info, 2, &type);
    end_node(f);
    put_message(&f->graph, field, &info);
}

void onnx_input(struct onnx_file *f, const char *name, const char *dims)
{
    put_info(f, 11, name, dims);
}

void onnx_output(struct onnx_file *f, const char *name, const char *dims)
{
    put_info(f, 12, name, dims);
}

void onnx_info(struct onnx_file *f, const char *name, const char *dims)
{
    put_info(f, 13, name, dims);
}

void onnx_weight(struct onnx_file *f, const char *name, const char *dims)
{
    struct ew_str t = {0}, data = {0};
    const uint64_t n = put_numbers(&t, 1, dims);
    const float one = 1;
    put_number(&t, 2, 1);
    put_text(&t, 8, name);
    for (uint64_t i = 0; i < n; i++) {
        ew_str_append_n(&data, (const char *)&one, sizeof one);
    }
    put_message(&t, 9, &data);
    end_node(f);
    put_message(&f->graph, 5, &t);
}

void onnx_numbers(struct onnx_file *f, const char *name, const char *numbers)
{
    struct ew_str t = {0}, values = {0};
    uint64_t n = 0;
    for (const char *at = numbers; *at; n++) {
        char *end = NULL;
        put_varint(&values, (uint64_t)strtoll(at, &end, 10));
        at = *end ? end + 1 : end;
    }
    put_number(&t, 1, n);
    put_number(&t, 2, 7);
    put_message(&t, 7, &values);
    put_text(&t, 8, name);
    end_node(f);
    put_message(&f->graph, 5, &t);
}

void onnx_scalar(struct onnx_file *f, const char *name, float x)
{
    struct ew_str t = {0};
    put_number(&t, 2, 1);
    put_text(&t, 8, name);
    put_bytes(&t, 9, (const char *)&x, sizeof x);
    end_node(f);
    put_message(&f->graph, 5, &t);
}

void onnx_tensor(struct onnx_file *f, const char *name, const char *dims, int dtype,
                 size_t raw_bytes, const char *file)
{
    struct ew_str t = {0}, entry = {0}, data = {0};
    (void)put_numbers(&t, 1, dims);
    put_number(&t, 2, (uint64_t)dtype);
    put_text(&t, 8, name);
    if (file) {
        put_text(&entry, 1, "location");
        put_text(&entry, 2, file);
        put_message(&t, 13, &entry);
        put_number(&t, 14, 1);
    } else {
        for (size_t i = 0; i < raw_bytes; i++) {
            ew_str_append_n(&data, "", 1);
        }
        put_message(&t, 9, &data);
    }
    end_node(f);
    put_message(&f->graph, 5, &t);
}

/* ---- the file ---- */

void onnx_finish(struct ew_str *out, struct onnx_file *f)
{
    struct ew_str opset = {0};
    end_node(f);
    put_number(out, 1, 8);
    put_text(out, 2, "test");
    put_message(out, 7, &f->graph);
    put_number(&opset, 2, 13);
    put_message(out, 8, &opset);
}

void onnx_fini(struct onnx_file *f)
{
    ew_str_fini(&f->graph);
    ew_str_fini(&f->node);
}
