sed 's/"kernel": 2/"kernal": 2/' tiny.json >g.json
ew check g.json
