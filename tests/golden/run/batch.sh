ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --batch 4
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --batch 4 --requests-per-job 4 --requests 8 --arrival closed:4
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --batch 4 --requests-per-job 3
