# An engine that deadlocks, dies or hangs costs one point each time, whether or not SimGrid is
# started once for several points.
cat >s.json <<'END'
{"schema": "edgeweave.sweep/1", "time_limit_s": 1,
 "scenario": {"graph": "tiny.json", "platform": "tiny.xml", "strategy": "local", "engine": "simgrid"},
 "axes": [{"key": "devices", "values": [2, 3]}, {"seeds": 5}]}
END
sed 's/"seeds": 5/"seeds": {"from": 2, "count": 3}/' s.json >few.json
EW_SIMGRID_MODULE=plugins/faulty_engine.so
export EW_SIMGRID_MODULE
for sweep in s few; do
    ew sweep $sweep.json -o $sweep.db --keep-going --jobs 2 -q
    ew export $sweep.db --columns devices,seed,status,error,completed
done
unset EW_SIMGRID_MODULE
ew sweep s.json -o s.db --keep-going
