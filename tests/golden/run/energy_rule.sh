ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy offload --engine fast --energy-rule receiver
