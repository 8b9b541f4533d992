ew version --help
ew list -h
