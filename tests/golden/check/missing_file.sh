ew check nothing.json
ew check tiny.json nothing.json nothing.xml
ew check .
