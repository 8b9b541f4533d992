ew check tiny.json tiny.xml two_workloads.json
