#include "io/json_overlay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum ew_status put_array(struct ew_json *out, const struct ew_json_value *array, int depth,
                                struct ew_error *err)
{
    struct ew_json_value item = {0};
    enum ew_status status = EW_OK;
    ew_json_array_begin(out);
    while (status == EW_OK && ew_json_next(&item, array)) {
        status = ew_json_put_value(out, &item, depth - 1, err);
    }
    ew_json_array_end(out);
    return status;
}

enum ew_status ew_json_put_value(struct ew_json *out, const struct ew_json_value *value, int depth,
                                 struct ew_error *err)
{
    const char *text;
    double number;
    bool flag;
    if (ew_json_is_object(value) || ew_json_is_array(value)) {
        if (depth <= 0) {
            return ew_json_fail(value, err, "expected a text, a number, true or false");
        }
        return ew_json_is_array(value) ? put_array(out, value, depth, err)
                                       : ew_json_overlay(out, value, 1, depth - 1, err);
    }
    if (ew_json_is_string(value)) {
        const enum ew_status status = ew_json_as_string(&text, value, err);
        ew_json_string(out, status == EW_OK ? text : "");
        return status;
    }
    if (ew_json_is_number(value)) {
        const enum ew_status status = ew_json_as_double(&number, value, -HUGE_VAL, HUGE_VAL, err);
        ew_json_double(out, status == EW_OK ? number : 0);
        return status;
    }
    if (ew_json_as_bool(&flag, value, NULL) == EW_OK) {
        ew_json_bool(out, flag);
    } else {
        ew_json_null(out);
    }
    return EW_OK;
}

/* Does one of layers[0, n) have the member? */
static bool is_in(const struct ew_json_value *layers, size_t n, const char *key)
{
    struct ew_json_value value;
    for (size_t i = 0; i < n; i++) {
        if (ew_json_is_object(&layers[i]) && ew_json_find(&value, &layers[i], key)) {
            return true;
        }
    }
    return false;
}

/* The value of `key`: of the last layer that has it, overlaid when all that have it are objects. */
static enum ew_status put_member(struct ew_json *out, const struct ew_json_value *layers, size_t n,
                                 const char *key, int depth, struct ew_error *err)
{
    struct ew_json_value *values = calloc(n, sizeof *values);
    size_t n_values = 0;
    bool are_objects = true;
    if (!values) {
        return ew_fail_memory(err);
    }
    for (size_t i = 0; i < n; i++) {
        if (ew_json_is_object(&layers[i]) && ew_json_find(&values[n_values], &layers[i], key)) {
            are_objects = are_objects && ew_json_is_object(&values[n_values]);
            n_values++;
        }
    }
    ew_json_key(out, key);
    enum ew_status status;
    if (are_objects && depth > 0) {
        status = ew_json_overlay(out, values, n_values, depth - 1, err);
    } else {
        status = ew_json_put_value(out, &values[n_values - 1], depth, err);
    }
    free(values);
    return status;
}

enum ew_status ew_json_overlay(struct ew_json *out, const struct ew_json_value *layers, size_t n,
                               int depth, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    ew_json_object_begin(out);
    for (size_t i = 0; i < n; i++) {
        struct ew_json_value member = {0};
        while (status == EW_OK && ew_json_is_object(&layers[i]) &&
               ew_json_next(&member, &layers[i])) {
            const char *key = ew_json_name(&member);
            if (!is_in(layers, i, key)) {
                status = put_member(out, &layers[i], n - i, key, depth, err);
            }
        }
    }
    ew_json_object_end(out);
    return status;
}
