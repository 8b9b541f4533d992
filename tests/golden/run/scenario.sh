ew run "$DATA/two_workloads.json"
ew run "$DATA/two_workloads.json" --strategy local --requests 3
ew run "$DATA/two_workloads.json" --strategy local --requests 3 --engine simgrid
