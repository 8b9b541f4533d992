ew compare --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local,modnn --engine fast --requests 2 --out results
ls results
cat results/runs.csv
