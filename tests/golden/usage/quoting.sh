ew run --graph 'my graph.json' --platform "it's" --requests x
