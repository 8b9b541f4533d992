ew reproduce accuracy --quick | grep -E '^ *(holds|FAILS)|^summary|^checks|edgeweave'
