ew compare --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy local,edgent --engine fast --param edgent.regression=paper
