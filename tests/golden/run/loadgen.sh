for how in single_stream multi_stream:4 server:20 offline; do
    ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --requests 10 --arrival $how --json |
        grep -E '"arrival"|"loadgen"'
done
