ew run --graph tiny.json --platform tiny.xml --strategy offload --net tcp
ew run --graph tiny.json --platform tiny.xml --strategy offload --net tcp --engine fast
