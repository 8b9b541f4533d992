# Nothing in YOLOv2 has to be computed on one device, and the phone only asks: a Nano merges.
ew plan --graph yolov2 --platform distredge_na --strategy deeperthings --param split=rows | grep -E 'edgeweave|gateway|^(phone|nano)'
