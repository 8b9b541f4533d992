for strategy in local offload modnn coedge; do
    for engine in fast simgrid; do
        "$EW_PROGRAM" run --graph tiny.json --platform tiny.xml --strategy $strategy --engine $engine --requests 5 --arrival poisson:30 >$engine.txt
    done
    cmp fast.txt simgrid.txt && echo "$strategy: equal tables"
done
