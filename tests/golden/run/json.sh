ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine fast --json
