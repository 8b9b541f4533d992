ew plan --print taskgraph
