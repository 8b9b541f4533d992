ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --deadline-s 0.04 --requests 4
