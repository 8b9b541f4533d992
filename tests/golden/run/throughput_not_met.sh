ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --requests 5 --min-throughput-per-s 100
