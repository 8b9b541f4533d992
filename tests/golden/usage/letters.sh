ew run -vqx
