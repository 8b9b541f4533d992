ew run --graph vgg16 --platform tiny.xml --strategy local --engine fast
