ew import nowhere.onnx
ew import any_size.onnx
ew import any_size.onnx --input-shape 1x3x8
ew import small.onnx --input-shape nobody=1x3x8x8
ew import boxes.onnx
ew import boxes.onnx --allow-opaque
ew import external.onnx
head -c 700 small.onnx >cut.onnx
ew import cut.onnx
: >empty.onnx
ew import empty.onnx
ew import tiny.json
ew import small.onnx -o nowhere/small.json
ew import
