#define _GNU_SOURCE /* cpu_set_t */

#include "engine/exec/pin.h"

#include <sched.h>

#if defined(__linux__) && defined(CPU_SETSIZE)

uint32_t ew_pin_processors(uint32_t out[EW_PIN_MAX_PROCESSORS])
{
    cpu_set_t set;
    uint32_t n = 0;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 0;
    }
    for (uint32_t i = 0; i < CPU_SETSIZE && n < EW_PIN_MAX_PROCESSORS; i++) {
        if (CPU_ISSET(i, &set)) {
            out[n++] = i;
        }
    }
    return n;
}

bool ew_pin_thread(pthread_t thread, uint32_t processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (processor >= CPU_SETSIZE) {
        return false;
    }
    CPU_SET(processor, &set);
    return pthread_setaffinity_np(thread, sizeof set, &set) == 0;
}

#else

uint32_t ew_pin_processors(uint32_t out[EW_PIN_MAX_PROCESSORS])
{
    (void)out;
    return 0;
}

bool ew_pin_thread(pthread_t thread, uint32_t processor)
{
    (void)thread;
    (void)processor;
    return false;
}

#endif
