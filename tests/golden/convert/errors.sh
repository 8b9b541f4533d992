on="--graph tiny.json --platform tiny.xml"
ew convert
ew convert plan
ew convert plan pytorch plan.json
ew convert autodice plan nowhere.json $on
ew convert autodice plan tiny.json
mapping() { echo "$1" >m.json; ew convert autodice plan m.json $on; }
mapping '{"cam": ["conv1"], "hubb": []}'
mapping '{"cam": ["conv1", "relu1", "pool1", "conv1"]}'
mapping '{"cam": ["conv1", "relu1", "pool1", "conv2", "flat", "FC"]}'
mapping '["conv1"]'
mapping '{"cam": "conv1"}'
mapping '{"cam": [1]}'
schedule() { printf -- "$1" >s.yml; ew convert pipeedge plan s.yml $on; }
schedule ''
schedule '[]'
schedule '- cam: [1, 2]\n- hub: [4, 6]\n'
schedule '- cam: [1, 2]\n'
schedule '- cam: [1, 7]\n'
schedule '- cam: [1]\n'
schedule '- cam: [one, 2]\n'
schedule '- phone: [1, 6]\n'
schedule '- {cam: [1, 2], hub: [3, 6]}\n'
schedule '- cam: &a [1, 6]\n- hub: *a\n'
schedule '- cam: [1, 6\n'
quietly plan $on --strategy modnn --save-plan modnn.json
ew convert plan autodice modnn.json $on
echo '{"cam": ["conv1", "flat", "fc"], "hub": ["relu1", "pool1", "conv2"]}' >there_and_back.json
quietly convert autodice plan there_and_back.json $on -o there_and_back_plan.json
ew convert plan pipeedge there_and_back_plan.json $on
ew convert platform pipeedge $on
ew convert pipeedge platform nowhere -o out
files() {
    mkdir -p theirs
    printf "$1" >theirs/models.yml
    printf "$2" >theirs/device_types.yml
    printf "$3" >theirs/devices.yml
    ew convert pipeedge platform theirs -o out
}
model='net:\n  layers: 2\n  mem_MB: [1, 2.5]\n  parameters_in: 100\n  parameters_out: [50, 10]\n'
type='board:\n  bw_Mbps: 100\n  mem_MB: 1000\n  model_profiles:\n    net:\n    - {batch_size: 4, dtype: torch.float32, time_s: [0.4, 0.8]}\n'
files "$model" "$type" 'board: [a, b]\n'
files "$model" "$type" 'board: []\n'
files "$model" "$type" 'tablet: [a]\n'
files "$model" "$type" 'board: ["a b"]\n'
files "$model" 'board: {bw_Mbps: 100, mem_MB: 1}\n' 'board: [a]\n'
files "$model" "board: {bw_Mbps: 100, mem_MB: 1, model_profiles: {net: [{batch_size: 1, time_s: [1]}]}}\n" 'board: [a]\n'
files "$model" "board: {bw_Mbps: fast, mem_MB: 1, model_profiles: {net: [{batch_size: 1, time_s: [1, 2]}]}}\n" 'board: [a]\n'
files "${model}other:\n  layers: 1\n" "$type" 'board: [a]\n'
files "$model$model" "$type" 'board: [a]\n'
files 'net:\n  layers: 2\n  mem_MB: [1]\n  parameters_in: 100\n  parameters_out: [50, 10]\n' "$type" 'board: [a]\n'
files 'net: [1]\n' "$type" 'board: [a]\n'
ls out 2>/dev/null
