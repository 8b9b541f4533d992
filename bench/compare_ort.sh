#!/bin/sh
# Speed of the reference kernels beside ONNX Runtime's (no optimisations, one thread): CPU time per
# inference, best of several runs, both in turns so that a busy machine troubles both alike.
#
#     tools/make_outputs.py --large FOLDER vgg16 resnet50 mobilenet_v2
#     (cd DIR && npm install onnxruntime-node@1.22.0)
#     NODE_PATH=DIR/node_modules bench/compare_ort.sh BUILD_DIR FOLDER [MODEL...]
#
# Exits with 77 where node or onnxruntime-node is not there, with 1 when ours takes more than 1.5
# times as long.
set -eu
[ $# -ge 2 ] || { echo "usage: bench/compare_ort.sh BUILD_DIR FOLDER [MODEL...]" >&2; exit 2; }
bench=$(find "$1" -name bench_kernels -type f | head -1)
folder=$2
here=$(cd "$(dirname "$0")" && pwd)
shift 2
rounds=${EW_ROUNDS:-5}
runs=${EW_RUNS:-3}
node -e "require('onnxruntime-node')" 2>/dev/null || { echo "no onnxruntime-node"; exit 77; }
[ -n "$bench" ] || { echo "bench_kernels is not built" >&2; exit 2; }

smaller() { awk -v a="$1" -v b="$2" 'BEGIN { print (a + 0 < b + 0 ? a : b) }'; }
slow=0
printf '%-16s %10s %10s %8s\n' model ours_ms ort_ms ratio
for model in ${*:-vgg16 resnet50 mobilenet_v2}; do
    ours=1e9
    theirs=1e9
    round=0
    while [ "$round" -lt "$rounds" ]; do
        theirs=$(smaller "$theirs" "$(node "$here/ort_time.js" "$folder/$model.onnx" "$runs")")
        ours=$(smaller "$ours" "$("$bench" -c -n "$runs" "$folder/$model.onnx")")
        round=$((round + 1))
    done
    awk -v m="$model" -v a="$ours" -v b="$theirs" 'BEGIN {
        printf "%-16s %10.2f %10.2f %8.2f\n", m, a, b, a / b
        exit a > 1.5 * b
    }' || slow=1
done
exit "$slow"
