# All kinds of axes, exclusions, a scenario file as base; both engines agree.
cat >base.json <<'END'
{"schema": "edgeweave.scenario/1", "graph": "tiny.json", "platform": "tiny.xml", "strategy": "modnn"}
END
cat >s.json <<'END'
{"schema": "edgeweave.sweep/1", "scenario": "base.json",
 "axes": [
  {"key": "engine", "values": ["fast", "simgrid"]},
  {"key": "devices", "range": {"from": 2, "to": 3, "step": 1}},
  {"key": "link.*.bandwidth_bytes_per_s", "name": "bandwidth_bytes_per_s",
   "log_range": {"from": 1e5, "to": 1e7, "count": 3}},
  {"zip": [{"key": "device.cam.speed_flops_per_s", "values": [1e7, 2e7]},
           {"key": "device.cam.compute_w", "values": [3, 4]}]}],
 "exclude": [{"devices": 2, "bandwidth_bytes_per_s": [1e5, 1e6]}]}
END
ew sweep s.json -o r.db --jobs 2
ew export r.db --columns devices,bandwidth_bytes_per_s,device.cam.compute_w,latency_mean_s,energy_j --where "engine = 'fast'"
ew export r.db --where "engine = 'fast'" --columns latency_mean_s,energy_j -o fast.csv
ew export r.db --where "engine = 'simgrid'" --columns latency_mean_s,energy_j -o simgrid.csv
paste -d, fast.csv simgrid.csv | awk -F, 'NR > 1 { for (i = 1; i < 3; i++) if (($i - $(i+2)) ^ 2 > (1e-6 * $i) ^ 2) { print "differ:", $0 } } END { print NR - 1, "compared" }'
ew export r.db --table devices --columns point,device_id,device,busy_s --where 'point = 0'
ew sweep s.json --dry-run --jobs 1 | grep -v '^estimated'
