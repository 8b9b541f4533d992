ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local --engine fast --source box
ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local --engine fast --sink hub
ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local --engine fast --source bx
ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local --engine fast --sink radio
