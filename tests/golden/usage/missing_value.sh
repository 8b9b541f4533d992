ew run --graph
ew run --graph --json
