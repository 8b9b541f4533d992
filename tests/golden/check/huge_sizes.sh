sed 's/\[1, 4, 16, 16\]/[1, 4, 16000000, 16000000]/' tiny.json >g.json
ew check g.json
sed 's/\[1, 4, 16, 16\]/[1, 4, 99999999999999999999, 16]/' tiny.json >h.json
ew check h.json
sed 's/"out_channels": 8/"out_channels": 16777216/' tiny.json >i.json
ew check i.json
