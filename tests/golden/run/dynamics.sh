ew run dynamic.json
ew run dynamic.json --engine simgrid
ew run dynamic.json --on-failure retry --retry-delay-s 0.01 --max-attempts 2
ew run dynamic.json --on-failure fail --out out
cut -d, -f4,8,9,11,15 out/requests.csv
ew run dynamic.json --drop-at-deadline --deadline-s 0.05
