mkdir mine
echo 'not a plugin' >mine/text.so
ew compare --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy-path mine --engine fast --requests 1 >/dev/null
