#!/bin/sh
# Rewrite what golden tests expect from what the program prints now. Read the diff before you
# commit it. Usage: tools/update_golden.sh [BUILD_DIR] [FILTER...]
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
[ $# -eq 0 ] || shift
exec tests/golden/run.sh --update "$build" "$@"
