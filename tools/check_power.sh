#!/bin/sh
# Hold the power figures of platforms/*.xml against what `edgeweave calibrate energy` fits to
# platforms/data/energy.csv, for the boards that have data there. Fails when one is off by more than
# 3 % or is no longer in any platform.
#
#     tools/check_power.sh PROGRAM
set -eu
if [ $# -ne 1 ]; then
    echo "usage: tools/check_power.sh PROGRAM" >&2
    exit 2
fi
program=$1
root=$(cd "$(dirname "$0")/.." && pwd)
status=0
printf '%-28s %-20s %-20s %s\n' data fitted platforms 'largest difference'
# key in the data, figures in the platforms: idle, idle, all cores
while read -r key shipped; do
    # of several DVFS states the last, fastest one
    fitted=$("$program" calibrate energy "$root/platforms/data/energy.csv" --device "$key" -q |
        sed -n 's/.*wattage_per_state" value="\([^"]*\)".*/\1/p' | tail -n 1)
    if ! grep -q "wattage_per_state\" value=\"$shipped\"" "$root"/platforms/*.xml; then
        echo "$key: no platform has $shipped" >&2
        status=1
    fi
    printf '%s:%s\n' "$fitted" "$shipped" | awk -F: -v key="$key" '
        NF != 6 { print key ": expected three figures each" > "/dev/stderr"; exit 1 }
        {
            for (i = 1; i <= 3; i++) {
                off = $i / $(i + 3) - 1
                worst = off * off > worst * worst ? off : worst
            }
            printf "%-28s %-20s %-20s %+.1f %%\n", key, $1 ":" $2 ":" $3, $4 ":" $5 ":" $6, 100 * worst
            exit worst * worst > 0.03 * 0.03
        }' || {
        echo "$key: more than 3 % off" >&2
        status=1
    }
done <<'LIST'
raspberry_pi_4b 1.6:1.6:5.0
odroid_hc2 3.89:3.89:13.195
jetson_nano_cpu_4_threads 1.1:1.1:5.43
jetson_nano_gpu 1.1:1.1:7.09
jetson_agx_xavier_maxq 8.17:8.17:15.85
LIST
exit $status
