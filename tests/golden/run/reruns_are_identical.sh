for engine in fast simgrid; do
    for run in 1 2; do
        "$EW_PROGRAM" run --graph tiny.json --platform tiny.xml --strategy modnn --engine $engine \
            --requests 20 --arrival poisson:30 --seed 5 --out out --json |
            sed 's/"\(plan\|run\)_time_s": [0-9.e+-]*//' >report.json
        rm out/report.json out/timing.csv
        mkdir -p $engine/$run && mv out report.json $engine/$run/
    done
    diff -r $engine/1 $engine/2 && echo "$engine: identical"
done
