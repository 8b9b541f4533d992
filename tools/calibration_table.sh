#!/bin/sh
# The table of docs/calibration.md: errors of 'calibrate compute' on every run of ncnn's benchmark.
#
#     tools/calibration_table.sh PROGRAM
set -eu
program=$1
data=$(cd "$(dirname "$0")/.." && pwd)/platforms/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
first="raspberry_pi_3b_plus_cpu raspberry_pi_4b_cpu jetson_nano_cpu jetson_agx_xavier_cpu jetson_tx2_nx_gpu"
others=$(grep -v '^#' "$data/ncnn_latency.csv" | tail -n +2 | cut -d, -f2 | uniq | grep -vxF "$(echo "$first" | tr ' ' '\n')")
for key in $first $others; do
    "$program" calibrate compute "$data/ncnn_latency.csv" --layers "$data/ncnn_layers.csv" \
        --device "$key" -o "$work/profile.json" 2>/dev/null >"$work/report"
    awk -v key="$key" '
        /^mean .* in sample/ { inside = $(NF - 1) }
        /^mean .* left out/ { out = $(NF - 1) }
        /^80 % bar/ { low = $4; high = $6; for (i = 1; i <= NF; i++) if ($i == "holds") share = $(i + 1) }
        END { printf "| `%s` | %s %% | %s %% | %s .. %s | %s %% |\n", key, inside, out, low, high, share }
    ' "$work/report"
done
