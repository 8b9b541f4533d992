ew run two_workloads.json
ew run two_workloads.json --strategy local --requests 3
ew run two_workloads.json --strategy local --requests 3 --engine simgrid
