ew check lib/simgrid_module.so
