bad() { printf '{"schema": "edgeweave.scenario/1", "graph": "tiny.json", "platform": "tiny.xml", "strategy": "local", "engine": "fast", "dynamics": %s}\n' "$1" >s.json; ew run s.json; }
bad '{"serie": []}'
bad '{"series": [{"link": "radio", "trace": "radio.csv", "device": "hub"}]}'
bad '{"series": [{"link": "radi", "trace": "radio.csv"}]}'
bad '{"series": [{"device": "hub", "trace": "radio.csv"}]}'
bad '{"series": [{"link": "radio", "trace": "nowhere.csv"}]}'
bad '{"series": [{"link": "radio", "bandwidth_bytes_per_s": [[0, -1]]}]}'
bad '{"events": [{"time_s": 1, "device": "hubb", "event": "down"}]}'
bad '{"on_failure": "hope"}'
bad '{"events": [{"time_s": 0, "device": "*", "event": "down"}]}'
bad '{"series": [{"link": "*", "bandwidth_bytes_per_s": [[0, 0]]}]}'
ew run s.json --strategy offload
printf 'time_s,latency_s\n1,0\n0,0\n' >t.csv
bad '{"series": [{"link": "radio", "trace": "t.csv"}]}'
: >t.csv
bad '{"series": [{"link": "radio", "trace": "t.csv"}]}'
printf 'time_s,bandwidth\n0,1\n' >t.csv
bad '{"series": [{"link": "radio", "trace": "t.csv"}]}'
ew run s.json --on-failure hope
ew run s.json --max-attempts 0
