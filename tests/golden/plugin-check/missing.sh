ew plugin-check
ew plugin-check none.so
ew plugin-check none.so plugins/text_file.so
