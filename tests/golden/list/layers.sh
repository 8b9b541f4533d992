ew list layers --graph tiny.json
ew list layers --graph tiny.json --json
