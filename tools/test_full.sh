#!/bin/sh
# The long checks of tools/test.sh --full. Assumes that the packages are there.
set -eu
cd "$(dirname "$0")/.."
minutes=${EW_FUZZ_MINUTES:-10}
step() { printf '\n== %s\n' "$*"; }
failed=

step "clang, warnings are errors"
cmake --preset clang >/dev/null
cmake --build --preset clang || failed="$failed clang"

step "large random sets"
EW_FULL=1 CK_DEFAULT_TIMEOUT=1200 ctest --preset release -R 'differential|property|bound_engine|op_field|strategies|accuracy_aware|engine.continue|engine.pick|all_models|changing_world|sweep.kill' || failed="$failed random"

step "networks split by every strategy; models of full size against PyTorch, where it is there"
EW_FULL=1 tests/engine/split_models.sh build/release || failed="$failed split"
if python3 -c 'import torch, torchvision' 2>/dev/null; then
    outputs=$(mktemp -d)
    tools/make_outputs.py --large "$outputs" &&
        EW_OUTPUTS=$outputs CK_DEFAULT_TIMEOUT=1200 build/release/tests/test_outputs ||
        failed="$failed outputs"
    rm -rf "$outputs"
fi

step "valgrind: compare with the fast engine"
valgrind --quiet --error-exitcode=99 --suppressions=tests/valgrind.supp --leak-check=full --errors-for-leak-kinds=definite \
    build/release/bin/edgeweave compare --graph vgg16 --platform demo --engine fast --json \
    --param distredge.episodes=20 >/dev/null || failed="$failed valgrind"

step "all of DistrEdge's experiments from nothing, within an hour on two cores"
timeout 3600 build/release/bin/edgeweave reproduce distredge --no-cache --jobs 2 >/dev/null ||
    failed="$failed reproduce"

step "real execution: answers, times and faults, each many times"
EW_FULL=1 CK_DEFAULT_TIMEOUT=1800 ctest --preset release -R 'engine.(exec|netns)' --timeout 7200 || failed="$failed exec"

step "real execution: 1,000 requests through four workers, under sanitizer and valgrind"
cmake --preset asan >/dev/null
cmake --build --preset asan --target edgeweave edgeweave-worker strategy_modnn edgeweave_simgrid
tools/exec_stream.sh build/asan build/release || failed="$failed stream"

step "the validation set"
tools/validation_table.sh build/release/bin/edgeweave || failed="$failed validation"

step "fuzzing, $minutes minutes in all"
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
set -- build/fuzz/bin/fuzz_*
seconds=$((minutes * 60 / $#))
for program in "$@"; do
    name=$(basename "$program")
    work=$(mktemp -d)
    "$program" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=0 \
        -artifact_prefix="$work/" "$work" "tests/fuzz/corpus/${name#fuzz_}" 2>"$work/log" || {
        tail -20 "$work/log"
        failed="$failed $name"
    }
    rm -rf "$work"
done

[ -z "$failed" ] || { printf '\nFAILED:%s\n' "$failed"; exit 1; }
