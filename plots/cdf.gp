# Distribution functions: the share of requests (or points) that took at most so long, a step line each.
#
#   edgeweave plot cdf out/ -o cdf.csv
#   gnuplot -e "input='cdf.csv'" plots/cdf.gp
#
# Reads   input (docs/outputs.md, Plot data)
# Writes  cdf.png, or the file given as  output='…'
# Options input, output, format, title, log (plots/common.gp)

here = ARG0[1:1] eq " " ? ARG0[2:*] : ARG0 # gnuplot puts a blank in front
load here[1 : strlen(here) - 6]."common.gp"

stats input using (column("series_index")) nooutput name "SERIES"
n = int(SERIES_max) + 1
array names[n]
array lows[n]
seen = " "
do for [i = 1 : n] { names[i] = "" }
add(list, i) = strstrt(list, " ".i." ") ? list : list.i." "
x_name = ""; x_unit = ""
stats input using (names[int(column("series_index")) + 1] = cut(stringcolumn("series"), 32), \
                   x_name = stringcolumn("x_name"), x_unit = stringcolumn("x_unit"), seen = add(seen, int(column("series_index"))), 0) nooutput
stats input using (column("x")) nooutput name "X"
fx = factor(x_unit, middle_of(X_min, X_max))
log_x = is_log("x", X_min, X_max)

width = 900
height = with_legend(440, words(seen))
eval open_figure
if (title ne "") set title title
set xlabel label(x_name, x_unit, fx)
set ylabel "share of samples at or below"
set yrange [0 : 1.02]
if (log_x) set logscale x
pad = padding(X_min, X_max, 0.04)
if (log_x) set xrange [X_min * fx / 1.2 : X_max * fx * 1.2]
if (!log_x) set xrange [(X_min - pad) * fx : (X_max + pad) * fx]
mine(i, name) = int(column("series_index")) == int(i) ? column(name) : NaN
# The line rises from 0 at the least sample: its own step from the axis.
do for [i in seen] {
    stats input using (mine(i, "x")) nooutput name "MINE"
    lows[int(i) + 1] = MINE_min
}
first(i) = int(column("series_index")) == int(i) && column("x") == lows[int(i) + 1]
plot for [i in seen] input using (mine(i, "x") * fx):(mine(i, "ratio")) \
         with steps linewidth 1.8 dashtype dash(i) linecolor rgb colour(i) notitle, \
     for [i in seen] input using (first(i) ? column("x") * fx : NaN):(0):(0):(column("ratio")) \
         with vectors nohead linewidth 1.8 dashtype dash(i) linecolor rgb colour(i) notitle, \
     for [i in seen] input using (mine(i, "x") * fx):(mine(i, "ratio")) every 7 \
         with points pointsize 0.6 pointtype shape(i) linecolor rgb colour(i) notitle, \
     for [i in seen] keyentry with linespoints linewidth 1.8 pointsize 0.8 pointtype shape(i) \
         dashtype dash(i) linecolor rgb colour(i) title names[int(i) + 1]
set output
