ew plan --graph tiny.json --platform tiny.xml --strategy offload --print task-graph
