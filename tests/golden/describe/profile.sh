cat >slow.json <<'JSON'
{"schema": "edgeweave.profile/1", "name": "slow", "kind": "rate", "source": "made up", "confidence": "none", "flops_per_s": 1e6}
JSON
ew describe profile ./slow.json
ew describe profile ./slow.json --json
