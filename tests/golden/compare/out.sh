ew compare --graph tiny.json --platform tiny.xml --strategy local,modnn --engine fast --requests 2 --out results
ls results
cat results/runs.csv
