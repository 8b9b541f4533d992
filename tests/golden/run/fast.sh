ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast
