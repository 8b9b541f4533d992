ew validate --graph tiny.json --platform tiny.xml --engine fast
ew validate --graph tiny.json --platform tiny.xml --strategy local --kernels referense
ew validate --graph tiny.json --platform tiny.xml --strategy nobody
ew validate dynamic.json --strategy local
