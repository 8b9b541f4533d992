ew reproduce edgent --quick --jobs 2
