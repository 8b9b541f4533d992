ew compare --graph tiny.json --platform tiny.xml --engine fast --strategy-path plugins/hostile.so --strategy local,hostile.abort,hostile.cannot
