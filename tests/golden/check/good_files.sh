ew check "$DATA/tiny.json" "$DATA/tiny.xml" "$DATA/two_workloads.json"
