ew run --set radio=3
ew run --set link.radio.bandwith_bytes_per_s=3
ew run --set link.radio.bandwidth_bytes_per_s=fast
ew run --set link.radio.bandwidth_bytes_per_s=0
ew run --set link.radio.latency_s=-1
ew run --set link..latency_s=1
ew run --set device.cam.speed=1
