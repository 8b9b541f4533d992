# Bars of one or more metrics, a panel each, a row per strategy; whiskers from the least to the
# greatest of the points behind a mean.
#
#   edgeweave plot bars results.db -o bars.csv
#   gnuplot -e "input='bars.csv'" plots/bars.gp
#
# Reads   input (docs/outputs.md, Plot data)
# Writes  bars.png, or the file given as  output='…'
# Options input, output, format, title (plots/common.gp)

here = ARG0[1:1] eq " " ? ARG0[2:*] : ARG0 # gnuplot puts a blank in front
load here[1 : strlen(here) - 7]."common.gp"

stats input using (column("bar_index")) nooutput name "BAR"
stats input using (column("panel")) nooutput name "PANEL"
n = int(BAR_max) + 1
n_panels = int(PANEL_max) + 1
array labels[n_panels]
array units[n_panels]
array factors[n_panels]
array tops[n_panels]
longest = 0
stats input using (labels[int(column("panel")) + 1] = stringcolumn("name"), \
                   units[int(column("panel")) + 1] = stringcolumn("unit"), \
                   longest = longest < strlen(stringcolumn("bar")) ? strlen(stringcolumn("bar")) : longest, 0) nooutput
do for [p = 1 : n_panels] {
    stats input using (int(column("panel")) == p - 1 ? or_zero("high") : 0) nooutput name "TOP"
    tops[p] = TOP_max > 0 ? TOP_max : 1
    factors[p] = factor(units[p], tops[p])
}

longest = longest > 32 ? 32 : longest
left = 24 + 7.6 * longest
panel = 300
gap = 28
width = left + n_panels * (panel + gap) + 10
top = title eq "" ? 20 : 54
bottom = 62
row = n > 64 ? 18 : 27
height = top + row * n + bottom
eval open_figure
set multiplot
set tmargin at screen 1 - real(top) / height
set bmargin at screen real(bottom) / height
set yrange [n - 0.4 : -0.6]
set ytics scale 0
set xtics autofreq
unset grid
set grid xtics linecolor "#E0E0E0" linetype 1 linewidth 1
unset key
if (title ne "") set label 1 title at screen 0.01, screen 1 - 26.0 / height left

mine(p, name) = int(column("panel")) == p && has(name) ? column(name) * factors[p + 1] : NaN
at_zero(p, name) = int(column("panel")) == p && has(name) ? column(name) * factors[p + 1] : 0
bar_name(p) = p > 0 ? "" : cut(stringcolumn("bar"), 32)
here_is(p) = int(column("panel")) == p
do for [p = 0 : n_panels - 1] {
    set lmargin at screen (left + p * (panel + gap)) / width
    set rmargin at screen (left + p * (panel + gap) + panel) / width
    set xlabel label(labels[p + 1], units[p + 1], factors[p + 1])
    set xrange [0 : tops[p + 1] * factors[p + 1] * 1.24]
    plot input using (at_zero(p, "value") / 2):(column("bar_index")):(at_zero(p, "value") / 2):(0.34):ytic(bar_name(p)) \
             with boxxyerror linecolor rgb colour(p) notitle, \
         "" using (column("high") > column("low") ? mine(p, "low") : NaN):(column("bar_index")):(mine(p, "high") - mine(p, "low")):(0) \
             with vectors nohead linewidth 1.6 linecolor rgb "black" notitle, \
         "" using (column("high") > column("low") ? mine(p, "low") : NaN):(column("bar_index") - 0.14):(0):(0.28) \
             with vectors nohead linewidth 1.6 linecolor rgb "black" notitle, \
         "" using (column("high") > column("low") ? mine(p, "high") : NaN):(column("bar_index") - 0.14):(0):(0.28) \
             with vectors nohead linewidth 1.6 linecolor rgb "black" notitle, \
         "" using (at_zero(p, "high")):(column("bar_index")):(here_is(p) && has("value") ? digits(column("value") * factors[p + 1]) : "") \
             with labels left offset 0.6, 0 notitle, \
         "" using (0):(column("bar_index")):(here_is(p) && !has("value") ? "no figure" : "") \
             with labels left offset 0.6, 0 textcolor rgb "#777777" notitle
    unset label 1
}
unset multiplot
set output
