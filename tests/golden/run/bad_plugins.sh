for kind in wrong_major short_entry null_member no_symbol abort_in_constructor null_descriptor bad_id empty_file; do
    echo "--- $kind"
    "$EW_PROGRAM" run --graph vgg16 --platform demo --strategy plugins/$kind.so || echo "[exit $?]"
done
