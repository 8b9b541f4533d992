#!/bin/sh
# tools/make_trace: the shipped synthetic traces are what it makes, conversions keep the bits that
# arrive, and wrong input is refused with file and line.
#
#     tests/data/make_trace.sh SOURCE_DIR
set -eu
source=$(cd "$1" && pwd)
tool=$source/tools/make_trace
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
failed=0

same() { # what, expected file, found file
    if ! diff "$2" "$3" >diff.txt; then
        echo "FAILED $1"
        cat diff.txt
        failed=1
    fi
}

refuses() { # expected message, arguments of the tool
    wanted=$1
    shift
    if "$tool" "$@" >found.txt 2>&1; then
        echo "FAILED make_trace $*: expected a refusal"
        failed=1
    fi
    grep -v '^time_s,' found.txt >message.txt || true
    echo "make_trace: $wanted" >wanted.txt
    same "make_trace $*" wanted.txt message.txt
}

mkdir made
sh "$source/platforms/traces/make.sh" "$work/made"
for file in made/*.csv; do
    same "$file" "$source/platforms/traces/${file#made/}" "$file"
done

# Six packets of 1500 bytes in 2 s: 4 in the first second, 2 in the second.
printf '0\n500\n1000\n1000\r\n1500 # remark\n\n2000\n' >mahimahi
printf 'time_s,bandwidth_mbit_per_s\n0,0.048\n1,0.024\n' >wanted.csv
"$tool" mahimahi mahimahi >found.csv
same "mahimahi" wanted.csv found.csv
# An interval that is cut short by the end keeps its rate: 2 packets in 0.5 s.
printf 'time_s,bandwidth_mbit_per_s\n0,0.04\n1.5,0.024\n' >wanted.csv
"$tool" mahimahi mahimahi --interval-s 1.5 >found.csv
same "mahimahi --interval-s 1.5" wanted.csv found.csv

# Header skipped, the first time becomes 0, the second value of a time is dropped.
printf 'trace,t_s,kbps\na,10,1000\nb,3,7\na,12.5,2000\na,12.5,9\na,14,4000\n' >named.csv
printf 'time_s,bandwidth_mbit_per_s\n0,1\n2.5,2\n4,4\n' >wanted.csv
"$tool" mbps named.csv --select a --unit kbit >found.csv
same "mbps --select" wanted.csv found.csv
printf 'time_s,bandwidth_mbit_per_s\n0,1.5\n3,4\n' >wanted.csv
"$tool" mbps named.csv --select a --unit kbit --every-s 3 >found.csv
same "mbps --every-s" wanted.csv found.csv

# A fit of what was generated finds it again (deviation 1 of 10 000 samples: within 5 %).
"$tool" generate --regimes 10:1:0.5:10000 --seed 7 >long.csv
"$tool" fit long.csv | awk -F: '{ exit !($1 > 9.9 && $1 < 10.1 && $2 > 0.95 && $2 < 1.05 && $3 > 0.47 && $3 < 0.53) }' || {
    echo "FAILED fit of generate: $("$tool" fit long.csv)"
    failed=1
}

# Steps of a long trace keep times of their own.
printf '0,1\n1000000.25,2\n1000000.5,3\n' >late.csv
printf 'time_s,bandwidth_mbit_per_s\n0,1\n1000000.25,2\n1000000.5,3\n' >wanted.csv
"$tool" mbps late.csv >found.csv
same "times of a long trace" wanted.csv found.csv
printf '0\n1e9\n' >exponent
printf '0\n99999999999999\n' >endless
printf '0\n9999999999999999999999\n' >beyond
printf '0\n500\n400\n' >backwards
printf '0\n-5\n' >negative
: >empty
printf 'seconds,mbit\n0,1\n' >wrong_header.csv
printf 'time_s,bandwidth_mbit_per_s\n0,nan\n' >nan.csv
refuses "backwards:3: expected ascending times, found 400 after 500" mahimahi backwards
refuses "negative:2: expected a time in ms, found '-5'" mahimahi negative
refuses "exponent:2: expected a time in ms, found '1e9'" mahimahi exponent
refuses "endless: expected at most 1e7 intervals, found 1e+11; make --interval-s longer" mahimahi endless
refuses "endless: expected at most 1e7 intervals, found inf; make --interval-s longer" mahimahi endless --interval-s 1e-320
refuses "beyond:2: expected a time of at most 1e15 ms, found 9999999999999999999999" mahimahi beyond
refuses "--packet-bytes: expected at most 1e9, found '1e308'" mahimahi mahimahi --packet-bytes 1e308
refuses "empty: expected at least one time after 0, found none" mahimahi empty
refuses "empty: expected steps, found none" mbps empty
refuses "named.csv: expected steps of 'c', found none" mbps named.csv --select c
refuses "wrong_header.csv:1: expected a header time_s,bandwidth_mbit_per_s or time_s,bandwidth_bytes_per_s, found 'seconds,mbit'" fit wrong_header.csv
refuses "nan.csv:2: expected TIME,VALUE, found '0,nan'" fit nan.csv
refuses "missing: cannot be read" fit missing
refuses "--regimes: expected MEAN:SD:AUTOCORRELATION:DURATION_S, found '1:2'" generate --regimes 1:2
refuses "--seed: expected 1..2147483646, found '0'" generate --regimes 1:1:0:1 --seed 0
refuses "generate: unknown option '--colour'" generate --colour red
exit $failed
