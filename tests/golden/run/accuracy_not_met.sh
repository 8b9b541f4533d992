ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local --engine fast --min-accuracy 0.8
