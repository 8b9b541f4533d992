#!/bin/sh
# DeepThings' tiles bound in advance (a list schedule on predicted times) or late (taken by idle devices),
# on unequal and on equal devices: without disturbance, with stragglers, and with a device that is slower
# than the plan thinks. Prints the table of docs/dynamics.md.
#
#     tests/engine/late_binding.sh BUILD_DIR
set -eu
program=$1/bin/edgeweave
tree=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# scenario NAME WORLD SLOW_DEVICE: the shipped scenario, its world changed, as $dir/scenario.json.
scenario() {
    case $2 in
    undisturbed) edit='s/"probability_ratio": 0.02/"probability_ratio": 0/
        s/"requests": 1000/"requests": 10/' ;;
    stragglers) edit= ;;
    slow) edit='s/"probability_ratio": 0.02/"probability_ratio": 0/
        s/"requests": 1000/"requests": 10/
        s/"dynamics": {/"dynamics": {"series": [{"device": "'$3'", "speed_ratio": [[0, 0.2]]}],/' ;;
    esac
    sed "$edit" "$tree/scenarios/$1.json" >"$dir/scenario.json"
}

# measure BINDING: mean and 99th percentile of the latency, messages and bytes per request.
measure() {
    rm -rf "$dir/out"
    "$program" run "$dir/scenario.json" --param "deepthings.binding=$1" --out "$dir/out" >"$dir/log" 2>&1 || {
        cat "$dir/log" >&2
        exit 1
    }
    awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        NR == 2 { n = $at["completed"]
                  printf "%.6f %.6f %.1f %.0f\n", $at["latency_mean_s"], $at["latency_p99_s"],
                         $at["transfers"] / n, $at["transfer_bytes"] / n }' "$dir/out/runs.csv"
}

printf '%-15s %-12s %9s %9s %8s %10s %10s %11s %11s\n' devices world planned late change \
    'p99 plan.' 'p99 late' 'msgs plan.' 'msgs late'
for name in stealing stealing_equal; do
    slow=nano
    [ $name = stealing ] || slow=dev2
    for world in undisturbed stragglers slow; do
        scenario $name $world $slow
        echo "$name $world $(measure planned) $(measure late)"
    done
done >"$dir/rows"
awk '{ printf "%-15s %-12s %8.3fs %8.3fs %+7.1f%% %9.3fs %9.3fs %11.1f %11.1f\n", $1, $2, $3, $7,
              100 * ($7 / $3 - 1), $4, $8, $5, $9 }' "$dir/rows"

# Late binding is faster when the plan is wrong about times, by 2 % and more; it sends more messages;
# and equal devices that nobody disturbs are slower with it, by what these cost, less than 5 %.
awk '
    $2 != "undisturbed" && $7 > 0.98 * $3 { print "FAILED: late is not faster: " $0; bad = 1 }
    $9 <= $5 { print "FAILED: late sends no more messages: " $0; bad = 1 }
    $1 == "stealing_equal" && $2 == "undisturbed" && ($7 <= $3 || $7 > 1.05 * $3) {
        print "FAILED: what stealing costs: " $0; bad = 1 }
    END { exit bad || NR != 6 }' "$dir/rows" >&2 || failed=1
exit $failed
