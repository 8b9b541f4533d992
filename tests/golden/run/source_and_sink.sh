ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --source box
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --sink hub
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --source bx
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --sink radio
