ew import small.onnx
ew import small.onnx --fold-batchnorm -o folded.json
ew list layers --graph folded.json
ew import any_size.onnx --input-shape 1x3x8x8 --name sized -o sized.json
ew check sized.json
ew run --graph small.onnx --platform tiny.xml --strategy local --engine fast
"$EW_PROGRAM" import small.onnx >absent.json
"$EW_PROGRAM" import small.onnx -o - >dash.json
cmp absent.json dash.json && echo "-o - is standard output"
test -e ./- || echo "and no file"
