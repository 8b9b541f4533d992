ew describe platform "$DATA/tiny.xml"
ew describe platform "$DATA/tiny.xml" --json
