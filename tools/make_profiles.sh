#!/bin/sh
# Calibrate the shipped profiles from platforms/data.
#
#     tools/make_profiles.sh PROGRAM            write platforms/profiles/*.json
#     tools/make_profiles.sh --check PROGRAM    fail when a file differs from what would be written
#
# tools/fit_profiles.py then writes those that are derived from these or from papers.
set -eu
check=
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi
if [ $# -ne 1 ]; then
    echo "usage: tools/make_profiles.sh [--check] PROGRAM" >&2
    exit 2
fi
program=$1
root=$(cd "$(dirname "$0")/.." && pwd)
data=$root/platforms/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# key in the data, profile
while read -r key name; do
    line=$(grep "^[0-9]*,$key," "$data/ncnn_latency.csv" | head -n 1)
    run=${line%%,*}
    threads=$(echo "$line" | sed 's/"[^"]*"/X/' | cut -d, -f4)
    device=$(echo "$line" | sed 's/^[0-9]*,[^,]*,//; s/^"\([^"]*\)".*/\1/; t; s/,.*//')
    from="ncnn benchmark README, github.com/Tencent/ncnn @a4d2ea1d (BSD-3-Clause), run $run: $device"
    case $key in
    *_gpu) from="$from, GPU through Vulkan, fp32 networks, ncnn's default options" ;;
    *) from="$from, $threads threads, fp32 networks, ncnn's default options" ;;
    esac
    case $name in
    jetson_tx2.*) from="$from (the TX2 NX module has the same chip)" ;;
    esac
    "$program" calibrate compute "$data/ncnn_latency.csv" --layers "$data/ncnn_layers.csv" \
        --device "$key" --from "$from" -o "$work/$name.json" -q 2>/dev/null
    if [ -z "$check" ]; then
        cp "$work/$name.json" "$root/platforms/profiles/$name.json"
    elif ! cmp -s "$work/$name.json" "$root/platforms/profiles/$name.json"; then
        echo "$name.json: differs from what tools/make_profiles.sh writes" >&2
        diff "$root/platforms/profiles/$name.json" "$work/$name.json" >&2 || true
        status=1
    fi
done <<'LIST'
raspberry_pi_3b_plus_cpu raspberry_pi_3b_plus.ncnn_cpu_fp32
raspberry_pi_4b_cpu raspberry_pi_4b.ncnn_cpu_fp32
raspberry_pi_zero_2w_cpu raspberry_pi_zero_2w.ncnn_cpu_fp32
rk3588_big_cpu rk3588.ncnn_cpu_fp32
jetson_nano_cpu jetson_nano.ncnn_cpu_fp32
jetson_nano_gpu jetson_nano.ncnn_vulkan
jetson_tx2_nx_cpu jetson_tx2.ncnn_cpu_fp32
jetson_tx2_nx_gpu jetson_tx2.ncnn_vulkan
jetson_agx_xavier_cpu jetson_agx_xavier.ncnn_cpu_fp32
jetson_agx_xavier_gpu jetson_agx_xavier.ncnn_vulkan
desktop_i7_13700k_cpu desktop_i7_13700k.ncnn_cpu_fp32
desktop_rtx_3060_ti_gpu desktop_rtx_3060_ti.ncnn_vulkan
LIST
exit $status
