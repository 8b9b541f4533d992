/* Inner loops of the reference kernels. AVX-512: 24 accumulators of 32 registers. */
#define EW_ISA_NAME avx512
#define EW_LANES 16
#define EW_ROWS 8
#define EW_TILE_VECTORS 3
#define EW_FC_VECTORS 4
#include "engine/exec/kernel/ref_loops.h"
