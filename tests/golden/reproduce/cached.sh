# A second run comes from the cache and says the same; so does one without it.
quietly reproduce edgent fig6 --out first
quietly reproduce edgent fig6 --out second
quietly reproduce edgent fig6 --out third --no-cache --jobs 3
cmp first/edgent_fig6.csv second/edgent_fig6.csv
cmp first/edgent_fig6.csv third/edgent_fig6.csv
ew reproduce edgent fig6 -v
ls first
