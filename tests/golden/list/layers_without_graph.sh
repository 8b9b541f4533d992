ew list layers
