printf 'model,ms\nvgg16,500\nalexnet,80\n' >two.csv
ew calibrate compute two.csv -o board.two.json
