for kind in abort exit segfault nothing incomplete overlap unknown_device no_reason positive short_piece prints; do
    echo "--- $kind"
    "$EW_PROGRAM" run --graph tiny.json --platform tiny.xml --engine fast --strategy-path plugins/hostile.so --strategy hostile.$kind || echo "[exit $?]"
done
