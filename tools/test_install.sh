#!/bin/sh
# Install into an empty folder, build the plugin template against that copy alone, and let the
# installed program check and run it. Usage: tools/test_install.sh BUILD_DIR
set -eu
build=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >/dev/null
cp -r "$source/strategies/template" "$work/template"
cmake -S "$work/template" -B "$work/template/build" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$work/prefix" -DEDGEWEAVE_INCLUDE_DIR="$work/prefix/include" >/dev/null
cmake --build "$work/template/build" >/dev/null
plugin=$(find "$work/template/build" -name '*.so' | head -n 1)
cd "$work"
"$work/prefix/bin/edgeweave" plugin-check "$plugin"
"$work/prefix/bin/edgeweave" compare --graph alexnet --platform demo --engine fast \
    --strategy-path "$(dirname "$plugin")" >/dev/null
echo "install: the template plugin builds, checks and runs against the installed copy"
