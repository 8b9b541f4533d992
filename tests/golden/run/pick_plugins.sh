# Strategies that pick the plan of every job: the same decisions on both engines, with and without
# batches; and those that misbehave while picking.
for engine in fast simgrid; do
    ew run dynamic.json --engine $engine --strategy-path plugins/pick.so --strategy pick.good
    ew run --graph tiny.json --platform tiny.xml --arrival burst:6:20 --requests 24 --batch 4 --requests-per-job 4 --engine $engine --strategy-path plugins/pick.so --strategy pick.good
done
ew run --graph tiny.json --platform tiny.xml --engine fast --requests 4 --strategy-path plugins/pick.so --strategy pick.random
ew run dynamic.json --replan on-change:10 --strategy-path plugins/pick.so --strategy pick.good
for kind in preset abort exit segfault positive unknown_plan too_many none no_reason cannot looks absent; do
    for engine in fast simgrid; do
        echo "--- $kind $engine"
        "$EW_PROGRAM" run --graph tiny.json --platform tiny.xml --engine $engine --requests 3 --strategy-path plugins/pick.so --strategy pick.$kind >/dev/null || echo "[exit $?]"
    done
done
echo "--- loop"
"$EW_PROGRAM" run --graph tiny.json --platform tiny.xml --engine fast --requests 3 --plan-limit-s 0.5 --strategy-path plugins/pick.so --strategy pick.loop || echo "[exit $?]"
