on="--graph tiny.json --platform tiny.xml"
quietly plan $on --strategy neurosurgeon --set link.radio.bandwidth_bytes_per_s=1e9 --save-plan plan.json
ew convert plan autodice plan.json $on
ew convert plan autodice plan.json $on -o mapping.json
ew convert autodice plan mapping.json $on -o again.json
ew convert plan autodice again.json $on -o mapping2.json
cmp mapping.json mapping2.json && echo "the same mapping"
ew convert plan pipeedge again.json $on -o schedule.yml
cat schedule.yml
ew convert pipeedge plan schedule.yml $on -o third.json
ew convert plan autodice third.json $on -o mapping3.json
cmp mapping.json mapping3.json && echo "the same mapping"
ew run $on --plan third.json --engine fast
# A stage that shares nothing with the graph's names but numbers; names with other operators in them.
printf -- '- cam: [1, 2]\n- box: [3, 6]\n' >stages.yml
ew convert pipeedge plan stages.yml $on -o split.json
ew convert plan pipeedge split.json $on
echo '{"cam": ["conv1", "relu1", "drop_1"], "hub": ["pool1", "conv2"], "box": ["flat", "fc"]}' >three.json
ew convert autodice plan three.json $on -o three_plan.json
ew check three_plan.json $on
