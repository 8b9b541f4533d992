ew plan --graph tiny.json --platform tiny.xml --strategy modnn --save-plan modnn.json --print plan
ew run --graph tiny.json --platform tiny.xml --plan modnn.json --engine fast
ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine fast
ew run --graph tiny.json --platform tiny.xml --strategy modnn --plan modnn.json
ew run --graph tiny.json --platform tiny.xml --plan modnn.json --engine fast --batch 2
ew run --graph tiny.json --platform tiny.xml --plan modnn.json --engine fast --source hub
ew run --graph tiny.json --platform tiny.xml --plan none.json --engine fast
