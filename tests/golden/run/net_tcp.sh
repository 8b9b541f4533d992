ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy offload --net tcp
ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy offload --net tcp --engine fast
