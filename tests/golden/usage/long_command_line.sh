ew run --graph tiny.json --platform tiny.xml --strategy local --requests 10 --arrival poisson:5 --seed x
ew run --requests zero --graph tiny.json --platform tiny.xml --strategy local --requests 10
