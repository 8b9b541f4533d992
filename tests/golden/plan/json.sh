ew plan --graph tiny.json --platform tiny.xml --strategy local --json
