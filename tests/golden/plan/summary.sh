ew plan --graph tiny.json --platform tiny.xml --strategy local
ew plan --graph tiny.json --platform tiny.xml --strategy modnn
