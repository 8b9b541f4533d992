ew describe strategy local
ew describe strategy local --json
