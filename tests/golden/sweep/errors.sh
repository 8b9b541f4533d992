cat >s.json <<'END'
{"schema": "edgeweave.sweep/1", "scenario": {"graph": "tiny.json", "platform": "tiny.xml"},
 "axes": [{"key": "strategy", "values": ["local"]}]}
END
echo '{"schema": "edgeweave.sweep/1", "axes": [{"key": "seed", "value": [1]}]}' >bad.json
ew sweep bad.json -o r.db
sed 's/"key": "strategy"/"key": "deadline"/' s.json >key.json
ew sweep key.json -o r.db
sed 's/"graph"/"grahp"/' s.json >base.json
ew sweep base.json -o r.db
sed 's/"strategy", "values": \["local"\]/"deadline_s", "values": ["local"]/' s.json >value.json
for name in latency_mean_s ID 'a,b'; do
    sed "s/\"strategy\"/\"deadline_s\", \"name\": \"$name\"/; s/\"local\"/1/" s.json >name.json
    ew sweep name.json -o r.db
done
"$EW_PROGRAM" sweep value.json -o r.db --dry-run 2>&1 >/dev/null
ew sweep s.json
ew sweep s.json -o r.db --resume
ew sweep s.json -o r.db --shard 3/2
ew sweep s.json -o no/such/dir/r.db
echo "a,b" >foreign.db
ew sweep s.json -o foreign.db
ew export foreign.db
cat foreign.db
ew export missing.db
quietly sweep s.json -o r.db -q
ew export r.db --columns latency_mean
ew export r.db --where 'latency_mean <'
ew export r.db --where 'strategy = "local"'
ew export r.db --where '"link.w.bandwidth_bytes_per_s" > 1'
ew export r.db --table run
ew export r.db --format xml
ew merge r.db
ew merge foreign.db -o r.db
