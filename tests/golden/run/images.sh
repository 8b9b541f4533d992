# Images for real execution: what is wrong with a file, and options beside the wrong engine.
npy() {
    printf '\223NUMPY\001\000v\000'
    printf '%-117s\n' "{'descr': '$1', 'fortran_order': $2, 'shape': ($3), }"
    head -c "$4" /dev/zero
}
npy '<f4' False '224, 224, 3' 602112 >channels_last.npy
npy '<f8' False '3,' 24 >doubles.npy
npy '<f4' True '3, 224, 224' 602112 >fortran.npy
npy '<f4' False '3, 224, 224' 602111 >short.npy
echo 1 2 3 >text.npy
for file in channels_last doubles fortran short text missing; do
    ew run --graph alexnet --platform demo --strategy local --engine exec --input $file.npy
done
ew run --graph alexnet --platform demo --strategy local --engine exec --save-outputs text.npy
ew run --graph alexnet --platform demo --strategy local --input short.npy
ew run --graph alexnet --platform demo --strategy local --save-outputs answers
ew compare --graph alexnet --platform demo --engine fast --workers hosts.json
