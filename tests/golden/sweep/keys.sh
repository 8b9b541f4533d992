# Every key of a scenario can be an axis, also where the sweep file is in another folder: its names
# of files are relative to it. What varies makes a difference.
mkdir -p far/away
cp tiny.json tiny.xml dynamic.json two_workloads.json far/away
cp tiny.json far/away/other.json
printf '0\n0.5\n0.6\n' >far/away/times.txt
"$EW_PROGRAM" plan --graph tiny.json --platform tiny.xml --strategy offload --save-plan far/away/saved.json >plan.txt
sed 's/ speed="[^"]*"/ speed="5Mf"/' tiny.xml >far/away/slow.xml

vary() { # key, values, columns: the results of both values
    cat >far/away/s.json <<END
{"schema": "edgeweave.sweep/1",
 "scenario": {"graph": "./tiny.json", "platform": "./tiny.xml", "engine": "fast", "strategy": "modnn",
              "requests": 3, ${4:-} "seed": 3},
 "axes": [{"key": "$1", "name": "x", "values": [$2]}]}
END
    rm -f r.db
    "$EW_PROGRAM" sweep far/away/s.json -o r.db --keep-going -q || echo "exit $?"
    printf '%s:' "$1"
    "$EW_PROGRAM" export r.db --columns "$3,error" | sed 1d | tr '\n' ' '
    echo
}
vary graph '"./tiny.json", "./other.json", "./none.json"' graph,status
vary platform '"./tiny.xml", "./slow.xml"' platform,latency_mean_s
vary devices '2, 3' latency_mean_s
vary link.*.bandwidth_bytes_per_s '1e6, 2e6' latency_mean_s
vary link.*.latency_s '0, 1e-3' latency_mean_s
vary device.*.speed_flops_per_s '1e7, 2e7' latency_mean_s
vary device.cam.compute_w '1, 2' energy_j
vary device.*.memory_bytes '0, 10' status
vary strategy '"local", "offload"' strategy,latency_mean_s
vary plan '"./saved.json"' strategy,latency_mean_s
vary source '"cam", "hub"' latency_mean_s
vary sink '"cam", "hub"' latency_mean_s
vary arrival '"closed:1", "closed:3", "trace:times.txt"' latency_mean_s
vary requests '1, 2' completed
vary batch '1, 2' batch,latency_mean_s
vary requests_per_job '1, 2' latency_mean_s '"batch": 2, "arrival": "closed:2",'
vary deadline_s '1e-3, 1' late
vary min_accuracy '0, 0.9' requirements_met
vary min_throughput_per_s '1, 1000' requirements_met
vary input_bytes_per_element '1, 4' transfer_bytes
vary activation_bytes_per_element '1, 4' transfer_bytes
vary engine '"fast", "simgrid", "exec"' engine,latency_mean_s
vary net '"ideal", "tcp"' net,latency_mean_s
vary energy_rule '"both", "receiver"' energy_j
vary seed '1, 2' latency_mean_s '"arrival": "poisson:30",' 2>&1
vary param.modnn.no_such '1' status
# One key of one workload, and a changing world with plans made anew.
cat >far/away/two.json <<'END'
{"schema": "edgeweave.sweep/1", "scenario": "two_workloads.json",
 "axes": [{"key": "strategy", "values": ["offload"]},
          {"key": "workload.front.arrival", "name": "front", "values": ["periodic:20", "closed:3"]},
          {"key": "workload.back.requests", "name": "back", "values": [1, 10]}]}
END
ew sweep far/away/two.json -o two.db
ew export two.db --columns front,back,strategy,completed,latency_mean_s
cp radio.csv far/away
cat >far/away/anew.json <<'END'
{"schema": "edgeweave.sweep/1", "scenario": "dynamic.json",
 "axes": [{"key": "replan", "values": ["never", "on-change:10"]},
          {"key": "engine", "values": ["fast", "simgrid"]},
          {"key": "requests", "values": [2, 10]}]}
END
ew sweep far/away/anew.json -o anew.db
ew export anew.db --columns replan,engine,requests,completed,latency_mean_s
"$EW_PROGRAM" run far/away/dynamic.json --replan on-change:10 --json | sed -n 's/.*"latency_s": {"mean": \([^,]*\),.*/run: \1/p'
