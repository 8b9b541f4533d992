mkdir -p mine/graphs mine/platforms/profiles
cp tiny.json mine/graphs/
cp tiny.xml mine/platforms/zz_tiny.xml
ew list graphs --data-path mine | grep tiny
ew list graphs --data-path mine -v | grep tiny
ew list platforms --data-path mine --json | tail -n 5
EW_DATA_PATH=mine ew list platforms | tail -n 1
