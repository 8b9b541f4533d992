#!/bin/sh
# Images of one's own (--input) through a real execution, and what came out (--save-outputs): against PyTorch's
# answer, bit by bit against single runs when requests take images in turn in jobs and batches, and at
# the same emulated times as without.
#
#     tests/engine/own_images.sh BUILD_DIR
set -eu
program=$1/bin/edgeweave
tree=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
model=$tree/tests/data/outputs/convolutions
failed=0

complain() {
    echo "own_images: $*" >&2
    failed=1
}

# npy SHAPE: a .npy file of float32 values from standard input.
npy() {
    printf '\223NUMPY\001\000v\000'
    printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': ($1), }"
    cat
}

# execute NAME ARGS...: values of the answers in $dir/NAME/Softmax.npy.
execute() {
    name=$1
    shift
    "$program" run --graph "$model.onnx" --platform demo --engine exec --dilation 1 --json \
        --save-outputs "$dir/$name" "$@" >"$dir/$name.json" 2>"$dir/log" || {
        cat "$dir/log" >&2
        exit 1
    }
}

# rows NAME: its values as bytes without the head, checked to be as many rows of 10 as `expected`.
rows() {
    head -c 128 "$dir/$1/Softmax.npy" | grep -aq "'shape': ($2, 10)" || complain "$1: wrong shape"
    tail -c +129 "$dir/$1/Softmax.npy"
}

# Two images: PyTorch's, and its values in another order.
head -c 6000 "$model.input" >"$dir/begin"
tail -c +6001 "$model.input" >"$dir/end"
npy '1, 3, 33, 35' <"$model.input" >"$dir/a.npy"
cat "$dir/end" "$dir/begin" | npy '3, 33, 35' >"$dir/b.npy"
cat "$model.input" "$dir/end" "$dir/begin" | npy '2, 3, 33, 35' >"$dir/ab.npy"

execute a --strategy modnn --input "$dir/a.npy"
execute b --strategy coedge --input "image=$dir/b.npy"
rows a 1 >"$dir/a.bits"
rows b 1 >"$dir/b.bits"
cmp -s "$dir/a.bits" "$dir/b.bits" && complain "different images, the same answer"
{
    od -An -v -t f4 -w4 "$model.output"
    od -An -v -t f4 -w4 "$dir/a.bits"
} | awk '{ v[NR] = $1; if (NR <= 10 && $1 > most) most = $1 }
    END { for (i = 1; i <= 10; i++) { d = v[i] - v[i + 10]; if (d < 0) d = -d; if (d > worst) worst = d }
          exit !(NR == 20 && worst <= 1e-5 * most) }' || complain "not PyTorch's answer"

# In turn, whatever shares a job, in any order of answers; a short last job has images that nobody asked for.
cat "$dir/a.bits" "$dir/b.bits" "$dir/a.bits" "$dir/b.bits" "$dir/a.bits" >"$dir/ababa"
for how in '--requests 5 --strategy modnn' '--requests 5 --strategy local --arrival poisson:1000' \
    '--requests 5 --batch 2 --requests-per-job 2 --strategy coedge' \
    '--requests 5 --batch 4 --requests-per-job 4 --strategy musical_chair --measured'; do
    # shellcheck disable=SC2086 # words
    execute turn --input "$dir/ab.npy" $how
    rows turn 5 | cmp -s - "$dir/ababa" || complain "$how: wrong rows"
done
execute pairs --input "$dir/ab.npy" --batch 2 --requests 2 --strategy edgeld
rows pairs 4 | cmp -s -n 160 - "$dir/ababa" || complain "--batch 2: wrong rows"

# Inputs do not cost emulated time.
latency() { grep -o '"latency_s": {"mean": [0-9.e-]*' "$dir/$1.json" | head -n 1; }
execute seeded --strategy modnn
[ -n "$(latency a)" ] && [ "$(latency a)" = "$(latency seeded)" ] || complain "other times than without images"

# The comparison with one device knows of the images, too.
"$program" validate --graph "$model.onnx" --platform demo --strategy modnn,local --requests 3 \
    --input "$dir/ab.npy" >"$dir/log" 2>&1 || complain "validate: $(cat "$dir/log")"
[ "$(grep -c equal "$dir/log")" = 2 ] || complain "validate: $(cat "$dir/log")"
exit $failed
