ew describe graph tiny.json
ew describe graph tiny.json --json
