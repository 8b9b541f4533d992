ew compare --graph tiny.json --platform tiny.xml
