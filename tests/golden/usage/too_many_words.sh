ew run a.json b.json
ew help run compare
