/* Inner loops of the reference kernels. AVX2 with FMA: 12 accumulators of 16 registers. */
#define EW_ISA_NAME avx2
#define EW_LANES 8
#define EW_ROWS 4
#define EW_TILE_VECTORS 3
#define EW_FC_VECTORS 4
#include "engine/exec/kernel/ref_loops.h"
