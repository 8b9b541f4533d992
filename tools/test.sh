#!/bin/sh
# Set up, build and run all tests. `--full` adds what takes longer: large random sets, fuzzing,
# valgrind, clang and coverage builds.
set -eu
cd "$(dirname "$0")/.."
full=
case "${1:-}" in
'') ;;
--full) full=yes ;;
*)
    echo "usage: tools/test.sh [--full]" >&2
    exit 2
    ;;
esac

step() { printf '\n== %s\n' "$*"; }
failed=

step "packages"
tools/setup.sh

step "layers and house rules"
tools/check_tree.sh || failed="$failed check_tree"

step "release build"
cmake --preset release >/dev/null
cmake --build --preset release

step "tests (release)"
ctest --preset release -j 2 || failed="$failed release"

step "sanitizer build (ASan, UBSan, LeakSanitizer)"
cmake --preset asan >/dev/null
cmake --build --preset asan

step "tests (sanitizers)"
ctest --preset asan -j 2 || failed="$failed asan"

step "plugin template, out of tree against an installed copy"
tools/test_install.sh build/release || failed="$failed install"

if [ -n "$full" ]; then
    tools/test_full.sh || failed="$failed full"
fi

if [ -n "$failed" ]; then
    printf '\nFAILED:%s\n' "$failed"
    exit 1
fi
printf '\nAll tests passed.\n'
