sed '/_w"\|wattage/d' "$DATA/tiny.xml" >no_power.xml
ew run --graph "$DATA/tiny.json" --platform no_power.xml --strategy local --engine fast
