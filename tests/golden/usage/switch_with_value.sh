ew run --json=yes
