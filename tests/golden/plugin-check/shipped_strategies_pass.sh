for plugin in lib/strategies/*.so; do
    "$EW_PROGRAM" plugin-check "$plugin" >out || { cat out; echo "[exit $?]"; }
done
