#!/bin/sh
# Edgent's static algorithm at the bandwidth of the moment against its configuration map, on traces
# scaled to 0-10 Mbit/s: quantiles of throughput and reward over the requests of
# scenarios/edgent_lte.json, and at how many of the quantiles the map is at or above.
#
#     tools/edgent_distributions.sh PROGRAM [TRACE:SCALE...]
#
# Throughput is 1 / latency, reward exp(accuracy) + throughput, 0 beyond the deadline. Fails when
# the map is at or above at no more than half of the quantiles of either.
set -eu
program=$1
shift
[ $# -gt 0 ] || set -- lte_bus:1 norway_bus_1:2 norway_bus_16:2 norway_car_3:2 norway_train_13:1 \
    norway_metro_2:4 norway_tram_43:4
tree=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# "edgent 0 exit5" per plan, from the books of plans.
exits_of() {
    for book in "$1"/plan_*.json; do
        name=${book##*/plan_}
        sed -n 's/.*"variant": "base", "exit": "\([^"]*\)".*/\1/p' "$book" |
            awk -v s="${name%.json}" '{ print s, NR - 1, $1 }'
    done
}

failed=0
for item; do
    trace=${item%:*}
    sed "s|\"../platforms/traces/lte_bus.csv\"|\"$tree/platforms/traces/$trace.csv\", \"scale_ratio\": ${item#*:}, \"loop\": true|" \
        "$tree/scenarios/edgent_lte.json" >"$dir/s.json"
    "$program" compare "$dir/s.json" --out "$dir/$trace" >"$dir/log" 2>&1 || [ $? -eq 1 ] || {
        cat "$dir/log" >&2
        exit 1
    }
    exits_of "$dir/$trace" >"$dir/exits"
    sed -n 's/.*"name": "\(exit[0-9]*\)".*"accuracy": \([0-9.]*\).*/\1 \2/p' \
        "$tree/dnn_graphs/edgent_alexnet.json" >"$dir/accuracy"
    # strategy, throughput, reward per request
    awk -F '[ ,]' -v accuracy="$dir/accuracy" -v exits="$dir/exits" '
        FILENAME == accuracy { of[$1] = $2; next }
        FILENAME == exits { exit_of[$1, $2] = $3; next }
        FNR > 1 {
            rate = $8 == "done" || $8 == "late" ? 1 / $12 : 0
            print $2, rate, $8 == "done" ? exp(of[exit_of[$2, $6]]) + rate : 0
        }' "$dir/accuracy" "$dir/exits" "$dir/$trace/requests.csv" >"$dir/values"
    for column in 2 3; do
        for strategy in edgent edgent_dynamic; do
            awk -v s=$strategy -v c=$column '$1 == s { print $c }' "$dir/values" |
                sort -g >"$dir/$strategy"
        done
        paste "$dir/edgent" "$dir/edgent_dynamic" | awk -v trace="$trace" -v c=$column '
            { s[NR] = $1; d[NR] = $2; up += $2 >= $1 * (1 - 1e-9); ms += $1; md += $2 }
            function at(v, q) { return v[1 + int(q * (NR - 1))] }
            function row(v, name, mean) {
                printf "%-16s %-10s %-14s %8.3f %8.3f %8.3f %8.3f %8.3f %8.3f\n", trace,
                    c == 2 ? "throughput" : "reward", name, at(v, .05), at(v, .25), at(v, .5),
                    at(v, .75), at(v, .95), mean / NR
            }
            END {
                row(s, "edgent", ms); row(d, "edgent_dynamic", md)
                printf "%-16s %-10s at or above at %.1f %% of the quantiles\n", trace,
                    c == 2 ? "throughput" : "reward", 100 * up / NR
                exit !(up > NR / 2)
            }' >"$dir/table" || failed=1
        [ "$item$column" != "${1}2" ] ||
            echo "trace            of         strategy            5 %     25 %     50 %     75 %     95 %     mean"
        cat "$dir/table"
    done
done
exit $failed
