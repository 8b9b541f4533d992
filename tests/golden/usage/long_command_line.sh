ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local --requests 10 --arrival poisson:5 --seed x
ew run --requests zero --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local --requests 10
