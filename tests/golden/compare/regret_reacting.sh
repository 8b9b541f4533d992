# A node at half its speed for a while, an accuracy and a rate asked for: who reacts has no regret, neither
# in time nor in accuracy; who does not, or asks for a greater change first, is late for as long.
cat >drift.json <<'EOF'
{
  "schema": "edgeweave.scenario/1",
  "graph": "mobilenet_v1",
  "platform": "accuracy",
  "strategy": "accuracy_aware",
  "batch": 8,
  "min_accuracy": 0.66,
  "deadline_s": 0.2,
  "engine": "fast",
  "arrival": "periodic:1",
  "requests": 60,
  "dynamics": {"series": [{"device": "jetson_nano", "speed_ratio": [[20.5, 0.5], [40.5, 1]]}]}
}
EOF
ew compare drift.json
ew compare drift.json --replan on-change:10
ew compare drift.json --replan on-change:60
