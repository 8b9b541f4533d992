ew list graph
ew list
ew list elephants
