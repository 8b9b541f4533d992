ew list layers --graph tiny.json
ew list layers --graph tiny.json --json
ew list layers --graph tiny.json --csv
ew list graphs --csv
