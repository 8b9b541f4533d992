"$EW_PROGRAM" compare --graph tiny.json --platform tiny.xml --engine fast --json |
    sed -n 's/^      "strategy": "\(.*\)",/\1/p' >compared.txt
"$EW_PROGRAM" list strategies --json | sed -n 's/^    "id": "\(.*\)",/\1/p' >listed.txt
diff listed.txt compared.txt && grep -c . listed.txt | sed 's/^[0-9]*$/same/'
