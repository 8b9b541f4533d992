ew run --graph tiny.json --platform tiny.xml --strategy offload --engine fast --energy-rule receiver
