ew compare two_workloads.json
