/*
 * Time to plan, one core: every strategy on VGG-16 with four devices, a batch on the accuracy-aware
 * cluster, and a pipeline of 48 layers over 8 kinds of devices; beside the time it should take,
 * where one is set. Prints a table, judges nothing.
 *
 *   bench_plans [STRATEGY...]
 *
 * Milliseconds of processor time of this process, so that a busy machine changes little: the first
 * plan, which opens solver libraries, and the median and the best of the others; a plan that takes
 * longer than ten seconds is made once. Estimates and evaluations on the fast engine are part of
 * it, reading files is not.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/simgrid/platform_import.h"
#include "io/graph_json.h"
#include "plugin/make_book.h"
#include "sweep/evaluate.h"

enum { N_LAYERS = 48, N_KINDS = 8, MOST_PLANS = 15, MOST_SETTINGS = 4, TEXT_SIZE = 8192 };

static const double LONG_S = 10;

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void insist(enum ew_status status, const struct ew_error *err)
{
    if (status != EW_OK) {
        (void)fprintf(stderr, "bench_plans: %s\n", err->message);
        exit(1);
    }
}

/* ------------------------------------------------------------------ problems */

/* What strategies are asked. */
struct problem {
    struct ew_graph *graph;
    struct ew_platform *platform;
    struct ew_evaluator *evaluator;
    struct ew_problem asked;
};

static void open_problem(struct problem *p, struct ew_graph *graph, struct ew_platform *platform)
{
    struct ew_error err = {0};
    *p = (struct problem){.graph = graph, .platform = platform};
    p->asked = (struct ew_problem){
        .context = {graph, platform, ew_element_bytes_of(graph)},
        .batch = 1,
        .deadline_s = INFINITY,
        .arrival = "closed:1",
        .workload = "bench",
        .seed = 1,
    };
    insist(
        ew_evaluator_new(&p->evaluator, platform, ew_net_model_find("ideal"), EW_ENERGY_BOTH, &err),
        &err);
}

static void close_problem(struct problem *p)
{
    ew_evaluator_free(p->evaluator);
    ew_platform_free(p->platform);
    ew_graph_free(p->graph);
}

static void open_files(struct problem *p, const char *graph_name, const char *platform_name)
{
    const char *graphs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    const char *profiles[] = {EW_SOURCE_DIR "/platforms/profiles"};
    struct ew_graph *graph = NULL;
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    char path[512];
    (void)snprintf(path, sizeof path, EW_SOURCE_DIR "/platforms/%s.xml", platform_name);
    insist(ew_graph_load(&graph, graph_name, graphs, 1, &err), &err);
    insist(ew_platform_import(&platform, path, profiles, 1, &err), &err);
    open_problem(p, graph, platform);
}

/* A chain of equal convolutions. */
static struct ew_graph *make_chain(void)
{
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    char text[TEXT_SIZE];
    size_t used = (size_t)snprintf(text, sizeof text,
                                   "{\"schema\": \"edgeweave.graph/1\", \"name\": \"chain\", "
                                   "\"dtype\": \"float32\", \"inputs\": [{\"name\": \"x\", "
                                   "\"shape\": [1, 64, 28, 28]}], \"layers\": [");
    for (int i = 0; i < N_LAYERS; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%s{\"name\": \"c%d\", \"op\": \"conv\", \"out_channels\": 64, "
                                 "\"kernel\": 3, \"pads\": 1}",
                                 i ? ", " : "", i);
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "]}");
    insist(ew_graph_parse_json(&graph, text, used, "chain", &err), &err);
    return graph;
}

/* Devices of 1, 1.3, 1.6, … GFLOP/s, each with a cable to every other. */
static struct ew_platform *make_kinds(void)
{
    static const char *const names[N_KINDS] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct ew_device_desc devices[N_KINDS] = {0};
    struct ew_link link = {"cables", 1e7, 1e-4, EW_LINK_FATPIPE};
    struct ew_route_desc routes[N_KINDS * N_KINDS];
    uint32_t hop = 0, n_routes = 0;
    for (uint32_t i = 0; i < N_KINDS; i++) {
        devices[i].name = names[i];
        devices[i].speed_flops_per_s = 1e9 * (1 + 0.3 * i);
        for (uint32_t k = 0; k < N_KINDS; k++) {
            if (i != k) {
                routes[n_routes++] = (struct ew_route_desc){i, k, 1, &hop};
            }
        }
    }
    const struct ew_platform_desc desc = {.path = "",
                                          .n_devices = N_KINDS,
                                          .devices = devices,
                                          .n_links = 1,
                                          .links = &link,
                                          .n_routes = n_routes,
                                          .routes = routes};
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    insist(ew_platform_make(&platform, &desc, &err), &err);
    return platform;
}

/* ------------------------------------------------------------------ measuring */

/* A strategy, "name=value name=value", and milliseconds that it should not exceed (0: not set). */
struct row {
    const char *strategy;
    const char *settings;
    double limit_ms;
};

static size_t split(struct ew_param_setting *out, char *text)
{
    size_t n = 0;
    char *rest = text;
    for (char *word = strtok_r(text, " ", &rest); word && n < MOST_SETTINGS;
         word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        if (equals) {
            *equals = '\0';
            out[n++] = (struct ew_param_setting){word, equals + 1};
        }
    }
    return n;
}

static int compare_times(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_times(const struct row *row, double *times_s, size_t n)
{
    const double first_s = times_s[0];
    qsort(times_s + 1, n - 1, sizeof *times_s, compare_times);
    (void)printf("  %-18.18s %-34.34s %10.3f %10.3f %10.3f", row->strategy, row->settings,
                 first_s * 1e3, times_s[1 + (n - 1) / 2] * 1e3, times_s[1] * 1e3);
    if (row->limit_ms > 0) {
        (void)printf(" %8g", row->limit_ms);
    }
    (void)printf("\n");
    (void)fflush(stdout);
}

/* More plans where one is quick. */
static void measure(const struct row *row, struct problem *p, struct ew_registry *registry)
{
    const struct ew_host_services services = {.ctx = p->evaluator, .evaluate = ew_evaluate};
    struct ew_param_setting settings[MOST_SETTINGS];
    struct ew_params params = {0};
    struct ew_book_request request = {
        .params = &params, .problem = &p->asked, .services = &services};
    struct ew_error err = {0};
    double times_s[1 + MOST_PLANS], sum_s = 0;
    size_t n = 0;
    char text[200];
    (void)snprintf(text, sizeof text, "%s", row->settings);
    const size_t n_settings = split(settings, text);
    insist(ew_registry_find(&request.strategy, registry, row->strategy, &err), &err);
    insist(ew_params_make(&params, request.strategy.info, settings, n_settings, &err), &err);
    while (n == 0 || (n < 3 && sum_s < LONG_S) || (n <= MOST_PLANS && sum_s < 2)) {
        struct ew_book *book = NULL;
        const double begin_s = now_s();
        const enum ew_status status = ew_book_make(&book, &request, &err);
        times_s[n++] = now_s() - begin_s;
        sum_s += times_s[n - 1];
        ew_book_free(book);
        if (status != EW_OK) {
            (void)printf("  %-18.18s %s\n", row->strategy, err.message);
            break;
        }
    }
    if (n == 1 && sum_s >= LONG_S) {
        times_s[n++] = times_s[0];
    }
    if (n >= 2) {
        print_times(row, times_s, n);
    }
    ew_params_fini(&params);
}

static bool is_asked(const char *strategy, int argc, char **argv)
{
    bool is_named = argc < 2;
    for (int i = 1; i < argc; i++) {
        is_named = is_named || strcmp(argv[i], strategy) == 0;
    }
    return is_named;
}

static void measure_all(const char *title, const struct row *rows, size_t n, struct problem *p,
                        struct ew_registry *registry, int argc, char **argv)
{
    (void)printf("%s\n  %-18s %-34s %10s %10s %10s %8s\n", title, "strategy", "settings",
                 "first, ms", "median", "best", "limit");
    for (size_t i = 0; i < n; i++) {
        if (is_asked(rows[i].strategy, argc, argv)) {
            measure(&rows[i], p, registry);
        }
    }
    (void)printf("\n");
}

int main(int argc, char **argv)
{
    static const struct row vgg16[] = {
        {"coedge", "", 5},
        {"aofl", "", 200},
        {"optimal", "evaluations=1000", 0},
        {"optimal", "evaluations=10000", 0},
        {"optimal", "evaluations=1000 objective=energy", 0},
        {"optimal", "evaluations=1000 objective=period", 0},
        {"local", "", 0},
        {"offload", "", 0},
        {"neurosurgeon", "", 0},
        {"modnn", "", 0},
        {"mednn", "", 0},
        {"edgeld", "", 0},
        {"deepthings", "", 0},
        {"deeperthings", "", 0},
        {"deeperthings", "split=rows", 0},
        {"deepslicing", "", 0},
        {"edgeflow", "", 0},
        {"pico", "", 0},
        {"musical_chair", "", 0},
    };
    static const struct row chain[] = {
        {"pico", "", 7},
        {"optimal", "evaluations=1 objective=period", 0},
    };
    static const struct row learned[] = {
        {"distredge", "search=coordinate", 0},
        {"distredge", "", 0},
        {"distredge", "episodes=4000 patience=0", 90000},
    };
    static const struct row learned_wide[] = {{"distredge", "episodes=4000 patience=0", 120000}};
    static const struct row batch[] = {{"accuracy_aware", "", 0}};
    struct ew_registry registry = {0};
    struct ew_error err = {0};
    struct problem p;
    insist(ew_registry_add_dir(&registry, EW_LIB_DIR "/strategies", true, &err), &err);
    open_files(&p, "vgg16", "demo");
    measure_all("VGG-16 on 4 devices (demo)", vgg16, sizeof vgg16 / sizeof *vgg16, &p, &registry,
                argc, argv);
    close_problem(&p);
    open_files(&p, "vgg16", "distredge_db_300");
    measure_all("VGG-16 on 4 devices and a phone (distredge_db_300)", learned,
                sizeof learned / sizeof *learned, &p, &registry, argc, argv);
    close_problem(&p);
    open_files(&p, "vgg16", "distredge_ld");
    measure_all("VGG-16 on 16 devices and a phone (distredge_ld)", learned_wide, 1, &p, &registry,
                argc, argv);
    close_problem(&p);
    open_problem(&p, make_chain(), make_kinds());
    measure_all("48 convolutions on 8 kinds of devices", chain, sizeof chain / sizeof *chain, &p,
                &registry, argc, argv);
    close_problem(&p);
    open_files(&p, "mobilenet_v1", "accuracy");
    p.asked.batch = 100;
    p.asked.min_throughput_per_s = 1;
    measure_all("100 images, 1 request/s, MobileNet v1 on the accuracy-aware cluster", batch, 1, &p,
                &registry, argc, argv);
    close_problem(&p);
    ew_registry_fini(&registry);
    return 0;
}
