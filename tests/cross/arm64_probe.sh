#!/bin/sh
# Build what `edgeweave probe` measures with for arm64, without a warning, and run it under QEMU: it
# times a small network whole and in bands, on one and on more threads, and prints a host.
# Exits with 77 (skipped) without a cross compiler or qemu, as arm64_bits.sh does.
#
#     tests/cross/arm64_probe.sh
set -eu
compiler=${EW_ARM64_CC:-aarch64-linux-gnu-gcc}
qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64) || { echo "no qemu"; exit 77; }
command -v "$compiler" >/dev/null || { echo "no $compiler"; exit 77; }
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
kernels=$(find sim/engine/exec/kernel -name '*.c' ! -name '*avx*')
# shellcheck disable=SC2086
"$compiler" -std=c17 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Werror -O2 -static \
    -ffunction-sections -fdata-sections -Wl,--gc-sections -I sim -I include -o "$work/probe" \
    tests/cross/probe.c sim/calibrate/probe.c sim/calibrate/probe_threads.c sim/base/*.c \
    sim/model/*.c sim/engine/exec/random_weights.c $kernels -lm -lpthread
"$qemu" "$work/probe" >"$work/out" || {
    cat "$work/out"
    exit 1
}
cat "$work/out"
grep -q '<host id="board" speed=' "$work/out"
grep -q '^pointwise 2 ' "$work/out"
