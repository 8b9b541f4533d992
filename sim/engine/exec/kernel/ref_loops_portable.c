/* Inner loops of the reference kernels. Four lanes: NEON, or anything that GCC and clang make of
 * them. */
#define EW_ISA_NAME portable
#define EW_LANES 4
#define EW_ROWS 8
#define EW_TILE_VECTORS 3
#define EW_FC_VECTORS 4
#include "engine/exec/kernel/ref_loops.h"
