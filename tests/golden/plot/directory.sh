# The data of what a directory of --out draws.
quietly compare --graph tiny.json --platform tiny.xml --strategy local,modnn --engine fast --requests 3 --arrival poisson:50 --out out
for kind in bars cdf energy; do
    ew plot $kind out -o $kind.csv
    cat $kind.csv
    quietly plot $kind out -o $kind.svg
    grep -c '</svg>' $kind.svg
done
# The error bars of --draws are whiskers.
quietly compare --graph alexnet --platform demo --strategy local,offload --engine fast --draws 20 --out drawn
ew plot bars drawn --y latency_mean_s,energy_j,energy_per_request_j,accuracy -o drawn.csv
cat drawn.csv
cut -d, -f2,14,29,41- drawn/runs.csv
ew plot gantt out --run 1 --request 1 -o gantt.csv
cat gantt.csv
ew plot gantt out --run 1 --title "it's \$x_1" -o gantt.svg
grep -c "it's \$x_1" gantt.svg
# The figures of a paper are data already.
quietly reproduce edgent fig9 --quick --out figures
ew plot paper figures/edgent_fig9.csv -o paper.csv
cmp figures/edgent_fig9.csv paper.csv
ew plot paper figures/edgent_fig9.csv -o paper.svg
grep -c '</svg>' paper.svg
