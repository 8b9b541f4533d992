ew compare --graph tiny.json --platform tiny.xml --strategy local,offload --engine fast --deadline-s 0.02
