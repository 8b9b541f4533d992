ew list layers --graph small.onnx
ew list layers --graph small.onnx --csv
ew list layers --graph any_size.onnx
