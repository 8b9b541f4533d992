mkdir mine
echo 'not a plugin' >mine/text.so
ew compare --graph tiny.json --platform tiny.xml --strategy-path mine --engine fast --requests 1 >/dev/null
