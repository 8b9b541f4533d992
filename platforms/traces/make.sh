#!/bin/sh
# Write the synthetic traces of this folder anew. Their parameters are explained in README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-$here}
make_trace=$here/../../tools/make_trace

wifi() { # number, regimes, seed
    "$make_trace" generate --regimes "$2" --step-s 6 --seed "$3" --least 32 --most 109 >"$to/wifi_fluctuating_$1.csv"
}
wifi 1 78:8.45:0.12:1200,67:8.45:0.12:1200,74:8.45:0.12:1200 1
wifi 2 88:9.35:0.12:1200,83:9.35:0.12:1200,78:9.35:0.12:1200 2
wifi 3 79:8.56:0.12:1200,69:8.56:0.12:1200,75:8.56:0.12:1200 3
wifi 4 79:8.59:0.12:1200,79:8.59:0.12:1200,78:8.59:0.12:1200 4
"$make_trace" generate --step-s 1 --seed 5 --least 0.1 --most 10 --rounds 4 --regimes \
    7.82:0.933:0.504:30,3.97:2.84:0.857:30,5.27:1.28:0.718:30,5.93:1.58:0.686:30,7.54:0.521:0.173:30,5.11:0.818:0:30 \
    >"$to/lte_bus.csv"
