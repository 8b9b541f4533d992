#!/bin/sh
# Real networks, really split: the answer of every strategy's plan has the bits of one worker's, or
# is within 5e-6 of it where the plan splits sums over input channels: rounding of a layer's sum, about
# 1e-7, grows with depth. Nothing is emulated.
#
#     tests/engine/split_models.sh BUILD_DIR [MODEL...]
#
# By default networks of small images and a few strategies on four workers; EW_FULL=small in the
# environment takes all strategies on 2, 4 and 7 workers, EW_FULL=1 that with images of full size.
set -eu
[ $# -ge 1 ] || { echo "usage: tests/engine/split_models.sh BUILD_DIR [MODEL...]" >&2; exit 2; }
program=$1/bin/edgeweave
[ -x "$program" ] || { echo "$program: not there" >&2; exit 2; }
shift
tree=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

full=${EW_FULL:-}
all="vgg16 alexnet googlenet resnet18 resnet50 mobilenet_v2 inception_v3 squeezenet1_1 densenet121"
models=${*:-$all}
workers="2 4 7"
strategies="--param distredge.episodes=20"
if [ -z "$full" ]; then
    models=${*:-alexnet squeezenet1_1 mobilenet_v2}
    workers=4
    strategies="--strategy modnn,deepthings,deeperthings"
fi

# graph MODEL SIZE: a graph file with images of that size.
graph() {
    if [ -f "$tree/dnn_graphs/$1.json" ]; then
        sed "s/\"shape\": \[1, 3, [0-9]*, [0-9]*\]/\"shape\": [1, 3, $2, $2]/" \
            "$tree/dnn_graphs/$1.json" >"$work/$1.json"
    else
        "$program" import "$tree/tests/data/onnx/$1.onnx" --input-shape "1x3x$2x$2" \
            -o "$work/$1.json" --quiet
    fi
}

# judge FILE: count answers, print those that are neither equal nor split sums close enough.
judge() {
    awk '
        /^      "strategy":/ { strategy = $2; gsub(/[",]/, "", strategy) }
        /"compared":/ { compared = $2 + 0 }
        /"equal_bits":/ { equal = $2 + 0 }
        /"max_relative_difference":/ { difference = $2 + 0 }
        /"tolerance":/ {
            n += compared
            n_equal += equal
            worst = difference > worst ? difference : worst
            is_good = equal == compared || ($2 + 0 > 0 && difference <= 5e-6)
            if (compared && !is_good) {
                printf "  WRONG: %s: differs by %g\n", strategy, difference
                bad = 1
            }
        }
        END {
            printf "%d answers, %d equal, others within %.2g\n", n, n_equal, worst
            exit bad || n == 0
        }' "$1"
}

failed=0
for model in $models; do
    size=64
    [ "$model" != inception_v3 ] || size=107
    if [ -n "$full" ] && [ "$full" != small ]; then
        size=224
        [ "$model" != inception_v3 ] || size=299
    fi
    graph "$model" "$size"
    for n in $workers; do
        # shellcheck disable=SC2086 # several words
        "$program" validate --graph "$work/$model.json" --platform emulated_8 --devices "$n" \
            --measured $strategies --json --quiet >"$work/out.json" 2>"$work/err" || {
            grep -q '"runs"' "$work/out.json" || { cat "$work/err"; failed=1; continue; }
        }
        printf '%s %dx%d, %d workers: ' "$model" "$size" "$size" "$n"
        judge "$work/out.json" || failed=1
    done
done

# Kernels that promise no bits, where this build has them, are compared with those that do.
graph squeezenet1_1 64
if "$program" validate --graph "$work/squeezenet1_1.json" --platform emulated_8 --devices 4 --measured \
    --strategy modnn,local --kernels xnnpack --json --quiet >"$work/out.json" 2>"$work/err"; then
    grep -o '"max_relative_difference": [^,]*' "$work/out.json" | awk '
        { n++; bad = bad || !($2 > 0 && $2 <= 1e-5) }
        END { print "xnnpack: " n " answers" (bad ? ", WRONG" : ", near those of reference"); exit bad || n != 2 }' || failed=1
elif ! grep -q 'no kernels' "$work/err"; then
    cat "$work/err"
    failed=1
fi
exit "$failed"
