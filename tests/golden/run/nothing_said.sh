ew run
ew run --strategy local
ew run --strategy local --graph vgg16
ew run --graph vgg16 --platform demo
ew run --graph vgg16 --platform demo --strategy local,offload
ew run --graph vgg16 --platform demo --strategy local,
