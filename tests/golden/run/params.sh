ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine fast --param exchange=direct
ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine fast --param modnn.exchange=direct
ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine fast --param exchange=telepathy
ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine fast --param exchang=direct
ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine fast --param coedge.exchange=direct
