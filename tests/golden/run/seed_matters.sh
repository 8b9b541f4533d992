for seed in 1 2; do
    "$EW_PROGRAM" run --graph tiny.json --platform tiny.xml --strategy local --engine fast --requests 20 --arrival poisson:30 --seed $seed >$seed.txt
done
cmp -s 1.txt 2.txt || echo different
