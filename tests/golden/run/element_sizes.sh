ew run --graph tiny.json --platform tiny.xml --strategy offload --engine fast --input-bytes-per-element 1
ew run --graph tiny.json --platform tiny.xml --strategy offload --engine fast --activation-bytes-per-element 2
