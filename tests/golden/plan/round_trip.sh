for strategy in local offload modnn coedge neurosurgeon edgent; do
    quietly plan --graph tiny.json --platform tiny.xml --strategy $strategy --save-plan a.json
    quietly plan --graph tiny.json --platform tiny.xml --plan a.json --save-plan b.json
    cmp a.json b.json && echo "$strategy: same"
done
