ew version --json
