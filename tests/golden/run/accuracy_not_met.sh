ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --min-accuracy 0.8
