echo 'not a plugin' >text.so
ew run --graph vgg16 --platform demo --strategy ./text.so
cp lib/simgrid_module.so other.so
ew run --graph vgg16 --platform demo --strategy ./other.so
ew run --graph vgg16 --platform demo --strategy ./none.so
ew run --graph vgg16 --platform demo --strategy local --strategy-path text.so
