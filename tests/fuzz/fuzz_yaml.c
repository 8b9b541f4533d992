/*
 * Fuzz target: YAML files. What parses is walked; every text in it, printed as YAML, reads back to
 * the same text. Opens no files.
 */
#include <stdlib.h>
#include <string.h>

#include "io/interop/yaml_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) {
        abort();
    }
}

static bool is_printable(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~') {
            return false;
        }
    }
    return true;
}

static void check_text(const char *text)
{
    struct ew_str printed = {0};
    struct ew_yaml *again = NULL;
    struct ew_error err = {0};
    if (!is_printable(text)) { /* names of devices and models are */
        return;
    }
    ew_yaml_print_text(&printed, text);
    require(ew_yaml_parse(&again, ew_str_text(&printed), printed.length, "again", &err) == EW_OK);
    require(ew_yaml_root(again) && ew_yaml_root(again)->kind == EW_YAML_SCALAR);
    require(strcmp(ew_yaml_root(again)->text, text) == 0);
    ew_yaml_free(again);
    ew_str_fini(&printed);
}

static void walk(const struct ew_yaml *yaml, const struct ew_yaml_node *node, int depth)
{
    uint32_t n = 0;
    double x;
    int64_t i;
    struct ew_error err = {0};
    require(depth <= EW_YAML_MAX_DEPTH + 1);
    require((node->kind == EW_YAML_SCALAR) == (node->text != NULL));
    (void)ew_yaml_as_double(&x, yaml, node, -1e300, 1e300, &err);
    (void)ew_yaml_as_i64(&i, yaml, node, INT64_MIN, INT64_MAX, &err);
    if (node->text) {
        check_text(node->text);
    }
    for (const struct ew_yaml_node *child = node->first; child; child = child->next) {
        require((node->kind == EW_YAML_MAPPING) == (child->key != NULL));
        require(node->kind != EW_YAML_MAPPING || ew_yaml_find(node, child->key) == child);
        walk(yaml, child, depth + 1);
        n++;
    }
    require(n == node->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ew_yaml *yaml = NULL;
    struct ew_error err = {0};
    const enum ew_status status = ew_yaml_parse(&yaml, (const char *)data, size, "f.yml", &err);
    require((status == EW_OK) == (yaml != NULL));
    require(status == EW_OK || err.message[0] != '\0');
    if (yaml && ew_yaml_root(yaml)) {
        walk(yaml, ew_yaml_root(yaml), 1);
    }
    ew_yaml_free(yaml);
    return 0;
}
