# edgeweave-worker, started by hand with what it cannot use.
od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >token
worker() {
    echo "\$ edgeweave-worker $*"
    timeout 10 "$(dirname "$EW_PROGRAM")/edgeweave-worker" "$@" </dev/null || echo "[exit $?]"
}
worker --listen 7000 --token-file token
worker --listen 127.0.0.1:99999 --token-file token
worker --listen 127.0.0.1:http --token-file token
worker --listen '[::1]:x' --token-file token
worker --token-file missing
worker
worker --keep --pin 1023 --token-file token 2>&1 | sed 's/port [0-9]*/port N/'
worker --serve

# An IPv6 address, as it stands in URLs, where the machine has one.
for host in 127.0.0.1 '[::1]'; do
    "$(dirname "$EW_PROGRAM")/edgeweave-worker" --listen "$host:0" --token-file token >port 2>log &
    for _ in 1 2 3 4 5 6 7 8 9 10; do [ -s port ] || [ -s log ] || sleep 0.05; done
    kill $! 2>/dev/null || true
    if grep -q 'Cannot assign\|not supported' log; then echo "port N"; else sed 's/[0-9][0-9]*/N/' port; fi
done
