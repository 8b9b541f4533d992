ew help
ew --help
ew -h
