printf 'state,w\nidle,1.6\ncompute,5\ncompute+tx,5.4\n' >states.csv
printf 'model,latency_ms,j\nmobilenet_v2,199.5,0.7425\nresnet18,300,1.1\n' >joules.csv
ew calibrate energy states.csv
ew calibrate energy joules.csv -o props.xml
ew calibrate energy states.csv -q
printf 'state,w\nidle,1.6\ncomputing,5\n' >bad.csv
ew calibrate energy bad.csv
