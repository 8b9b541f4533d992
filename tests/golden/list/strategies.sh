ew list strategies
