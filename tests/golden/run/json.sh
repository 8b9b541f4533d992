ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy modnn --engine fast --json
