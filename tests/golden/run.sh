#!/bin/sh
# Golden tests of the command line: run each case, compare what it prints with what is on file.
#
#     tests/golden/run.sh [--update] BUILD_DIR [FILTER...]
#
# A case is tests/golden/COMMAND/FEATURE.sh with FEATURE.out beside it. In a case, `ew ARGS...` runs
# the program and shows the command, both outputs and the exit code; everything else is plain sh.
# Each case runs in a directory of its own, with its own cache, so cases may run side by side; only
# what agents have learned is handed on, so that one problem is trained for once in a run. There
# it finds links to the files of tests/golden/data, to `lib`, the program's library directory, and to
# `plugins`, the test plugins: short names, so that nothing printed depends on where the tree is.
# FILTER: COMMAND or COMMAND/FEATURE. Wall-clock fields, paths and versions are normalised.
set -eu

update=
if [ "${1:-}" = --update ]; then
    update=yes
    shift
fi
if [ $# -lt 1 ] || [ ! -x "$1/bin/edgeweave" ]; then
    echo "usage: tests/golden/run.sh [--update] BUILD_DIR [FILTER...]" >&2
    exit 2
fi
build=$(cd "$1" && pwd)
shift
golden=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

EW_PROGRAM=$build/bin/edgeweave
export EW_PROGRAM
library=$(find "$build/lib" -type d -name edgeweave | head -n 1)
unset EW_DATA_PATH EW_STRATEGY_PATH EW_SIMGRID_MODULE 2>/dev/null || true
LC_ALL=C
export LC_ALL

# What every case begins with. The command is shown as typed, not as expanded.
cat >"$work/prelude.sh" <<'PRELUDE'
ew() {
    printf '$ edgeweave'
    for word; do
        case $word in
        *[!a-zA-Z0-9_./:=,+@%-]* | '') printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    echo
    set +e
    "$EW_PROGRAM" "$@" </dev/null
    code=$?
    set -e
    [ $code -eq 0 ] || echo "[exit $code]"
}
# The same without showing anything, for steps that are not the subject.
quietly() { "$EW_PROGRAM" "$@" >/dev/null; }
set -eu
PRELUDE

normalise() {
    sed -e "s|$1|WORK|g" -e "s|$build|BUILD|g" -e "s|$golden|GOLDEN|g" \
        -e 's/"\(plan_time_s\|run_time_s\)": [0-9.e+-]*/"\1": "WALL-CLOCK"/g' \
        -e 's/^edgeweave [0-9][0-9.]* (/edgeweave VERSION (/' \
        -e 's/"\(version\|simgrid_version\)": "[0-9.]*"/"\1": "VERSION"/g' \
        -e 's/"hash_fnv1a64": "[0-9a-f]*"/"hash_fnv1a64": "HASH"/g'
}

# Copies trained actors from folder to folder.
hand_on() {
    into=$2
    set -- "$1"/*.actor
    [ -e "$1" ] || return 0
    mkdir -p "$into"
    cp -p "$@" "$into"
}

run_case() { # case file -> actual output in $work/out
    dir=$work/case
    rm -rf "$dir"
    mkdir -p "$dir/home" "$dir/in"
    learns=$(grep -w compare "$1" || true)
    [ -z "$learns" ] || hand_on "$work/learned" "$dir/home/cache/edgeweave"
    ln -s "$golden"/data/* "$dir/in/"
    ln -s "$library" "$dir/in/lib"
    ln -s "$build/tests/plugins" "$dir/in/plugins"
    (
        cd "$dir/in"
        HOME=$dir/home
        XDG_CACHE_HOME=$dir/home/cache
        export HOME XDG_CACHE_HOME
        cat "$work/prelude.sh" "$1" >"$dir/case.sh"
        sh "$dir/case.sh" 2>&1 || echo "[case failed: $?]"
    ) | normalise "$dir/in" >"$work/out"
    [ -z "$learns" ] || hand_on "$dir/home/cache/edgeweave" "$work/learned"
}

wanted() { # COMMAND/FEATURE filters...
    name=$1
    shift
    [ $# -gt 0 ] || return 0
    for filter; do
        case $name in
        "$filter" | "$filter"/*) return 0 ;;
        esac
    done
    return 1
}

n=0
failed=0
for case in "$golden"/*/*.sh; do
    name=${case#"$golden"/}
    name=${name%.sh}
    wanted "$name" "$@" || continue
    n=$((n + 1))
    run_case "$case"
    expected=${case%.sh}.out
    if [ -n "$update" ]; then
        cmp -s "$work/out" "$expected" || { cp "$work/out" "$expected" && echo "updated $name"; }
    elif ! cmp -s "$work/out" "$expected"; then
        failed=$((failed + 1))
        echo "FAILED $name"
        diff -u "$expected" "$work/out" | tail -n +3 || true
    fi
done
if [ $n -eq 0 ]; then
    echo "no golden test is called: $*" >&2
    exit 2
fi
echo "$n golden tests, $failed failed"
[ $failed -eq 0 ]
