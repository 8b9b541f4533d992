ls ../home 2>/dev/null
quietly run --graph tiny.json --platform tiny.xml --strategy local --engine fast
ls ../home/cache/edgeweave | wc -l
EW_SIMGRID_MODULE=/nonexistent.so ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast
file=$(ls ../home/cache/edgeweave/*)
printf 'garbage' | dd of="$file" bs=1 seek=300 conv=notrunc 2>/dev/null
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast
: >"$file"
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast
rm -r ../home/cache
ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --no-cache
ls ../home/cache 2>/dev/null || echo "no cache"
