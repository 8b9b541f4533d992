ew compare --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml"
