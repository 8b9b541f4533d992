sed 's/latency="0.5ms"/latency="0"/' tiny.xml >mixed.xml
ew run --graph tiny.json --platform mixed.xml --strategy local --engine fast
ew run --graph tiny.json --platform mixed.xml --strategy local --engine fast -q
