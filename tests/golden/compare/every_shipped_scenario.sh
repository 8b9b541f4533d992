share=$(cd "$(readlink lib)/../../share/edgeweave/scenarios" && pwd -P)
for file in "$share"/*.json; do
    code=0 less=
    case $file in
    */wifi_fluctuating.json) less="--strategy offload,coedge,aofl" ;; # no training here
    esac
    quietly compare --engine fast --regimes 3 $less "$file" || code=$?
    case $code in
    0) echo "$(basename "$file"): ok" ;;
    1) echo "$(basename "$file"): requirements not met" ;;
    esac
done
