ew plan --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy offload --print task-graph
