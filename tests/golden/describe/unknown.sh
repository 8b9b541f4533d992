ew describe strategy coege
ew describe graph vgg17
ew describe graph ./vgg16.json
ew describe platform coedg
ew describe profile jetson_nano.ncnn
ew describe planet earth
ew describe graph
