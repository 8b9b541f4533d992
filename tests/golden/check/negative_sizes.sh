sed 's/"out_channels": 8/"out_channels": -8/' tiny.json >g.json
ew check g.json
sed 's/\[1, 4, 16, 16\]/[1, 4, -16, 16]/' tiny.json >h.json
ew check h.json
sed 's/"kernel": 3, "pads": \[1, 1, 1, 1\]/"kernel": 30/' tiny.json >i.json
ew check i.json
