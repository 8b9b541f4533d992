ew compare --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local,modnn,coedge --engine fast --param exchange=direct
ew compare --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local,modnn --engine fast --param depth=3
ew compare --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local,modnn --engine fast --param offload.depth=3
