ew check "$LIB/simgrid_module.so"
