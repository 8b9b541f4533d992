sed 's/{"name": "relu1", "op": "relu"}/{"name": "relu1", "op": "add", "inputs": ["conv1", "pool1"]}/' tiny.json >g.json
ew check g.json
