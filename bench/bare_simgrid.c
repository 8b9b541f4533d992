#include "bare_simgrid.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "engine/simgrid/sg_compat.h"

double bare_now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print_platform(FILE *to, uint32_t n)
{
    (void)fputs("<?xml version=\"1.0\"?>\n"
                "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
                "<platform version=\"4.1\"><zone id=\"row\" routing=\"Full\">\n",
                to);
    for (uint32_t d = 0; d < n; d++) {
        (void)fprintf(to, "<host id=\"d%u\" speed=\"1Gf\"/>\n", (unsigned)d);
    }
    for (uint32_t d = 0; d + 1 < n; d++) {
        (void)fprintf(to,
                      "<link id=\"r%u\" bandwidth=\"100MBps\" latency=\"100us\"/>"
                      "<link id=\"l%u\" bandwidth=\"100MBps\" latency=\"100us\"/>\n",
                      (unsigned)d, (unsigned)d);
    }
    for (uint32_t d = 0; d + 1 < n; d++) {
        (void)fprintf(to,
                      "<route src=\"d%u\" dst=\"d%u\" symmetrical=\"NO\"><link_ctn id=\"r%u\"/>"
                      "</route><route src=\"d%u\" dst=\"d%u\" symmetrical=\"NO\">"
                      "<link_ctn id=\"l%u\"/></route>\n",
                      (unsigned)d, (unsigned)d + 1, (unsigned)d, (unsigned)d + 1, (unsigned)d,
                      (unsigned)d);
    }
    (void)fputs("</zone></platform>\n", to);
}

void bare_begin(uint32_t n)
{
    char *argv[] = {
        (char[]){"bare"},
        (char[]){"--log=root.thresh:error"},
        (char[]){"--cfg=network/model:CM02"},
        (char[]){"--cfg=network/crosstraffic:0"},
        (char[]){"--cfg=network/TCP-gamma:0"},
        (char[]){"--cfg=network/optim:Full"},
        (char[]){"--cfg=maxmin/precision:1e-9"},
        (char[]){"--cfg=surf/precision:1e-10"},
        (char[]){"--cfg=contexts/factory:" EW_SG_CONTEXT_FACTORY},
        (char[]){"--cfg=contexts/stack-size:256"},
        NULL,
    };
    int argc = (int)(sizeof argv / sizeof *argv) - 1;
    simgrid_init(&argc, argv);
    FILE *file = tmpfile();
    if (!file) {
        perror("tmpfile");
        exit(EXIT_FAILURE);
    }
    print_platform(file, n);
    (void)fflush(file);
    char path[32];
    (void)snprintf(path, sizeof path, "/dev/fd/%d", fileno(file));
    simgrid_load_platform(path);
    (void)fclose(file);
}

void bare_actor(uint32_t index, void (*body)(int argc, char **argv))
{
    char host[16];
    (void)snprintf(host, sizeof host, "d%u", (unsigned)index);
    const char *const argv[] = {"bare", host + 1, NULL};
    (void)sg_actor_create_("bare", sg_host_by_name(host), body, 2, argv);
}

uint32_t bare_index(char **argv)
{
    uint64_t index = 0;
    (void)ew_parse_u64(argv[1], &index);
    return (uint32_t)index;
}

void bare_arguments(int argc, char **argv, uint32_t *n_devices, uint32_t *count)
{
    uint64_t n = 0, k = 0;
    if (argc != 3 || !ew_parse_u64(argv[1], &n) || !ew_parse_u64(argv[2], &k) || n < 2 ||
        n > 4096 || k < 1 || k > 1000000) {
        (void)fprintf(stderr, "usage: %s DEVICES COUNT\n", argv[0]);
        exit(EXIT_FAILURE);
    }
    *n_devices = (uint32_t)n;
    *count = (uint32_t)k;
}
