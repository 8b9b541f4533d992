ew run --graph tiny.json --platform tiny.xml --strategy local --requests 3
