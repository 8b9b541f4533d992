ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local --engine fast --requests 5 --min-throughput-per-s 100
