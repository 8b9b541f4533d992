ew plugin-check plugins/good.so
