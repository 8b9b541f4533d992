ew reproduce
ew reproduce coedg
ew reproduce coedge latncy
ew reproduce coedge --jobs 0
ew reproduce bad_reproduction.json
ew reproduce broken_cells.json
