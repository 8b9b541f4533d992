sed '/<route/d' tiny.xml >islands.xml
ew check islands.xml
ew describe platform islands.xml
ew run --graph tiny.json --platform islands.xml --strategy local --engine fast
ew run --graph tiny.json --platform islands.xml --strategy modnn --engine fast
ew run --graph tiny.json --platform islands.xml --strategy local --engine fast --sink box
