ew compare --graph tiny.json --platform tiny.xml --strategy coedge,edgent,local,modnn,neurosurgeon,offload
