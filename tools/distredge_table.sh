#!/bin/sh
# The table of strategies/distredge/README.md: latencies that the agent finds, seed by seed, beside
# those of the coordinate search. VGG-16, one byte per input element, two per activation.
#
#     tools/distredge_table.sh PROGRAM [--param NAME=VALUE...]
#
# EW_SEEDS: "1 2 3 4 5"; EW_PLATFORMS: names without "distredge_". Takes a few minutes.
set -eu
program=$1
shift

latency_ms() { # platform seed options...
    platform=$1 seed=$2
    shift 2
    "$program" run --no-cache --graph vgg16 --input-bytes-per-element 1 \
        --activation-bytes-per-element 2 --engine fast --platform "distredge_$platform" \
        --strategy distredge --seed "$seed" --param keep_single=false --json "$@" 2>/dev/null |
        sed -n 's/.*"latency_s": {"mean": \([0-9.e-]*\),.*/\1/p' | awk '{ printf "%.2f", 1000 * $1; exit }'
}

echo "| platform | coordinate | agent, by seed | median | above |"
echo "|---|---|---|---|---|"
for platform in ${EW_PLATFORMS:-da_300 db_300 dc_300 na nb nc nd}; do
    oracle=$(latency_ms "$platform" 1 --param search=coordinate)
    found=
    for seed in ${EW_SEEDS:-1 2 3 4 5}; do
        found="$found $(latency_ms "$platform" "$seed" "$@")"
    done
    median=$(printf '%s\n' $found | sort -n | awk '{ at[NR] = $1 } END { print at[int((NR + 1) / 2)] }')
    awk -v p="$platform" -v o="$oracle" -v f="$found" -v m="$median" 'BEGIN {
        gsub(/^ /, "", f); gsub(/ /, ", ", f)
        printf "| %s | %s | %s | %s | %+.1f %% |\n", p, o, f, m, 100 * (m / o - 1) }'
done
