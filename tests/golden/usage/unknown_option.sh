ew run --grahp vgg16
ew run --nonsense
ew run -z
ew list strategies --graphs
