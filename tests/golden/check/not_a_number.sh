sed 's/"accuracy": 0.75,/"accuracy": NaN,/' tiny.json >g.json
ew check g.json
sed 's/"accuracy": 0.75,/"accuracy": 1e999,/' tiny.json >h.json
ew check h.json
sed 's/"accuracy": 0.75,/"accuracy": Infinity,/' tiny.json >i.json
ew check i.json
