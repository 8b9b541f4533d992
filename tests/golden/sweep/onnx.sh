# A sweep over an imported graph: points run anew when a file they read has changed.
cat >s.json <<'END'
{"schema": "edgeweave.sweep/1",
 "scenario": {"graph": "small.onnx", "platform": "tiny.xml", "engine": "fast", "strategy": "local",
              "arrival": "trace:arrivals.txt"},
 "axes": [{"key": "link.*.bandwidth_bytes_per_s", "values": [1e6, 2e6]}]}
END
printf '0\n1\n' >arrivals.txt
ew sweep s.json -o r.db
ew sweep s.json -o r.db
printf '0\n1\n2\n' >arrivals.txt
ew sweep s.json -o r.db
