ew compare "$DATA/two_workloads.json"
