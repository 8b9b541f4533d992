# A point that takes too long costs only itself.
cat >s.json <<'END'
{"schema": "edgeweave.sweep/1", "time_limit_s": 1,
 "scenario": {"graph": "tiny.json", "platform": "tiny.xml", "engine": "fast", "strategy": "local"},
 "axes": [{"key": "requests", "values": [1, 1000000000, 2]}]}
END
ew sweep s.json -o r.db --keep-going
ew export r.db --columns point,requests,status,error,completed
