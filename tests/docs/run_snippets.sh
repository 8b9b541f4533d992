#!/bin/sh
# Runs what the documents show.
#
#     tests/docs/run_snippets.sh [--update] BUILD_DIR [FILE.md...]
#
# Without files: README.md and docs/*.md. The word after a fence's language says what to do; fences
# without one are left alone. Blocks of one document run in order, in one empty directory.
#
#     ```sh run          run it with `edgeweave` on the PATH; it must exit with 0
#     ```sh run=3        … with 3
#     ```json file=NAME  keep it as NAME for the blocks that follow (any language)
#     ```text help=CMD   must be what `edgeweave help CMD` prints (CMD `all`: `edgeweave help`);
#                        --update rewrites it
set -eu

update=
if [ "${1:-}" = --update ]; then
    update=yes
    shift
fi
if [ $# -lt 1 ] || [ ! -x "$1/bin/edgeweave" ]; then
    echo "usage: tests/docs/run_snippets.sh [--update] BUILD_DIR [FILE.md...]" >&2
    exit 2
fi
build=$(cd "$1" && pwd)
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ $# -eq 0 ]; then
    set -- "$root"/README.md "$root"/docs/*.md
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
PATH=$build/bin:$PATH
HOME=$work/home
XDG_CACHE_HOME=$work/home/cache
LC_ALL=C
export PATH HOME XDG_CACHE_HOME LC_ALL
mkdir "$work/home"
failed=0
n=0

complain() {
    echo "FAILED $*"
    failed=$((failed + 1))
}

# Writes each marked block of a document to BLOCKS/NNN, with its mark and line in BLOCKS/index.
split() {
    awk -v dir="$2" '
        /^```/ && !inside {
            if ($2 != "") {
                block++
                name = sprintf("%s/%03d", dir, block)
                printf "%03d %s %d\n", block, $2, NR >(dir "/index")
                printf "" >name
            } else {
                name = ""
            }
            inside = 1
            next
        }
        /^```/ { inside = 0; if (name != "") close(name); name = ""; next }
        inside && name != "" { print >name }
    ' "$1"
    [ -e "$2/index" ] || : >"$2/index"
}

# The document again, with the help blocks as they should be.
rewrite() {
    awk -v dir="$2" '
        /^```/ && !inside {
            print
            inside = 1
            skip = 0
            if ($2 != "") {
                block++
                if ($2 ~ /^help=/) {
                    skip = 1
                    file = sprintf("%s/%03d.help", dir, block)
                    while ((getline line <file) > 0) print line
                    close(file)
                }
            }
            next
        }
        /^```/ { inside = 0; skip = 0 }
        !skip { print }
    ' "$1"
}

print_help() {
    if [ "$1" = all ]; then edgeweave help; else edgeweave help "$1"; fi
}

for document; do
    [ -e "$document" ] || continue
    name=${document#"$root"/}
    blocks=$work/blocks
    rm -rf "$blocks" "$work/run"
    mkdir "$blocks" "$work/run"
    split "$document" "$blocks"
    outdated=
    while read -r block mark line; do
        n=$((n + 1))
        case $mark in
        run | run=*)
            wanted=${mark#run}
            wanted=${wanted#=}
            code=0
            (cd "$work/run" && sh -eu "$blocks/$block") >"$work/log" 2>&1 </dev/null || code=$?
            if [ $code -ne "${wanted:-0}" ]; then
                complain "$name:$line: exit code $code, expected ${wanted:-0}"
                sed 's/^/    /' "$work/log"
            fi
            ;;
        file=*)
            file=${mark#file=}
            mkdir -p "$work/run/$(dirname "$file")"
            cp "$blocks/$block" "$work/run/$file"
            ;;
        help=*)
            print_help "${mark#help=}" >"$blocks/$block.help"
            cmp -s "$blocks/$block" "$blocks/$block.help" || {
                outdated=yes
                [ -n "$update" ] || complain "$name:$line: not what the program prints (--update)"
            }
            ;;
        *) complain "$name:$line: unknown mark '$mark'" ;;
        esac
    done <"$blocks/index"
    if [ -n "$update" ] && [ -n "$outdated" ]; then
        rewrite "$document" "$blocks" >"$work/new" && cat "$work/new" >"$document"
        echo "updated $name"
    fi
done
echo "$n blocks, $failed failed"
[ $failed -eq 0 ]
