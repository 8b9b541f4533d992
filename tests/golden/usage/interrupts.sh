# One Ctrl-C ends what may take long; 137 would mean that it had to be killed.
cat >s.json <<'END'
{"schema": "edgeweave.sweep/1",
 "scenario": {"graph": "tiny.json", "platform": "tiny.xml", "engine": "fast"},
 "axes": [{"key": "strategy", "values": ["local"]}]}
END
quietly sweep s.json -o r.db -q
endless="(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n) > 0"
interrupt() {
    code=0
    timeout --foreground -k 10 -s INT 0.5 "$EW_PROGRAM" "$@" || code=$?
    echo "[timeout $code]"
}
interrupt export r.db --where "$endless" --columns point
interrupt plot bars r.db --where "$endless" -o bars.csv
interrupt probe --limit-s 60
ls | grep -v -e onnx -e json -e xml -e csv -e lib -e plugins
