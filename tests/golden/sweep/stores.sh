# What is no store, or not a whole one, is refused and stays as it is.
cat >s.json <<'END'
{"schema": "edgeweave.sweep/1",
 "scenario": {"graph": "tiny.json", "platform": "tiny.xml", "engine": "fast"},
 "axes": [{"key": "strategy", "values": ["local", "modnn"]}, {"seeds": 100}]}
END
quietly sweep s.json -o good.db -q
refused() { # file
    before=$(cksum <"$1")
    ew sweep s.json -o "$1"
    ew export "$1" --columns point
    [ "$(cksum <"$1")" = "$before" ] || echo "$1 has changed"
    ls | grep "^$1." || true
}
: >empty.db
refused empty.db
echo "strategy,latency_s" >foreign.db
refused foreign.db
head -c 20000 good.db >cut.db
refused cut.db
cp good.db scribble.db
for page in 2 3 4 5 6 7; do
    printf 'scribbled over' | dd of=scribble.db bs=1 seek=$((page * 4096)) conv=notrunc 2>/dev/null
done
refused scribble.db 2>&1 | sed 's/the store is damaged: .*/the store is damaged: .../'
cp good.db newer.db
printf '\0\0\0\7' | dd of=newer.db bs=1 seek=60 conv=notrunc 2>/dev/null
refused newer.db
mkdir folder.db
ew sweep s.json -o folder.db
# Write-protected: reading is fine.
cp good.db protected.db
chmod 444 protected.db
before=$(cksum <protected.db)
ew sweep s.json -o protected.db
"$EW_PROGRAM" export protected.db | wc -l
[ "$(cksum <protected.db)" = "$before" ] || echo "it has changed"
# No more room (here: a limit on the size of files): what was there stays, and the sweep goes on later.
sed 's/"seeds": 100/"seeds": 2000/' s.json >larger.json
before=$("$EW_PROGRAM" export good.db | cksum)
(
    trap '' XFSZ
    ulimit -f 600
    ew sweep larger.json -o good.db --jobs 1 -q
)
quietly sweep s.json -o good.db -q
[ "$("$EW_PROGRAM" export good.db | cksum)" = "$before" ] || echo "it has changed"
ew sweep larger.json -o good.db -q
"$EW_PROGRAM" export good.db | wc -l
