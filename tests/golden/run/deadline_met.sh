ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local --engine fast --deadline-s 0.04 --requests 4
