#!/bin/bash
# What real execution adds to its kernels: processor time per inference of `run --engine exec
# --measured` with one worker, coordinator and worker together, over that of a loop around the same
# kernels. Processor time of N runs less that of a few, so that preparing weights does not count.
# Both in turns, several times; printed are the least of each and the median of the ratios of
# neighbours, since other work on the machine disturbs caches.
#
#     bench/exec_overhead.sh BUILD_DIR [GRAPH...]
set -eu
build=$1
shift
[ $# -gt 0 ] || set -- mobilenet_v2 squeezenet1_1 resnet18
graphs=$(cd "$(dirname "$0")/.." && pwd)/dnn_graphs
few=2
many=${EW_BENCH_RUNS:-42}
TIMEFORMAT='%U %S'

cpu_s() { { time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $1 + $2 }'; }
per_run_s() { awk -v a="$1" -v b="$2" -v n=$((many - few)) 'BEGIN { print (b - a) / n }'; }
least() { printf '%s\n' "$@" | sort -g | head -n 1; }
median() { printf '%s\n' "$@" | sort -g | sed -n "$((($# + 1) / 2))p"; }
kernels() { cpu_s "$build/bin/bench_kernels" -n "$2" "$graphs/$1.json"; }
exec_run() {
    cpu_s "$build/bin/edgeweave" run --graph "$1" --platform demo --devices 1 --strategy local \
        --engine exec --measured --requests "$2"
}

for graph; do
    loops=() runs=() ratios=()
    for ((i = 0; i < ${EW_BENCH_TURNS:-7}; i++)); do
        loops+=("$(per_run_s "$(kernels "$graph" $few)" "$(kernels "$graph" "$many")")")
        runs+=("$(per_run_s "$(exec_run "$graph" $few)" "$(exec_run "$graph" "$many")")")
        ratios+=("$(awk -v a="${loops[-1]}" -v b="${runs[-1]}" 'BEGIN { print 100 * (b / a - 1) }')")
    done
    awk -v g="$graph" -v a="$(least "${loops[@]}")" -v b="$(least "${runs[@]}")" \
        -v m="$(median "${ratios[@]}")" \
        'BEGIN { printf "%-16s kernels %.2f ms, exec %.2f ms: %+.1f %%; median of turns %+.1f %%\n",
                 g, 1e3 * a, 1e3 * b, 100 * (b / a - 1), m }'
done
