ew reproduce edgent fig2 --json
ew reproduce edgent fig9 --quick --out figures --quiet
head -4 figures/edgent_fig9.csv
cat figures/edgent_checks.csv
