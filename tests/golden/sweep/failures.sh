# Every way to fail is one row; the other points are done.
cat >s.json <<'END'
{"schema": "edgeweave.sweep/1",
 "scenario": {"graph": "tiny.json", "platform": "tiny.xml", "engine": "fast"},
 "axes": [{"key": "strategy", "values": ["local", "hostile.abort", "hostile.segfault",
  "hostile.no_reason", "hostile.overlap", "no_such_strategy", "offload"]},
  {"key": "graph", "values": ["tiny.json", "broken.json"]}]}
END
echo '{' >broken.json
ew sweep s.json -o r.db --strategy-path plugins/hostile.so --keep-going --jobs 2 -q
ew export r.db --columns point,strategy,graph,status,latency_mean_s
ew export r.db --table failures --format jsonl --columns strategy,status,error --where "graph = 'tiny.json'"
# without --keep-going nothing more is begun
ew sweep s.json -o stop.db --strategy-path plugins/hostile.so --jobs 1 -q
