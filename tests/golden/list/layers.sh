ew list layers --graph "$DATA/tiny.json"
ew list layers --graph "$DATA/tiny.json" --json
