# A point is run again when something that determines its result has changed, and only then.
cp tiny.json graph.json
cp tiny.xml platform.xml
mkdir plugged
cp plugins/good.so plugged/
cat >s.json <<'END'
{"schema": "edgeweave.sweep/1",
 "scenario": {"platform": "./platform.xml", "engine": "fast"},
 "axes": [{"key": "graph", "values": ["./graph.json", "./tiny.json"]},
          {"key": "strategy", "values": ["local", "good"]},
          {"key": "arrival", "values": ["closed:1", "trace:times.txt"]}]}
END
printf '0\n1\n' >times.txt
again() { ew sweep s.json -o r.db --strategy-path plugged/good.so --keep-going; }
again
again
echo "# nothing has changed"
touch graph.json platform.xml times.txt plugged/good.so s.json
again
echo "# a graph: its 4 points"
(cat tiny.json && echo) >graph.json
again
echo "# a trace: the 4 points with it"
printf '0\n2\n' >times.txt
again
echo "# a plugin: the 4 points with it"
printf 'x' >>plugged/good.so
again
echo "# the platform: all"
sed 's/ speed="20Mf"/ speed="21Mf"/' tiny.xml >platform.xml
again
echo "# another order of keys and axes: the same points at other positions"
sed 's/^ "scenario".*/ "scenario": {"engine": "fast", "platform": ".\/platform.xml"},/' s.json >t.json
mv t.json s.json
again
ew sweep s.json -o r.db --strategy-path plugged/good.so --keep-going --resume --jobs 1
echo "# points that failed are tried again, points that are gone stay behind"
rm times.txt
again
printf '0\n2\n' >times.txt
again
sed 's/, "good"//' s.json >t.json
mv t.json s.json
again
ew export r.db --columns strategy,status
"$EW_PROGRAM" export r.db --all --columns id | wc -l
