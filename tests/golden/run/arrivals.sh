for how in closed:2 periodic:20 poisson:20 closed:2:0.1 burst:3:5 burst:3:5:poisson; do
    ew run --graph tiny.json --platform tiny.xml --strategy local --engine fast --requests 6 --arrival $how
done
