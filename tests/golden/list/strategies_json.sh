ew list strategies --json
