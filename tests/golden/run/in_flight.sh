# A plan that comes into force in the middle of a job: the job keeps its own, or moves; and an attempt
# that resumes with what is left. The same on both engines.
cat >slow.json <<'EOF'
{
  "schema": "edgeweave.scenario/1",
  "graph": "vgg16",
  "platform": "demo",
  "strategy": "offload",
  "batch": 8,
  "dynamics": {"series": [{"device": "tx2", "speed_ratio": [[0, 1], [1, 0.05]]}]},
  "replan": "on-change:10"
}
EOF
cat >gone.json <<'EOF'
{
  "schema": "edgeweave.scenario/1",
  "graph": "vgg16",
  "platform": "demo",
  "strategy": "neurosurgeon",
  "batch": 8,
  "dynamics": {"events": [{"time_s": 2.5575, "link": "pi4_a_wifi", "event": "down"}, {"time_s": 4, "link": "pi4_a_wifi", "event": "up"}],
               "next_attempt": "resume"}
}
EOF
for engine in fast simgrid; do
    for way in keep move; do
        ew run slow.json --engine $engine --in-flight $way
    done
    for way in anew resume; do
        ew run gone.json --engine $engine --next-attempt $way
    done
done
ew run slow.json --in-flight stay
ew run slow.json --next-attempt never
sed 's/"replan"/"in_flight": "stay", "replan"/' slow.json >bad.json
ew run bad.json
sed 's/"resume"/"never"/' gone.json >bad.json
ew run bad.json
