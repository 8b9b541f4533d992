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
printf 'model,ms\nvgg16,500\nvgg16,501\nvgg16,499\n' >again.csv
ew calibrate compute again.csv -o profile.json
printf 'model,layer,rows,ms\nvgg16,features.0,224,20\nvgg16,features.2,448,80\nvgg16,,7,50\nvgg16,features.5,112,40\n' >rows.csv
ew calibrate compute rows.csv -o profile.json | head -1
# Two columns of one quantity: either might be meant.
printf 'model,ms,seconds\nvgg16,500,0.4\nalexnet,30,0.02\n' >two.csv
ew calibrate compute two.csv
printf 'bytes,ms,seconds\n1000,2,0.003\n10000,11,0.012\n' >two.csv
ew calibrate network two.csv
printf 'state,w,mw\nidle,2,2000\ncompute,3,3000\n' >two.csv
ew calibrate energy two.csv
printf 'j,latency_s,latency_ms\n1,0.1,100\n2,0.2,200\n' >two.csv
ew calibrate energy two.csv
# Times that do not grow with bytes: no link with a bandwidth that nobody measured.
printf 'bytes,ms\n1000,5\n10000,5.2\n100000,4.9\n' >flat.csv
ew calibrate network flat.csv
printf 'bytes,ms\n1000,10\n10000,5\n100000,1\n' >falling.csv
ew calibrate network falling.csv
# As spreadsheets write it: a byte order mark, spaces, carriage returns.
printf '\357\273\277bytes, ms\r\n1000, 2\r\n10000 ,11\r\n' >sheet.csv
ew calibrate network sheet.csv
