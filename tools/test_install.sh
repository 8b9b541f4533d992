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

# The same without CMake, as the guide says; the installed program finds it in its own folder.
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name edgeweave.pc)")
export PKG_CONFIG_PATH
strategies=$(pkg-config --variable=strategiesdir edgeweave)
# shellcheck disable=SC2046 # words
cc -std=c11 -fPIC -shared -fvisibility=hidden $(pkg-config --cflags edgeweave) \
    -o "$strategies/mylab.fastest.so" "$source/strategies/template/my_strategy.c" -lm
"$work/prefix/bin/edgeweave" run --graph alexnet --platform demo --engine fast \
    --strategy mylab.fastest >/dev/null
echo "install: the template plugin builds, checks and runs against the installed copy"
