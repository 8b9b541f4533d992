for how in closed:2 periodic:20 poisson:20; do
    ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --requests 6 --arrival $how
done
