# Planning anew at every change, for CoEdge and AOFL on the shipped scenarios: the mean latency is
# never above that of never planning anew by more than what a plan is charged with: nothing, 50 ms.
share=$(cd "$(readlink lib)/../../share/edgeweave/scenarios" && pwd -P)
mean_latency() {
    quietly compare "$1" --requests 180 --engine fast --regimes 0 --strategy coedge,aofl --replan "$2" \
        --charge-planning "$3" --out out || true # requirements may be missed
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
             { print $at["strategy"], $at["latency_mean_s"] }' out/runs.csv
    rm -r out
}
for name in ap_overload lte_bus node_loss straggling_pi wifi_fluctuating; do
    mean_latency "$share/$name.json" never 0 >never.txt
    for charge_s in 0 0.05; do
        mean_latency "$share/$name.json" on-change:0 "$charge_s" >anew.txt
        paste -d ' ' never.txt anew.txt |
            awk -v name="$name" -v charge_s="$charge_s" '
                { print name, $1, "at", charge_s, "s:", $4 <= $2 + charge_s ? "pays" : "costs " $4 - $2 " s" }'
    done
done
