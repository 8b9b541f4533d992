#!/bin/sh
# What quantising the tensor between two devices does to a network's answer, measured by executing it.
#
#     tools/quantisation_table.sh PROGRAM GRAPH SEEDS LAYER... >TABLE.csv
#
# Prints a table for qpart's parameter `losses`: for each layer whose output alone crosses a cut (`input`:
# the network's input) and 16, 8, 6, 4 and 2 bits, the largest difference of the answer from that of one
# device, relative to the largest value of the answer, over SEEDS seeds. Weights and inputs are seeded random
# ones unless GRAPH is a model with weights: an error of the output, not a loss of accuracy.
set -eu
program=$1
graph=$2
seeds=$3
shift 3
echo "# tools/quantisation_table.sh edgeweave $graph $seeds $*"
echo "layer,bits,loss_ratio"
for layer; do
    name=$layer
    [ "$layer" != input ] ||
        name=$("$program" describe graph "$graph" --json | sed -n 's/.*"name": "\([^"]*\)".*"op": "input".*/\1/p')
    for bits in 16 8 6 4 2; do
        for seed in $(seq "$seeds"); do
            "$program" validate --graph "$graph" --platform demo --strategy qpart --seed "$seed" \
                --param cut="$layer" --param bits="$bits" --json 2>/dev/null |
                sed -n 's/.*"max_relative_difference": \([0-9.e+-]*\).*/\1/p'
        done | sort -g | tail -n 1 | awk -v row="$name,$bits" '{ printf "%s,%.3g\n", row, $1 }'
    done
done
