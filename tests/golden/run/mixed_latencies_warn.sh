sed 's/latency="0.5ms"/latency="0"/' "$DATA/tiny.xml" >mixed.xml
ew run --graph "$DATA/tiny.json" --platform mixed.xml --strategy local --engine fast
ew run --graph "$DATA/tiny.json" --platform mixed.xml --strategy local --engine fast -q
