#!/bin/sh
# Every convolutional torchvision model of tests/data/onnx through `compare` with every strategy that
# splits rows, on 4 and on 8 devices where splitting pays; then every plan through `check`.
#
#     tests/models/all_models.sh BUILD_DIR [MODEL...]
#
# Without models three of them, all with EW_FULL=1. Training and searching are cut short: what is
# tested is that plans come out, fit, and run alike on both engines.
set -eu
[ $# -ge 1 ] && [ -x "$1/bin/edgeweave" ] || {
    echo "usage: tests/models/all_models.sh BUILD_DIR [MODEL...]" >&2
    exit 2
}
program=$(cd "$1" && pwd)/bin/edgeweave
shift
models=$(cd "$(dirname "$0")/../data/onnx" && pwd)
if [ $# -eq 0 ]; then
    set -- squeezenet1_1 mobilenet_v2 shufflenet_v2_x1_0
    if [ "${EW_FULL:-0}" = 1 ]; then
        set --
        for file in "$models"/*.onnx; do
            name=$(basename "$file" .onnx)
            case $name in vit_*) ;; *) set -- "$@" "$name" ;; esac # no convolutions to speak of
        done
    fi
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
HOME=$work
XDG_CACHE_HOME=$work/cache
export HOME XDG_CACHE_HOME

# Eight boards of 5 GFLOP/s behind links of 1 Gbit/s. --devices N takes the first N.
{
    echo '<?xml version="1.0"?>'
    echo '<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">'
    echo '<platform version="4.1"><zone id="lab" routing="Full">'
    for d in 0 1 2 3 4 5 6 7; do
        echo "<host id='board$d' speed='5Gf'><prop id='wattage_per_state' value='2:3:6'/></host>"
        echo "<link id='port$d' bandwidth='125MBps' latency='100us'/>"
    done
    for a in 0 1 2 3 4 5 6; do
        for b in 1 2 3 4 5 6 7; do
            [ "$a" -ge "$b" ] ||
                echo "<route src='board$a' dst='board$b'><link_ctn id='port$a'/><link_ctn id='port$b'/></route>"
        done
    done
    echo '</zone></platform>'
} >lab.xml

strategies=aofl,coedge,deeperthings,deepslicing,deepthings,distredge,edgeflow,edgeld,mednn,modnn,musical_chair,optimal,pico
failed=0
for model in "$@"; do
    for n in 4 8; do
        result=$work/result
        rm -rf "$result"
        if ! "$program" compare --graph "$models/$model.onnx" --platform lab.xml --devices $n \
            --engine fast --requests 2 --strategy $strategies --param distredge.episodes=5 \
            --param optimal.evaluations=20 --out "$result" >out 2>&1; then
            cat out
            echo "$model on $n devices: FAILED to compare"
            failed=1
            continue
        fi
        count=0 split=0
        for plan in "$result"/plan_*.json; do
            count=$((count + 1))
            if ! "$program" check "$plan" --graph "$models/$model.onnx" --platform lab.xml \
                --devices $n >out 2>&1; then
                cat out
                echo "$model on $n devices: FAILED to check $(basename "$plan")"
                failed=1
            fi
        done
        split=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
                         $at["devices_used"] > 1 { n++ } END { print n + 0 }' "$result/runs.csv")
        echo "$model on $n devices: $count plans, $split on several devices"
        # Strategies may prefer one device or decline, but not all of them.
        if [ "$count" -lt 11 ] || [ "$split" -lt 6 ]; then
            cat "$result/runs.csv"
            echo "$model on $n devices: FAILED, too few"
            failed=1
        fi
    done
done
exit $failed
