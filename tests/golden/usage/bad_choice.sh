ew run --engine simgird
ew run --net tpc
ew run --energy-rule sender
ew plan --print dott
