# Times of an execution are never the same twice; answers are. Columns up to the tolerance.
ew validate --graph tiny.json --platform tiny.xml --strategy local,modnn,offload --requests 3 --arrival closed:2 --out out >table.txt
head -n 1 table.txt
cut -d, -f1-6 out/validation.csv
cut -d, -f1-8 out/validation_tasks.csv | grep '^modnn,0,0' | sort -t, -k4n
cut -d, -f1-5 out/validation_parts.csv | grep '^modnn' | sort
head -n 1 out/validation_parts.csv
