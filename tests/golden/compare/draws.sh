# Bars of one device are its residuals' 10 % and 90 % points; the same seed gives the same bars.
ew compare --graph vgg16 --platform demo --strategy local,offload,coedge --engine fast --draws 200
ew compare --graph vgg16 --platform coedge --strategy local,coedge --engine fast --draws 20
ew run --graph alexnet --platform demo --strategy local --engine fast --draws 50 --json >one.json
ew run --graph alexnet --platform demo --strategy local --engine fast --draws 50 --json >two.json
grep -E '"(draws|tasks_outside_range|profile_without_residuals)"' one.json
grep -v -E 'plan_time_s|run_time_s|"args"' one.json >one
grep -v -E 'plan_time_s|run_time_s|"args"' two.json >two
cmp one two
ew run --graph alexnet --platform demo --strategy local --draws -1
ew compare --graph alexnet --platform demo --strategy local,edgent --engine fast --draws 50 --out results > /dev/null
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /^(strategy|latency_mean_s|draws|.*_low_.*|.*_high_.*)$/) k[++n] = i } { for (i = 1; i <= n; i++) printf "%s%s", $k[i], i < n ? "," : "\n" }' results/runs.csv
