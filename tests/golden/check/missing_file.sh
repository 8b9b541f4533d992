ew check nothing.json
ew check "$DATA/tiny.json" nothing.json nothing.xml
ew check .
