cat >s.json <<'END'
{"schema": "edgeweave.sweep/1",
 "scenario": {"graph": "tiny.json", "platform": "tiny.xml", "engine": "fast"},
 "axes": [{"key": "strategy", "values": ["local", "modnn"]}, {"key": "devices", "values": [2, 3]}]}
END
quietly sweep s.json -o r.db --jobs 1
ew plot
ew plot bar r.db -o a.svg
ew plot bars r.db
ew plot bars r.db -o a.jpg
ew plot bars r.db -o a.svg --log z
ew plot bars missing.db -o a.svg
ew plot bars tiny.json -o a.svg
ew plot bars r.db --y latency_men_s -o a.svg
ew plot bars r.db --by stratgy -o a.svg
ew plot lines r.db --y exit -o a.svg
ew plot heatmap r.db -o a.svg
ew plot heatmap r.db --x devices --y seed --metric deadline_s -o a.svg
ew plot bars r.db --where '0' -o a.svg
ew plot bars r.db --where 'strategy =' -o a.svg
ew plot gantt r.db -o a.svg
ew plot paper r.db -o a.svg
quietly export r.db -o r.csv
ew plot paper r.csv -o a.svg
ew plot bars r.csv --where '1' -o a.svg
printf 'strategy,latency_mean_s\n' >empty.csv
ew plot bars empty.csv -o a.svg
printf 'strategy,latency_mean_s\nx,fast\n' >text.csv
ew plot bars text.csv -o a.svg
head -c 5000 r.db >cut.db
ew plot bars cut.db -o a.svg
ew plot bars r.db -o missing/a.svg
mkdir nothing
PATH=$PWD/nothing
ew plot bars r.db -o a.svg
ew plot bars r.db -o a.csv
