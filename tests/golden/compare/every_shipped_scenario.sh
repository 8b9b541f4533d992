share=$(cd "$(readlink lib)/../../share/edgeweave/scenarios" && pwd -P)
for file in "$share"/*.json; do
    quietly compare --engine fast "$file" && echo "$(basename "$file"): ok"
done
