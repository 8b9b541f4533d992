ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local --engine fast
