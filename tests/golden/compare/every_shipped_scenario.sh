share=$(cd "$(readlink lib)/../../share/edgeweave/scenarios" && pwd -P)
for file in "$share"/*.json; do
    code=0
    quietly compare --engine fast "$file" || code=$?
    case $code in
    0) echo "$(basename "$file"): ok" ;;
    1) echo "$(basename "$file"): requirements not met" ;;
    esac
done
