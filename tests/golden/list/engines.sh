ew list engines
ew list engines --json
