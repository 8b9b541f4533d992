/*
 * Processors: which ones this process may use, and threads bound to one of them.
 */
#ifndef EW_ENGINE_EXEC_PIN_H
#define EW_ENGINE_EXEC_PIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { EW_PIN_MAX_PROCESSORS = 1024 };

/** Numbers of the processors that this process may use, ascending; returns how many. 0 where the
 *  system does not tell. */
uint32_t ew_pin_processors(uint32_t out[EW_PIN_MAX_PROCESSORS]);

/** Bind a thread of this process. False when the system does not let it. */
bool ew_pin_thread(pthread_t thread, uint32_t processor);

#endif
