ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local --requests 3
