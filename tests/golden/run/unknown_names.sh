ew run --graph vgg1 --platform demo --strategy local
ew run --graph vgg16 --platform damo --strategy local
ew run --graph vgg16 --platform demo --strategy locale
ew run --graph ./vgg16.json --platform demo --strategy local
ew run --graph vgg16 --platform ./demo.xml --strategy local
