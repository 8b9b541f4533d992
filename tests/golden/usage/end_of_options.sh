ew check -- --no-such-file
