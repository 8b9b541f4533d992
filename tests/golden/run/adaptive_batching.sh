# Batches by what waits: more in time than any fixed size, and the same on both engines.
for batch in 0 1 2 4 8 16; do
    ew run --graph alexnet --platform demo --source nano --sink nano --arrival burst:8:2:poisson --requests 800 --batch 16 --requests-per-job 16 --deadline-s 1 --engine fast --strategy adaptive_batching --param device=nano --param batch=$batch
done
ew run --graph alexnet --platform demo --source nano --sink nano --arrival burst:8:2:poisson --requests 800 --batch 16 --requests-per-job 16 --deadline-s 1 --engine simgrid --strategy adaptive_batching --param device=nano
ew run --graph alexnet --platform demo --engine fast --requests 4 --strategy adaptive_batching
ew run --graph alexnet --platform demo --engine fast --requests 4 --arrival closed:4 --batch 4 --requests-per-job 4 --strategy adaptive_batching --param max_jobs=1
ew compare --graph alexnet --platform demo --engine fast --requests 4 --batch 2 --requests-per-job 2 --strategy adaptive_batching --strategy local
