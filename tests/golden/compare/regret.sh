cat >slow.json <<'END'
{
  "schema": "edgeweave.scenario/1",
  "graph": "tiny.json",
  "platform": "tiny.xml",
  "strategy": ["local", "offload", "coedge"],
  "engine": "fast",
  "arrival": "periodic:10",
  "requests": 30,
  "dynamics": {"series": [{"link": "*", "bandwidth_bytes_per_s": [[0, 1e6], [1, 1e4], [2, 1e6]]}]}
}
END
ew compare slow.json --out out
cat out/regret.csv
ew compare slow.json --regimes 0
ew compare slow.json --regimes 1 --json | grep -E '"strategy"|"regret"'
ew compare slow.json --regimes many
