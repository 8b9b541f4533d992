# A problem is planned once, however many points there are of it: they share one planning time.
# Seeds are no problem of their own for strategies that draw no random numbers.
cat >s.json <<'END'
{"schema": "edgeweave.sweep/1", "scenario": {"graph": "tiny.json", "platform": "tiny.xml", "engine": "fast"},
 "axes": [{"key": "strategy", "values": ["offload", "modnn"]},
          {"key": "requests", "range": {"from": 1, "to": 300, "step": 1}}]}
END
sed 's/{"key": "requests".*}}/{"seeds": 300}/' s.json >seeds.json
ew sweep s.json -o r.db --jobs 3
ew sweep seeds.json -o seeds.db --jobs 1
for store in r seeds; do
    "$EW_PROGRAM" export $store.db --columns strategy,plan_time_s | sort -u | cut -d, -f1 | uniq -c |
        grep -v strategy
done
