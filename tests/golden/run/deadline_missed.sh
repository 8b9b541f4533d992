ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --deadline-s 0.02 --requests 4
