printf 'model,ms\nvgg16,500\nalexnet,-3\n' >negative.csv
printf 'model,ms\nvgg16,nan\nalexnet,3\n' >nan.csv
printf 'model,furlongs\nvgg16,500\n' >unit.csv
printf 'model,ms\nvgg16,500\n' >one.csv
printf 'model,ms\nvgg16,5\nalexnet,5\nresnet18,5\n' >equal.csv
printf 'model,ms\nmynet,5\nyournet,6\n' >unknown.csv
printf 'model,ms,key\nvgg16,5,a\nvgg16,6,b\n' >devices.csv
for name in negative nan unit one equal unknown devices; do
    ew calibrate compute $name.csv -o profile.json
done
ew calibrate compute devices.csv --device c
ew calibrate compute missing.csv
ew calibrate compte one.csv
ew calibrate compute
printf 'state,w\nidle,5\ncompute,3\n' >less.csv
ew calibrate energy less.csv
