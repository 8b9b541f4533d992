ew compare --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local,offload --engine fast --deadline-s 0.02
