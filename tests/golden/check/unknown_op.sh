sed 's/"max_pool"/"maxpool"/' "$DATA/tiny.json" >g.json
ew check g.json
