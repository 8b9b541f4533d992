# Two hops over one WLAN take longer than CoEdge's model says; trying the plan out shows it.
ew run --graph alexnet --platform coedge --strategy coedge --engine fast --set link.wlan.bandwidth_bytes_per_s=4e6 --deadline-s 0.3
ew run --graph alexnet --platform coedge --strategy coedge --engine fast --set link.wlan.bandwidth_bytes_per_s=4e6 --deadline-s 0.3 --param corrections=8
