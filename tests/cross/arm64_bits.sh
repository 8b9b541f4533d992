#!/bin/sh
# The reference kernels give the same bits on arm64 (NEON) as here: cross-compiled, run under qemu's
# user emulation, hashes of random layers compared.
#
#     tests/cross/arm64_bits.sh KERNEL_BITS [N_SEEDS]       KERNEL_BITS: the native program
#
# Exits with 77 (skipped) without a cross compiler or qemu; on Debian gcc-aarch64-linux-gnu,
# libc6-dev-arm64-cross, qemu-user.
set -eu
[ $# -ge 1 ] || { echo "usage: tests/cross/arm64_bits.sh KERNEL_BITS [N_SEEDS]" >&2; exit 2; }
native=$1
seeds=${2:-740}
cc=${EW_ARM64_CC:-aarch64-linux-gnu-gcc}
qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64) || { echo "no qemu"; exit 77; }
command -v "$cc" >/dev/null || { echo "no $cc"; exit 77; }
tree=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$tree"

# compile FLAGS FILE...
compile() {
    flags=$1
    shift
    for file in "$@"; do
        # shellcheck disable=SC2086 # several flags
        "$cc" -std=c17 -O2 -D_POSIX_C_SOURCE=200809L -Isim -Itests/cross -Itests $flags \
            -c "$file" -o "$work/$(basename "$file" .c).o"
    done
}
kernel=sim/engine/exec/kernel
compile -ffp-contract=off "$kernel"/kernel.c "$kernel"/kernel_ops.c "$kernel"/reference.c \
    $(ls "$kernel"/ref_*.c | grep -v ref_loops) sim/engine/exec/random_weights.c \
    sim/model/op.c sim/model/op_shape.c sim/model/op_field.c sim/model/box.c \
    sim/base/rng.c sim/base/status.c sim/base/vec.c tests/support/kernel_case.c tests/support/kernel_expect.c \
    tests/support/kernel_expect_sums.c tests/cross/kernel_bits.c
compile "-O3 -ffp-contract=fast" "$kernel"/ref_loops_portable.c
"$cc" -static -o "$work/kernel_bits" "$work"/*.o -lm

"$native" reference "$seeds" >"$work/here"
"$qemu" "$work/kernel_bits" reference "$seeds" >"$work/arm64"
if ! diff "$work/here" "$work/arm64"; then
    echo "arm64 gives other bits" >&2
    exit 1
fi
echo "$(wc -l <"$work/here") ops, $seeds layers: the same bits on arm64"
