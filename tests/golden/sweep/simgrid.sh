# SimGrid starts once per platform and forks a child per point: the same figures as `run`, to the
# last digit, and a crash or a time limit costs only its point.
cat >s.json <<'END'
{"schema": "edgeweave.sweep/1",
 "scenario": {"graph": "tiny.json", "platform": "tiny.xml", "engine": "simgrid"},
 "axes": [
  {"key": "devices", "values": [2, 3]},
  {"key": "strategy", "values": ["local", "offload", "modnn"]},
  {"seeds": 2}]}
END
ew sweep s.json -o r.db --jobs 2
ew export r.db --columns devices,strategy,latency_mean_s,energy_j --where "seed = 2"
for strategy in local offload modnn; do
    "$EW_PROGRAM" run --graph tiny.json --platform tiny.xml --strategy $strategy --seed 2 --json |
        sed -n 's/.*"latency_s": {"mean": \([^,]*\),.*/run: \1/p; s/^ *"energy_j": {"total": \([^,]*\),.*/run: \1/p'
done
cat >bad.json <<'END'
{"schema": "edgeweave.sweep/1", "time_limit_s": 2,
 "scenario": {"graph": "tiny.json", "platform": "tiny.xml", "engine": "simgrid"},
 "axes": [
  {"key": "strategy", "values": ["local", "hostile.abort", "offload"]},
  {"key": "requests", "values": [1, 1000000000, 2]}],
 "exclude": [{"strategy": ["hostile.abort", "offload"], "requests": 1000000000}]}
END
ew sweep bad.json -o b.db --strategy-path plugins/hostile.so --keep-going --jobs 2
ew export b.db --columns strategy,requests,status,completed
