ew run --graph tiny.json --platform tiny.xml --engine fast --strategy plugins/good.so
