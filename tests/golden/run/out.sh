ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine fast --requests 2 --out results
ls results
head -n 3 results/runs.csv results/devices.csv results/requests.csv
ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine fast --out /proc/nowhere
touch file
ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine fast --out file
