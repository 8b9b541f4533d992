ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy edgent --engine fast --param regression=paper
ew run --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy edgent --engine fast --param regression=paper --json | sed -n '/"runs"/,$p'
ew plan --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy edgent --param regression=paper
