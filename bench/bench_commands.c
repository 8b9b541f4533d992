/*
 * Time of whole commands: wall time, best and median of several runs, of starting up, checking,
 * comparing; then processor time and peak memory of long runs in a changing world.
 * Usage, in the source tree: bench_commands [PROGRAM]. Prints tables, judges nothing.
 */
#define _DEFAULT_SOURCE /* wait4 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_WORDS = 32, N_RUNS = 21 };

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct usage {
    double wall_s; /* negative: could not be started */
    double cpu_s;
    double peak_mb;
};

/* One run with its output thrown away. */
static struct usage run_once(char *const *words)
{
    const double start_s = now_s();
    const pid_t child = fork();
    if (child == 0) {
        const int null = open("/dev/null", O_WRONLY);
        if (null >= 0) {
            (void)dup2(null, STDOUT_FILENO);
        }
        (void)execv(words[0], words);
        _exit(127);
    }
    int status = 0;
    struct rusage used = {0};
    if (child < 0 || wait4(child, &status, 0, &used) < 0 || !WIFEXITED(status) ||
        WEXITSTATUS(status) == 127) {
        return (struct usage){.wall_s = -1};
    }
    const double cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                         1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    return (struct usage){now_s() - start_s, cpu_s, (double)used.ru_maxrss / 1024};
}

static int compare_times(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The words of a command line; `text` holds them. */
static void split(char **words, char *text, const char *program)
{
    size_t n = 0;
    words[n++] = (char *)program;
    for (char *p = text; *p && n + 1 < MAX_WORDS;) {
        words[n++] = p;
        p += strcspn(p, " ");
        if (*p) {
            *p++ = '\0';
        }
    }
    words[n] = NULL;
}

static void measure(const char *program, const char *line)
{
    char text[512];
    char *words[MAX_WORDS];
    (void)snprintf(text, sizeof text, "%s", line);
    split(words, text, program);
    double times_s[N_RUNS];
    (void)run_once(words); /* fills caches */
    for (int i = 0; i < N_RUNS; i++) {
        times_s[i] = run_once(words).wall_s;
        if (times_s[i] < 0) {
            (void)printf("%-72s failed\n", line);
            return;
        }
    }
    qsort(times_s, N_RUNS, sizeof *times_s, compare_times);
    (void)printf("%-72.72s %8.2f %8.2f\n", line, times_s[0] * 1e3, times_s[N_RUNS / 2] * 1e3);
}

/* Time and memory must grow with the requests, and not at all. */
static void measure_hour(const char *program, const char *strategy)
{
    static const int n_requests[] = {10000, 100000};
    for (size_t i = 0; i < sizeof n_requests / sizeof *n_requests; i++) {
        char text[512];
        char *words[MAX_WORDS];
        (void)snprintf(text, sizeof text, "run bench/hour.json --strategy %s --requests %d",
                       strategy, n_requests[i]);
        (void)printf("%-72s", text);
        (void)fflush(stdout);
        split(words, text, program);
        const struct usage used = run_once(words);
        if (used.wall_s < 0) {
            (void)printf(" failed\n");
        } else {
            (void)printf(" %8.2f %8.1f\n", used.cpu_s, used.peak_mb);
        }
    }
}

int main(int argc, char **argv)
{
    const char *program = argc > 1 ? argv[1] : "build/release/bin/edgeweave";
    static const char *const lines[] = {
        "version",
        "help",
        "list strategies",
        "list graphs",
        "describe strategy coedge",
        "describe graph vgg16",
        "check dnn_graphs/vgg16.json",
        "import tests/data/onnx/vgg16.onnx",
        "import tests/data/onnx/densenet121.onnx",
        "import tests/data/onnx/vit_b_16.onnx",
        "compare --graph vgg16 --platform demo --requests 100 "
        "--strategy local,offload,neurosurgeon,modnn,coedge,edgent",
        "compare --graph vgg16 --platform demo --requests 100 --engine fast "
        "--strategy local,offload,neurosurgeon,modnn,coedge,edgent",
    };
    (void)printf("%-72s %8s %8s\n", "command", "best ms", "median");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        measure(program, lines[i]);
    }
    static const char *const strategies[] = {"offload", "aofl", "coedge", "modnn"};
    (void)printf("\n%-72s %8s %8s\n", "an hour of trace", "cpu s", "peak MB");
    for (size_t i = 0; i < sizeof strategies / sizeof *strategies; i++) {
        measure_hour(program, strategies[i]);
    }
    return 0;
}
