mkdir profiles
cat >profiles/slow.json <<'JSON'
{"schema": "edgeweave.profile/1", "name": "slow", "kind": "rate", "source": "made up", "confidence": "none", "flops_per_s": 1e6}
JSON
sed 's/<prop id="tx_w" value="0.5"\/>/&<prop id="profile" value="slow"\/>/' tiny.xml >own.xml
ew check own.xml profiles/slow.json
ew describe platform own.xml | grep slow
echo '{' >profiles/slow.json
ew check own.xml
