ew describe platform tiny.xml
ew describe platform tiny.xml --json
