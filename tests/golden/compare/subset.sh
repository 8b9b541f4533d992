ew compare --graph tiny.json --platform tiny.xml --strategy offload,local --strategy modnn --engine fast
