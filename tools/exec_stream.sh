#!/bin/sh
# Streams requests through four workers and looks for leaks and errors: with a build under the address
# sanitizer, and a few under valgrind with another build. tools/test.sh --full calls it.
#
#     tools/exec_stream.sh ASAN_BUILD_DIR BUILD_DIR [REQUESTS]
set -eu
asan=$1
build=$(cd "$2" && pwd)
requests=${3:-1000}
graph=$(cd "$(dirname "$0")/.." && pwd)/tests/golden/data/tiny.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# stream PROGRAM REQUESTS: a worker that leaks or errs says so on standard error or ends badly
stream() {
    "$1" run --graph "$graph" --platform emulated_4 --strategy modnn --engine exec --measured \
        --requests "$2" --arrival closed:4 --json >"$work/out" 2>"$work/err" || {
        cat "$work/err"
        return 1
    }
    grep -q "\"completed\": $2," "$work/out"
    [ ! -s "$work/err" ] || { cat "$work/err"; return 1; }
}

stream "$asan/bin/edgeweave" "$requests"
echo "address sanitizer: $requests requests, nothing found"

mkdir -p "$work/bin"
ln -s "$build/share" "$work/share"
ln -s "$build/lib" "$work/lib"
cp "$build/bin/edgeweave" "$work/bin/"
cat >"$work/bin/edgeweave-worker" <<WORKER
#!/bin/sh
exec valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
    "$build/bin/edgeweave-worker" "\$@"
WORKER
chmod +x "$work/bin/edgeweave-worker"
few=$((requests / 50 + 1))
stream "$work/bin/edgeweave" "$few"
echo "valgrind: $few requests, nothing found"
