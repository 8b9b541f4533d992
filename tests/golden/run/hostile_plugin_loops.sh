ew run --graph tiny.json --platform tiny.xml --engine fast --strategy-path plugins/hostile.so --strategy hostile.loop --plan-limit-s 0.5
