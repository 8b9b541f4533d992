ew reproduce coedge --quick
