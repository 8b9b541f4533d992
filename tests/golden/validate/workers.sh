# Workers that somebody else has started, each for several runs, as on a cluster.
od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >token
worker=$(dirname "$EW_PROGRAM")/edgeweave-worker
pids=
trap 'kill $pids 2>/dev/null' EXIT
printf '{"schema": "edgeweave.workers/1", "token_file": "token", "workers": [' >hosts.json
comma=
for device in cam box hub; do
    "$worker" --listen 127.0.0.1:0 --token-file token --keep >"$device.port" 2>"$device.err" &
    pids="$pids $!"
    until [ -s "$device.port" ]; do sleep 0.01; done
    printf '%s{"device": "%s", "host": "127.0.0.1", "port": %s}' "$comma" "$device" \
        "$(sed 's/port //' "$device.port")" >>hosts.json
    comma=', '
done
echo ']}' >>hosts.json
ew validate --graph tiny.json --platform tiny.xml --strategy local,modnn --workers hosts.json --out out >table.txt
cut -d, -f1-6 out/validation.csv
ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine exec --workers hosts.json --requests 3 --json >run.json
grep -c '"completed": 3' run.json

# Another token: the workers do not listen, and stay for the next. Which says so first varies.
cp hosts.json other.json
sed -i 's/"token"/"wrong"/' other.json
od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >wrong
ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine exec --workers other.json 2>&1 | sed "s/of '...'/of 'ONE'/"
quietly validate --graph tiny.json --platform tiny.xml --strategy modnn --workers hosts.json
cat ./*.err | sort -u

# An address that leads other machines to themselves.
sed '0,/127.0.0.1/s//192.0.2.1/; s/"port": [0-9]*/"port": 9/g' hosts.json >mixed.json
ew run --graph tiny.json --platform tiny.xml --strategy modnn --engine exec --workers mixed.json --stall-limit-s 0 2>&1 | grep warning

# Files that are wrong.
bad() {
    printf '%s' "$1" >bad.json
    ew validate --graph tiny.json --platform tiny.xml --strategy modnn --workers bad.json 2>&1
}
bad '{"schema": "edgeweave.workers/1", "token_file": "token", "workers": []}'
bad '{"schema": "edgeweave.workers/1", "token_file": "token", "workers": [{"device": "cam", "host": "127.0.0.1", "port": 70000}]}'
bad '{"schema": "edgeweave.workers/1", "token_file": "token", "workers": [{"device": "cam", "host": "127.0.0.1", "port": 9}]}'
bad '{"schema": "edgeweave.workers/1", "token_file": "token", "workers": [{"device": "nobody", "host": "127.0.0.1", "port": 9}]}'
bad '{"schema": "edgeweave.workers/1", "token_file": "bad.json", "workers": [{"device": "cam", "host": "127.0.0.1", "port": 9}]}'
bad '{"schema": "edgeweave.workers/1", "token_file": "token", "workers": [{"device": "cam", "host": "127.0.0.1", "port": 9}, {"device": "box", "host": "127.0.0.1", "port": 9}, {"device": "hub", "host": "127.0.0.1", "port": 9}]}'
