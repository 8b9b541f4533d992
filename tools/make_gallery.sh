#!/bin/sh
# Draws docs/gallery/*.svg, one sample for each kind of plot; docs/gallery.md shows them.
#
#     tools/make_gallery.sh BUILD_DIR
#
# Needs gnuplot. Equal builds and gnuplots draw equal bytes.
set -eu
[ $# -eq 1 ] && [ -x "$1/bin/edgeweave" ] || {
    echo "usage: tools/make_gallery.sh BUILD_DIR" >&2
    exit 2
}
program=$(cd "$1" && pwd)/bin/edgeweave
gallery=$(cd "$(dirname "$0")/.." && pwd)/docs/gallery
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
mkdir -p "$gallery"

# Strategies over bandwidth and number of devices.
cat >world.json <<'END'
{
  "schema": "edgeweave.sweep/1",
  "scenario": {"graph": "vgg16", "platform": "demo", "engine": "fast"},
  "axes": [
    {"key": "strategy",
     "values": ["local", "offload", "neurosurgeon", "modnn", "aofl", "edgeld", "deepslicing"]},
    {"key": "link.*.bandwidth_bytes_per_s", "name": "bandwidth_bytes_per_s",
     "log_range": {"from": 1e6, "to": 1e8, "count": 9}},
    {"key": "devices", "values": [2, 3, 4]}
  ]
}
END
# Sharing images out over model variants: accuracy against energy and time.
cat >accuracy.json <<'END'
{
  "schema": "edgeweave.sweep/1",
  "scenario": {"graph": "edgent_alexnet", "platform": "edgent", "engine": "fast"},
  "axes": [
    {"key": "strategy", "values": ["local", "offload", "edgent", "neurosurgeon"]},
    {"key": "link.*.bandwidth_bytes_per_s", "name": "bandwidth_bytes_per_s",
     "values": [31250, 62500, 93750, 125000, 250000]},
    {"key": "deadline_s", "values": [0.3, 0.5, 1, 2]}
  ]
}
END
"$program" sweep world.json -o world.db -q --keep-going || true
"$program" sweep accuracy.json -o accuracy.db -q --keep-going || true
"$program" compare --graph alexnet --platform demo --engine fast --requests 200 \
    --arrival poisson:4 --strategy local,offload,modnn,aofl,edgeld -q --out run >/dev/null || true
"$program" reproduce edgent fig9 -q --out paper >/dev/null

plot() { # NAME KIND ARGUMENTS...
    name=$1
    shift
    "$program" plot "$@" -o "$gallery/$name.svg"
}
plot bars bars world.db --where 'devices = 4'
plot lines lines world.db --x bandwidth_bytes_per_s --where 'devices = 4'
plot pareto_energy pareto world.db --where 'bandwidth_bytes_per_s = 1e7'
plot pareto_accuracy pareto accuracy.db --x energy_per_request_j --y accuracy
plot heatmap heatmap world.db --x bandwidth_bytes_per_s --y devices
plot cdf cdf run
plot energy energy world.db --where 'devices = 4 AND bandwidth_bytes_per_s = 1e7'
plot gantt gantt run --run 2
plot paper paper paper/edgent_fig9.csv
