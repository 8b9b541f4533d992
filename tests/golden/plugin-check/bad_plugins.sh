for kind in wrong_major short_entry null_member null_descriptor bad_id bad_default no_symbol text_file empty_file abort_in_constructor; do
    ew plugin-check plugins/$kind.so
done
