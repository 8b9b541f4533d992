on="--graph tiny.json --platform tiny.xml"
ew convert platform pipeedge $on -o theirs
cat theirs/models.yml theirs/device_types.yml theirs/devices.yml
ew convert pipeedge platform theirs -o ours
cat ours/tiny.json ours/platform.xml
ls ours/profiles
# Everything on one device takes as long there as here.
ew run --graph ours/tiny.json --platform ours/platform.xml --strategy local --engine fast
ew run $on --strategy local --engine fast
