sed 's/{"name": "relu1", "op": "relu"}/{"name": "relu1", "op": "relu", "inputs": ["conv7"]}/' tiny.json >g.json
ew check g.json
