/*
 * Tensor values on the wire: as they are, as half precision, or as linear codes of a few bits with
 * their range in front. What a quantised boundary of a plan does to the numbers.
 */
#ifndef EW_ENGINE_EXEC_WIRE_VALUES_H
#define EW_ENGINE_EXEC_WIRE_VALUES_H

#include <stddef.h>
#include <stdint.h>

/** Bytes that `n` values take with `bits` per value: 17 and more travel as float32, 16 as half
 *  precision (round to nearest even), fewer as codes of one or two bytes behind a range of two
 *  floats. */
uint64_t ew_wire_bytes(uint64_t n, uint32_t bits);

/** Encode; `to` has ew_wire_bytes(n, bits). */
void ew_wire_encode(char *to, const float *values, uint64_t n, uint32_t bits);

void ew_wire_decode(float *values, const char *from, uint64_t n, uint32_t bits);

#endif
