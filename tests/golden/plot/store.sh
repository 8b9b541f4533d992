# The data that every kind draws from a store, and that its script draws it.
cat >s.json <<'END'
{"schema": "edgeweave.sweep/1",
 "scenario": {"graph": "tiny.json", "platform": "tiny.xml", "engine": "fast"},
 "axes": [
  {"key": "strategy", "values": ["local", "offload", "modnn"]},
  {"key": "link.*.bandwidth_bytes_per_s", "name": "bandwidth_bytes_per_s",
   "log_range": {"from": 1e5, "to": 1e7, "count": 3}},
  {"key": "devices", "values": [2, 3]}]}
END
quietly sweep s.json -o r.db --jobs 1
for kind in bars lines pareto heatmap cdf energy; do
    ew plot $kind r.db -o $kind.csv
    cat $kind.csv
    for format in svg png pdf; do
        quietly plot $kind r.db -o $kind.$format
        test -s $kind.$format
    done
    grep -c '</svg>' $kind.svg
done
ew plot bars r.db --by devices --y energy_j,throughput_per_s --where "strategy <> 'offload'" -o by.csv
cat by.csv
ew plot lines r.db --x strategy --by devices --y energy_per_request_j -o texts.csv
cat texts.csv
ew plot pareto r.db --x energy_per_request_j --y throughput_per_s --where 'devices = 3' -o front.csv
cut -d, -f2,7- front.csv
# An export draws the same as its store, and scripts run by hand.
quietly export r.db -o r.csv
quietly plot lines r.csv -o same.csv
cmp lines.csv same.csv
LC_ALL=C.UTF-8 gnuplot -e "input='lines.csv'; output='hand.svg'" lib/../../share/edgeweave/plots/lines.gp
cmp lines.svg hand.svg
