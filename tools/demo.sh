#!/bin/sh
# The main job in one command: install what is missing, build, compare all strategies for VGG-16 on
# a four-device platform, and draw the results. Output goes to demo_out/.
set -eu
cd "$(dirname "$0")/.."
out=demo_out

tools/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
program=build/release/bin/edgeweave

rm -rf "$out"
"$program" compare --graph vgg16 --platform demo --requests 20 --out "$out"
gnuplot -e "dir='$out'" plots/compare.gp
# The chart of the run that answers first.
best=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["latency_mean_s"] != "" && (least == "" || $at["latency_mean_s"] + 0 < least) {
        least = $at["latency_mean_s"] + 0; run = $at["run"]
    }
    END { print run + 0 }' "$out/runs.csv")
gnuplot -e "dir='$out'; run=$best" plots/gantt.gp
echo
echo "bar chart:   $PWD/$out/compare.png"
echo "Gantt chart: $PWD/$out/gantt.png"
echo "data:        $PWD/$out/ (columns: docs/outputs.md)"
