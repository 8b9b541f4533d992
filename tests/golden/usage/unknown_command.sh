ew comparee --graph vgg16
ew quux
ew -x
