ew compare --graph tiny.json --platform tiny.xml --strategy local,modnn,coedge --engine fast --param exchange=direct
ew compare --graph tiny.json --platform tiny.xml --strategy local,modnn --engine fast --param depth=3
ew compare --graph tiny.json --platform tiny.xml --strategy local,modnn --engine fast --param offload.depth=3
