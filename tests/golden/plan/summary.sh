ew plan --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local
ew plan --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy modnn
