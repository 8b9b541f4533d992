#!/bin/sh
# Kill test of sweeps: SIGKILL at random moments, resume each time; in the end the store must equal
# that of an undisturbed run, row for row, but for wall-clock columns.
#
#     tests/sweep/kill.sh BUILD_DIR [ROUNDS]
#
# 8 moments by default, 50 with EW_FULL=1. Moments are drawn from a fixed seed.
set -eu
[ $# -ge 1 ] && [ -x "$1/bin/edgeweave" ] || {
    echo "usage: tests/sweep/kill.sh BUILD_DIR [ROUNDS]" >&2
    exit 2
}
program=$(cd "$1" && pwd)/bin/edgeweave
rounds=${2:-8}
[ $# -ge 2 ] || [ "${EW_FULL:-0}" != 1 ] || rounds=50
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
HOME=$work
XDG_CACHE_HOME=$work/cache
export HOME XDG_CACHE_HOME

# Some points fail (there is no such platform), some strategies cannot serve one device.
cat >sweep.json <<'SWEEP'
{
  "schema": "edgeweave.sweep/1",
  "scenario": {"graph": "alexnet", "engine": "fast"},
  "axes": [
    {"key": "platform", "values": ["demo", "no_such_platform"]},
    {"key": "devices", "values": [1, 3]},
    {"key": "strategy", "values": ["local", "offload", "modnn"]},
    {"seeds": 200}
  ]
}
SWEEP

dump() { # store -> all rows without wall-clock columns
    for table in runs devices failures; do
        "$program" export "$1" --table $table --format jsonl |
            sed -e 's/, "plan_time_s": [^,}]*//' -e 's/, "run_time_s": [^,}]*//'
    done
}

"$program" sweep sweep.json -o whole.db --keep-going --jobs 2 -q || [ $? -eq 1 ]
dump whole.db >whole.txt
[ "$(grep -c '"status": "ok"' whole.txt)" -ge 800 ]
grep -q '"status": "invalid input"' whole.txt

# Moments within the time that the sweep takes here and now.
begin=$(date +%s%N)
"$program" sweep sweep.json -o timed.db --keep-going --jobs 2 -q || [ $? -eq 1 ]
took=$((($(date +%s%N) - begin) / 1000))
moments=$(awk -v n="$rounds" -v us=$took 'BEGIN {
    srand(7); for (i = 0; i < n; i++) printf "%.3f\n", 0.01 + rand() * us / 1e6 }')
n_killed=0
n_done=0
for moment in $moments; do
    "$program" sweep sweep.json -o killed.db --keep-going --jobs 2 -q &
    pid=$!
    sleep "$moment"
    was_killed=no
    if kill -9 $pid 2>/dev/null; then
        was_killed=yes
        n_killed=$((n_killed + 1))
    fi
    wait $pid 2>/dev/null || true
    if [ -e killed.db ]; then # readable at any moment, and never shrinks
        now=$("$program" export killed.db --columns point | wc -l)
        [ "$now" -ge "$n_done" ] || {
            echo "FAILED: $now rows after $n_done" >&2
            exit 1
        }
        n_done=$now
        # every third time, and when nothing is left, from the beginning: so all phases are hit
        if [ $was_killed = no ] || [ $((n_killed % 3)) -eq 0 ]; then
            "$program" sweep sweep.json -o killed.db --keep-going --jobs 2 -q || [ $? -eq 1 ]
            dump killed.db >killed.txt
            cmp whole.txt killed.txt
            rm -f killed.db killed.db-wal killed.db-shm
            n_done=0
        fi
    fi
done
"$program" sweep sweep.json -o killed.db --keep-going --jobs 2 -q || [ $? -eq 1 ]
dump killed.db >killed.txt
cmp whole.txt killed.txt
[ ! -e killed.db-wal ]

# Another number of jobs, and shards merged: the same rows.
"$program" sweep sweep.json -o one.db --keep-going --jobs 1 -q || [ $? -eq 1 ]
dump one.db | cmp - whole.txt
for i in 1 2 3; do
    "$program" sweep sweep.json -o part$i.db --shard $i/3 --keep-going -q || [ $? -eq 1 ]
done
"$program" merge part1.db part2.db part3.db -o merged.db -q
dump merged.db | cmp - whole.txt

# A disk that is full (here: a limit on file sizes): an error, and what was there stays.
cp whole.db full.db
sed 's/"seeds": 200/"seeds": 4000/' sweep.json >larger.json
code=0
(trap '' XFSZ; ulimit -f 700; "$program" sweep larger.json -o full.db --keep-going -q) 2>full.err || code=$?
[ $code -eq 6 ] || { echo "FAILED: exit code $code for a full disk" >&2; cat full.err >&2; exit 1; }
[ "$("$program" export full.db --columns id --all | wc -l)" -ge "$("$program" export whole.db --columns id | wc -l)" ]

# Editing one axis runs only what is new.
sed 's/"seeds": 200/"seeds": 201/' sweep.json >edited.json
"$program" sweep edited.json -o whole.db --keep-going 2>edited.err || [ $? -eq 1 ]
grep -q '2412 points, 1200 known' edited.err || { cat edited.err >&2; exit 1; }
[ $((4 * n_killed)) -ge "$rounds" ] || {
    echo "FAILED: only $n_killed of $rounds runs were killed before their end" >&2
    exit 1
}
echo "$n_killed of $rounds runs killed; all stores equal"
