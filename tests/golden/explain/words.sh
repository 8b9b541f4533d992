# Words and tables; numbers are checked by tests/explain/check.py.
ew explain --graph tiny.json --platform tiny.xml --strategy modnn,offload --engine fast --range 1e5:1e7
ew explain --graph tiny.json --platform tiny.xml --strategy local --engine fast --requests 3 --arrival poisson:50 --request 2 --path-only
ew explain --graph tiny.json --platform tiny.xml --strategy modnn --engine fast --request 9
ew explain --graph tiny.json --platform tiny.xml --strategy modnn,local --engine fast --path-only --link radoi
