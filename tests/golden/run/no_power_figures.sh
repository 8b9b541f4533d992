sed '/_w"\|wattage/d' tiny.xml >no_power.xml
ew run --graph tiny.json --platform no_power.xml --strategy local --engine fast
