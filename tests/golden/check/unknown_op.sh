sed 's/"max_pool"/"maxpool"/' tiny.json >g.json
ew check g.json
