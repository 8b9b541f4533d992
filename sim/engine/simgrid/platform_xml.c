#include "engine/simgrid/platform_xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"

/* Where we are in the text. */
struct cursor {
    const char *at;
    const char *end;
    uint32_t line;
};

/* A piece of the text, not terminated. */
struct span {
    const char *text;
    size_t n;
};

static bool span_is(struct span s, const char *word)
{
    return s.n == strlen(word) && memcmp(s.text, word, s.n) == 0;
}

static void step(struct cursor *c)
{
    c->line += *c->at == '\n';
    c->at++;
}

static bool looking_at(const struct cursor *c, const char *word)
{
    const size_t n = strlen(word);
    return (size_t)(c->end - c->at) >= n && memcmp(c->at, word, n) == 0;
}

static void skip_past(struct cursor *c, const char *word)
{
    while (c->at < c->end && !looking_at(c, word)) {
        step(c);
    }
    for (size_t i = 0; i < strlen(word) && c->at < c->end; i++) {
        step(c);
    }
}

static bool is_space(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

static void skip_spaces(struct cursor *c)
{
    while (c->at < c->end && is_space(*c->at)) {
        step(c);
    }
}

static struct span read_name(struct cursor *c)
{
    const char *start = c->at;
    while (c->at < c->end && !is_space(*c->at) && !strchr("=/>\"'", *c->at)) {
        step(c);
    }
    return (struct span){start, (size_t)(c->at - start)};
}

/* Move to just behind the `<` of the next opening tag; comments, declarations and closing tags are
 * skipped. false at the end of the text. */
static bool next_tag(struct cursor *c)
{
    while (c->at < c->end) {
        if (looking_at(c, "<!--")) {
            skip_past(c, "-->");
        } else if (looking_at(c, "<![CDATA[")) {
            skip_past(c, "]]>");
        } else if (looking_at(c, "<?") || looking_at(c, "<!") || looking_at(c, "</")) {
            skip_past(c, ">");
        } else if (*c->at == '<') {
            step(c);
            return true;
        } else {
            step(c);
        }
    }
    return false;
}

/* The next attribute of the tag we are in; false (behind its `>`) when there is none. */
static bool next_attribute(struct cursor *c, struct span *name, struct span *value)
{
    skip_spaces(c);
    while (c->at < c->end && *c->at == '/') {
        step(c);
    }
    if (c->at >= c->end || *c->at == '>') {
        return false;
    }
    *name = read_name(c);
    *value = (struct span){c->at, 0};
    skip_spaces(c);
    if (c->at < c->end && *c->at == '=') {
        step(c);
        skip_spaces(c);
    }
    if (c->at < c->end && (*c->at == '"' || *c->at == '\'')) {
        const char quote = *c->at;
        step(c);
        value->text = c->at;
        while (c->at < c->end && *c->at != quote) {
            step(c);
        }
        value->n = (size_t)(c->at - value->text);
        if (c->at < c->end) {
            step(c);
        }
    } else if (name->n == 0) {
        step(c); /* a stray character: SimGrid will complain */
    }
    return true;
}

/* Copy with the five entities of XML replaced. */
static char *copy_unescaped(struct ew_arena *arena, struct span s)
{
    static const struct {
        const char *entity;
        char ch;
    } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    char *copy = ew_arena_calloc(arena, s.n + 1, 1);
    if (!copy) {
        return NULL;
    }
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        size_t length = 1;
        copy[n] = s.text[i];
        for (size_t k = 0; k < sizeof entities / sizeof *entities; k++) {
            const size_t m = strlen(entities[k].entity);
            if (s.n - i >= m && memcmp(s.text + i, entities[k].entity, m) == 0) {
                copy[n] = entities[k].ch;
                length = m;
            }
        }
        n++;
        i += length;
    }
    return copy;
}

/* Tags and attributes that would change results without EdgeWeave knowing. */
static const struct {
    const char *tag;       /* NULL: any tag that may carry the attribute */
    const char *attribute; /* NULL: the tag itself */
    const char *value;     /* NULL: any value */
    const char *reason;
} refused[] = {
    {"config", NULL, NULL, "it would change SimGrid's models; choose a network preset instead"},
    {"trace", NULL, NULL, "capacities that change over time belong into the scenario"},
    {"trace_connect", NULL, NULL, "capacities that change over time belong into the scenario"},
    {NULL, "availability_file", NULL, "capacities that change over time belong into the scenario"},
    {NULL, "speed_file", NULL, "capacities that change over time belong into the scenario"},
    {NULL, "bandwidth_file", NULL, "capacities that change over time belong into the scenario"},
    {NULL, "latency_file", NULL, "capacities that change over time belong into the scenario"},
    {NULL, "state_file", NULL, "failures belong into the scenario"},
    {NULL, "routing", "Wifi", "model the medium as one shared link instead"},
    {NULL, "routing", "WIFI", "model the medium as one shared link instead"},
    {NULL, "sharing_policy", "WIFI", "model the medium as one shared link instead"},
    {NULL, "routing", "Vivaldi", "its latencies are not sums over links"},
};

static enum ew_status refuse(const char *path, uint32_t line, struct span tag,
                             const struct span *attribute, const struct span *value,
                             struct ew_error *err)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const bool tag_fits = !refused[i].tag || span_is(tag, refused[i].tag);
        const bool attribute_fits =
            attribute ? refused[i].attribute && span_is(*attribute, refused[i].attribute) &&
                            (!refused[i].value || span_is(*value, refused[i].value))
                      : refused[i].attribute == NULL;
        if (tag_fits && attribute_fits && attribute) {
            return ew_fail(err, EW_EINPUT, "%s:%u: %.*s=\"%.*s\" is not supported: %s", path, line,
                           (int)attribute->n, attribute->text, (int)value->n, value->text,
                           refused[i].reason);
        }
        if (tag_fits && attribute_fits) {
            return ew_fail(err, EW_EINPUT, "%s:%u: <%.*s> is not supported: %s", path, line,
                           (int)tag.n, tag.text, refused[i].reason);
        }
    }
    return EW_OK;
}

/* Zone routings that SimGrid 3.32 reads from XML; it says "Not a valid model!" to others. */
static const char *const routings[] = {
    "Full", "Floyd", "Dijkstra", "DijkstraCache", "Cluster", "None",
};
enum { N_ROUTINGS = sizeof routings / sizeof *routings };

static const char *routing_at(const void *ctx, size_t i)
{
    (void)ctx;
    return routings[i];
}

static enum ew_status check_routing(const char *path, uint32_t line, struct span value,
                                    struct ew_error *err)
{
    for (size_t i = 0; i < N_ROUTINGS; i++) {
        if (span_is(value, routings[i])) {
            return EW_OK;
        }
    }
    char *copy = strndup(value.text, value.n);
    if (!copy) {
        return ew_fail_memory(err);
    }
    const char *nearest = ew_nearest_name(copy, N_ROUTINGS, routing_at, NULL);
    const enum ew_status status =
        ew_fail(err, EW_EINPUT, "%s:%u: unknown routing '%s'; %s%s%s", path, line, copy,
                nearest ? "did you mean '" : "for a star use Cluster with <host_link>",
                nearest ? nearest : "", nearest ? "'?" : "");
    free(copy);
    return status;
}

static enum ew_status scan_tag(struct ew_xml_ids *ids, struct cursor *c, const char *path,
                               struct ew_error *err)
{
    const uint32_t line = c->line;
    const struct span tag = read_name(c);
    const bool is_counted = span_is(tag, "host") || span_is(tag, "link");
    enum ew_status status = refuse(path, line, tag, NULL, NULL, err);
    struct span name, value;
    while (status == EW_OK && next_attribute(c, &name, &value)) {
        status = refuse(path, line, tag, &name, &value, err);
        if (status == EW_OK && span_is(name, "routing")) {
            status = check_routing(path, line, value, err);
        }
        if (status == EW_OK && is_counted && span_is(name, "id")) {
            const struct ew_xml_id id = {copy_unescaped(&ids->arena, value), (uint32_t)ids->count,
                                         line};
            if (!id.id || !ew_vec_push(ids, id)) {
                status = ew_fail_memory(err);
            }
        }
    }
    return status;
}

static int by_id_then_order(const void *a, const void *b)
{
    const struct ew_xml_id *x = a, *y = b;
    const int order = strcmp(x->id, y->id);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

enum ew_status ew_xml_scan(struct ew_xml_ids *ids, const char *text, size_t size, const char *path,
                           struct ew_error *err)
{
    struct cursor c = {text, text + size, 1};
    enum ew_status status = EW_OK;
    while (status == EW_OK && next_tag(&c)) {
        status = scan_tag(ids, &c, path, err);
    }
    if (status != EW_OK) {
        return status;
    }
    if (ids->count) {
        qsort(ids->items, ids->count, sizeof *ids->items, by_id_then_order);
    }
    size_t kept = 0;
    for (size_t i = 0; i < ids->count; i++) {
        if (kept == 0 || strcmp(ids->items[kept - 1].id, ids->items[i].id) != 0) {
            ids->items[kept++] = ids->items[i];
        }
    }
    ids->count = kept;
    return EW_OK;
}

const struct ew_xml_id *ew_xml_find(const struct ew_xml_ids *ids, const char *id)
{
    size_t lo = 0, hi = ids->count;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        const int order = strcmp(ids->items[mid].id, id);
        if (order == 0) {
            return &ids->items[mid];
        }
        if (order < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

void ew_xml_ids_fini(struct ew_xml_ids *ids)
{
    ew_vec_fini(ids);
    ew_arena_fini(&ids->arena);
    *ids = (struct ew_xml_ids){0};
}
