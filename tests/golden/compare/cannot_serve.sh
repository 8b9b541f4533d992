ew compare --graph tiny.json --platform tiny.xml --strategy local,edgent --engine fast --param edgent.regression=paper
