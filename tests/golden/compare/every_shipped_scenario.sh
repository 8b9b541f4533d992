for file in "$DATA"/../../../scenarios/*.json; do
    ew compare --engine fast -q "$file" >"$(basename "$file" .json).out" && echo "$(basename "$file"): ok"
done
