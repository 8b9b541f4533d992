sed 's/"kernel": 2/"kernal": 2/' "$DATA/tiny.json" >g.json
ew check g.json
