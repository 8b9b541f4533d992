# The only server goes away for 15 s: who has no second device to turn to computes at the source.
cat >lost.json <<'END'
{
  "schema": "edgeweave.scenario/1",
  "graph": "edgent_alexnet",
  "platform": "edgent",
  "strategy": ["edgent", "edgent_dynamic", "neurosurgeon"],
  "arrival": "periodic:0.4",
  "requests": 20,
  "deadline_s": 1,
  "dynamics": {
    "events": [
      {"time_s": 10.2, "device": "server", "event": "down"},
      {"time_s": 25.2, "device": "server", "event": "up"}
    ]
  }
}
END
ew compare lost.json --engine fast --regimes 0
ew compare lost.json --engine fast --regimes 0 --replan on-failure
ew compare lost.json --engine simgrid --regimes 0 --replan period:1
ew plan --graph edgent_alexnet --platform edgent --devices 1 --strategy edgent_dynamic --deadline-s 1
