ew plan --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy modnn --save-plan modnn.json --print plan
ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --plan modnn.json --engine fast
ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy modnn --engine fast
ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy modnn --plan modnn.json
ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --plan modnn.json --engine fast --batch 2
ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --plan modnn.json --engine fast --source hub
ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --plan none.json --engine fast
