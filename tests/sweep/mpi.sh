#!/bin/sh
# Sweeps by several ranks of MPI: the same rows as one process, also when ranks or workers die.
#
#     tests/sweep/mpi.sh BUILD_DIR
set -eu
[ $# -eq 1 ] && [ -x "$1/bin/edgeweave" ] || {
    echo "usage: tests/sweep/mpi.sh BUILD_DIR" >&2
    exit 2
}
program=$(cd "$1" && pwd)/bin/edgeweave
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
HOME=$work
XDG_CACHE_HOME=$work/cache
OMPI_ALLOW_RUN_AS_ROOT=1
OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
OMPI_MCA_rmaps_base_oversubscribe=1
OMPI_MCA_hwloc_base_binding_policy=none
PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
export HOME XDG_CACHE_HOME OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM \
    OMPI_MCA_rmaps_base_oversubscribe OMPI_MCA_hwloc_base_binding_policy \
    PRTE_MCA_rmaps_default_mapping_policy

# Some points fail (there is no such platform), some strategies cannot serve one device. The many
# requests make it last long enough to be killed midway.
cat >sweep.json <<'SWEEP'
{
  "schema": "edgeweave.sweep/1",
  "scenario": {"graph": "alexnet", "engine": "fast", "requests": 40},
  "axes": [
    {"key": "platform", "values": ["demo", "no_such_platform"]},
    {"key": "devices", "values": [1, 3]},
    {"key": "strategy", "values": ["local", "offload", "modnn"]},
    {"seeds": 300}
  ]
}
SWEEP

dump() { # store -> all rows without wall-clock columns
    for table in runs devices failures; do
        "$program" export "$1" --table $table --format jsonl |
            sed -e 's/, "plan_time_s": [^,}]*//' -e 's/, "run_time_s": [^,}]*//'
    done
}

fail() {
    echo "FAILED: $*" >&2
    cat ./*.err >&2
    exit 1
}

sweep() { # store, mpirun options: in the background; each rank notes its process
    store=$1
    shift
    rm -f pid.*
    # shellcheck disable=SC2016
    timeout 120 mpirun "$@" sh -c 'echo $$ >pid.$OMPI_COMM_WORLD_RANK; exec "$0" "$@"' \
        "$program" sweep sweep.json -o "$store" --keep-going 2>"$store.err" &
    runner=$!
}

wait_for_rows() { # store: until a good part is done
    n=0
    until [ -e "$1" ] && [ "$("$program" export "$1" --columns status --where "status = 'ok'" | wc -l)" -ge 200 ]; do
        n=$((n + 1))
        [ $n -lt 300 ] || fail "$1: nothing is done"
        sleep 0.05
    done
}

"$program" sweep sweep.json -o one.db --keep-going --jobs 1 -q || [ $? -eq 1 ]
dump one.db >one.txt
[ "$(grep -c '"status": "ok"' one.txt)" -ge 1500 ]

# Three ranks, undisturbed.
code=0
sweep three.db -n 3
wait $runner || code=$?
[ $code -eq 1 ] || fail "exit code $code, expected 1 (some points fail)"
dump three.db | cmp - one.txt || fail "three ranks differ from one process"

# One rank killed midway: its points are done by the other.
sweep killed.db -n 3 --enable-recovery
wait_for_rows killed.db
kill -9 "$(cat pid.1)"
wait $runner || fail "exit code $? after the death of a rank"
dump killed.db | cmp - one.txt || fail "rows are missing after the death of a rank"
grep -q '1 of 3 ranks died' killed.db.err || fail "nothing is said of the death"

# All others killed: rank 0 goes on alone.
sweep alone.db -n 3 --enable-recovery
wait_for_rows alone.db
kill -9 "$(cat pid.1)" "$(cat pid.2)"
wait $runner || fail "exit code $? after the death of all other ranks"
dump alone.db | cmp - one.txt || fail "rows are missing after the death of all other ranks"

# The processes under a rank killed: mpirun does not even notice.
sweep workers.db -n 3
wait_for_rows workers.db
pkill -9 -P "$(cat pid.2)"
code=0
wait $runner || code=$?
[ $code -eq 1 ] || fail "exit code $code after the death of worker processes"
dump workers.db | cmp - one.txt || fail "rows are missing after the death of worker processes"

# Without --enable-recovery mpirun ends all; the same command goes on.
sweep ended.db -n 3
wait_for_rows ended.db
kill -9 "$(cat pid.1)"
wait $runner && fail "mpirun ended well though a rank died"
sweep ended.db -n 3
wait $runner || [ $? -eq 1 ]
dump ended.db | cmp - one.txt || fail "rows are missing after going on"
echo "all stores equal"
