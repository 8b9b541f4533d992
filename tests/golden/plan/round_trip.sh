for strategy in local offload modnn coedge neurosurgeon edgent; do
    quietly plan --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --strategy $strategy --save-plan a.json
    quietly plan --graph "$DATA/tiny.json" --platform "$DATA/tiny.xml" --plan a.json --save-plan b.json
    cmp a.json b.json && echo "$strategy: same"
done
