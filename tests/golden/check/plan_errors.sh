quietly plan --graph tiny.json --platform tiny.xml --strategy modnn --save-plan good.json
on_tiny() { ew check "$1" --graph tiny.json --platform tiny.xml; }
on_tiny good.json
ew check good.json
ew check good.json --platform tiny.xml
sed 's/"graph": "tiny"/"graph": "huge"/' good.json >graph.json
on_tiny graph.json
sed '0,/"device": "hub"/s//"device": "hup"/' good.json >device.json
on_tiny device.json
sed '0,/"layer": "conv2"/s//"layer": "conv3"/' good.json >layer.json
on_tiny layer.json
grep -v '"layer": "conv1", "device": "box"' good.json >hole.json
on_tiny hole.json
sed '0,/\[0, 8\], /s//[0, 9], /' good.json >large.json
on_tiny large.json
sed '0,/\[0, 8\], /s//[5], /' good.json >interval.json
on_tiny interval.json
sed 's/"pick": "only"/"pick": "best"/' good.json >pick.json
on_tiny pick.json
