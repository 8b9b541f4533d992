ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --arrival trace:none.txt
printf '0\nsoon\n' >word.txt
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --arrival trace:word.txt
printf '1\n0.5\n' >back.txt
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --arrival trace:back.txt
printf '# nothing\n' >empty.txt
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --arrival trace:empty.txt
printf -- '-1\n' >negative.txt
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --arrival trace:negative.txt
printf 'inf\n' >inf.txt
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --arrival trace:inf.txt
