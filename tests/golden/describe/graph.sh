ew describe graph "$DATA/tiny.json"
ew describe graph "$DATA/tiny.json" --json
