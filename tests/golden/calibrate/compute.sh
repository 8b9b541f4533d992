cat >board.csv <<'CSV'
model,ms
vgg16,541.7
alexnet,75.8
resnet18,122.3
resnet50,261.9
googlenet,113.7
mobilenet_v2,61.6
squeezenet1_1,46.3
mynet,12
CSV
ew calibrate compute board.csv -o board.test.json --from 'a board'
ew check board.test.json
ew calibrate compute board.csv --name board.test -q
ew calibrate compute board.csv --weight-bytes-per-s 15e9 -o board.test.json
