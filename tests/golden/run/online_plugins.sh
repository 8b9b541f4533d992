# A strategy that observes: the same decisions on both engines; and those that misbehave while observing.
for engine in fast simgrid; do
    ew run dynamic.json --replan on-change:10 --engine $engine --strategy-path plugins/online.so --strategy online.good
done
for kind in abort exit segfault positive nothing two unknown_device no_reason cannot short null; do
    echo "--- $kind"
    "$EW_PROGRAM" run dynamic.json --replan on-change:10 --engine fast --strategy-path plugins/online.so --strategy online.$kind || echo "[exit $?]"
done
# Jobs under way go along: the same on both engines.
for engine in fast simgrid; do
    ew run dynamic.json --replan on-change:10 --engine $engine --strategy-path plugins/online.so --strategy online.mover
done
