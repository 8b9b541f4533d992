ew
