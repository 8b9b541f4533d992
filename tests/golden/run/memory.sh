ew run --graph vgg16 --platform "$DATA/tiny.xml" --strategy local --engine fast
