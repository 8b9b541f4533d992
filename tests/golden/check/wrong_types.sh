sed 's/"out_channels": 8/"out_channels": "8"/' tiny.json >text.json
ew check text.json
sed 's/"inputs": \[{"name": "x"/"inputs": [{"name": 7/' tiny.json >number.json
ew check number.json
sed 's/"kernel": 2/"kernel": [2]/' tiny.json >short.json
ew check short.json
sed 's/edgeweave.graph.1/edgeweave.graph\/2/' tiny.json >version.json
ew check version.json
