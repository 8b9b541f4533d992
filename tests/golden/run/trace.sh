printf '0\n0.01  # a burst\n\n0.02\n1\n' >times.txt
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --arrival trace:times.txt
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --arrival trace:times.txt --requests 2
