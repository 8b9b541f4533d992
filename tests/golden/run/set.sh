ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --set device.cam.speed_flops_per_s=20e6
ew run --graph tiny.json --platform tiny.xml --strategy offload --set link.radio.bandwidth_bytes_per_s=2e6 --set 'link.*.latency_s=0'
ew run --graph tiny.json --platform tiny.xml --strategy offload --set link.radio.bandwidth_bytes_per_s=2e6 --set 'link.*.latency_s=0' --engine fast
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --set device.cam.idle_w=2 --set device.cam.compute_w=4
