/* Kernels of a library, in builds that found it (EW_HAS_XNNPACK). */
#ifndef EW_ENGINE_EXEC_KERNEL_XNNPACK_KERNELS_H
#define EW_ENGINE_EXEC_KERNEL_XNNPACK_KERNELS_H

#include "engine/exec/kernel/kernel.h"

extern const struct ew_kernels ew_xnnpack_kernels;

#endif
