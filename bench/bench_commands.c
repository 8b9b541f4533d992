/*
 * Wall time of whole commands, best and median of several runs: starting up, checking, comparing.
 * Usage: bench_commands [PROGRAM]. Prints a table, judges nothing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Seconds of one run with its output thrown away; negative when it could not be started. */
static double run_once(char *const *words)
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
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) ||
        WEXITSTATUS(status) == 127) {
        return -1;
    }
    return now_s() - start_s;
}

static int compare_times(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void measure(const char *program, const char *line)
{
    char text[512];
    char *words[MAX_WORDS] = {(char *)program};
    (void)snprintf(text, sizeof text, "%s", line);
    size_t n = 1;
    for (char *p = text; *p && n + 1 < MAX_WORDS;) {
        words[n++] = p;
        p += strcspn(p, " ");
        if (*p) {
            *p++ = '\0';
        }
    }
    double times_s[N_RUNS];
    (void)run_once(words); /* fills caches */
    for (int i = 0; i < N_RUNS; i++) {
        times_s[i] = run_once(words);
        if (times_s[i] < 0) {
            (void)printf("%-72s failed\n", line);
            return;
        }
    }
    qsort(times_s, N_RUNS, sizeof *times_s, compare_times);
    (void)printf("%-72.72s %8.2f %8.2f\n", line, times_s[0] * 1e3, times_s[N_RUNS / 2] * 1e3);
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
        "compare --graph vgg16 --platform demo --requests 100 "
        "--strategy local,offload,neurosurgeon,modnn,coedge,edgent",
        "compare --graph vgg16 --platform demo --requests 100 --engine fast "
        "--strategy local,offload,neurosurgeon,modnn,coedge,edgent",
    };
    (void)printf("%-72s %8s %8s\n", "command", "best ms", "median");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        measure(program, lines[i]);
    }
    return 0;
}
