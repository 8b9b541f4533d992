ew compare --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy offload,local --strategy modnn --engine fast
