ew run --graph tiny.json --platform tiny.xml --strategy edgent --engine fast --param regression=paper
ew run --graph tiny.json --platform tiny.xml --strategy edgent --engine fast --param regression=paper --json | sed -n '/"runs"/,$p'
ew plan --graph tiny.json --platform tiny.xml --strategy edgent --param regression=paper
