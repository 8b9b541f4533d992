#!/bin/sh
# House rules that a compiler does not check: includes go down only, libraries stay in their rooms.
set -eu
cd "$(dirname "$0")/.."
status=0
complain() { echo "check_tree: $*" >&2; status=1; }

# Layer of each folder; a file may include its own layer and lower ones.
layer_of() {
    case "$1" in
    base) echo 0 ;;
    model) echo 1 ;;
    plan) echo 2 ;;
    io | plugin) echo 3 ;;
    engine | calibrate) echo 4 ;;
    results) echo 5 ;;
    sweep) echo 6 ;;
    cli) echo 7 ;;
    *) echo 99 ;;
    esac
}

for file in $(find sim -name '*.[ch]' | sort); do
    folder=$(echo "$file" | cut -d/ -f2)
    mine=$(layer_of "$folder")
    for included in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$file" | sort -u); do
        [ "$included" != edgeweave ] || continue
        theirs=$(layer_of "$included")
        if [ "$theirs" -gt "$mine" ]; then
            complain "$file includes upwards: $included/"
        fi
        if [ "$mine" -eq 3 ] && [ "$theirs" -eq 3 ] && [ "$included" != "$folder" ]; then
            complain "$file: io and plugin must not know each other"
        fi
    done
done

only_in() { # pattern, allowed prefix
    found=$(grep -rlE "$1" sim include strategies --include='*.[ch]' | grep -v "^$2" || true)
    [ -z "$found" ] || complain "'$1' outside $2:" $found
}
only_in '#include [<"](simgrid|xbt)/' sim/engine/simgrid/
only_in '#include [<"]cjson/' sim/io/
only_in '#include [<"](pb_|.*\.pb\.h|yaml)' sim/io/
only_in '#include [<"]mpi.h' sim/sweep/mpi_module
only_in '#include [<"]sqlite3' sim/results/store
only_in '\b(strcpy|strcat|sprintf|gets|atoi|atof|strtok|rand|srand|alloca|system)[[:space:]]*\(' nowhere

# Strategies see the public header, libc, and what lies in strategies/.
found=$(grep -nE '#include "(base|model|plan|io|plugin|engine|results|sweep|cli)/' -r strategies || true)
[ -z "$found" ] || complain "strategies include the program's headers: $found"

for file in $(find sim include strategies tests bench -name '*.[ch]'); do
    lines=$(wc -l <"$file")
    [ "$lines" -le 1200 ] || complain "$file has $lines lines; 1200 is the limit"
done
exit $status
