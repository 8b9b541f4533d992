ew version
ew --version
