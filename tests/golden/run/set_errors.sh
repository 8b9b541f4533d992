ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --set link.rado.latency_s=0
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --set device.kam.memory_bytes=0
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --set device.cam.idle_w=9
ew run --graph tiny.json --platform demo --strategy local --engine fast --set device.nano.speed_flops_per_s=1e9
