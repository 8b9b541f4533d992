ew validate --graph tiny.json --platform tiny.xml --engine fast
ew validate --graph tiny.json --platform tiny.xml --strategy local --kernels referense
ew validate --graph tiny.json --platform tiny.xml --strategy nobody
ew validate dynamic.json --strategy local
ew validate --graph tiny.json --platform tiny.xml --strategy local --drop-at-deadline --deadline-s 0.1
ew validate --graph tiny.json --platform tiny.xml --strategy local --network token-ring
ew validate --graph tiny.json --platform tiny.xml --strategy local --network netns --measured
