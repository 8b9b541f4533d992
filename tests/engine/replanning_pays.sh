#!/bin/sh
# Planning anew at every change, for CoEdge and AOFL on the shipped scenarios: the mean latency is
# never above that of never planning anew by more than what a plan is charged with: nothing, 50 ms.
#
#     tests/engine/replanning_pays.sh BUILD_DIR
set -eu
program=$1/bin/edgeweave
scenarios=$(cd "$(dirname "$0")/../../scenarios" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

mean_latency() { # SCENARIO POLICY CHARGE: a line "strategy seconds" each
    "$program" compare "$scenarios/$1.json" --requests 180 --engine fast --regimes 0 \
        --strategy coedge,aofl --replan "$2" --charge-planning "$3" --out "$dir/out" \
        >"$dir/log" 2>&1 || [ $? -eq 1 ] || { # 1: requirements may be missed
        cat "$dir/log" >&2
        exit 1
    }
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
             { print $at["strategy"], $at["latency_mean_s"] }' "$dir/out/runs.csv"
    rm -r "$dir/out"
}

failed=0
for name in ap_overload lte_bus node_loss straggling_pi wifi_fluctuating; do
    mean_latency "$name" never 0 >"$dir/never"
    for charge_s in 0 0.05; do
        mean_latency "$name" on-change:0 "$charge_s" >"$dir/anew"
        paste -d ' ' "$dir/never" "$dir/anew" |
            awk -v name="$name" -v charge_s="$charge_s" '
                { n++ }
                $1 != $3 || $4 > $2 + charge_s {
                    print "FAILED: " name, $1, "at", charge_s, "s: " $4 " s anew, " $2 " s never"
                    bad = 1
                }
                END { exit bad || n != 2 }' >&2 || failed=1
    done
done
exit $failed
