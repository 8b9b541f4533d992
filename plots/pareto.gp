# Two metrics of every point, and the front: filled points that no other betters in one metric without
# being worse in the other.
#
#   edgeweave plot pareto results.db --x energy_per_request_j --y accuracy -o pareto.csv
#   gnuplot -e "input='pareto.csv'" plots/pareto.gp
#
# Reads   input (docs/outputs.md, Plot data)
# Writes  pareto.png, or the file given as  output='…'
# Options input, output, format, title, log (plots/common.gp)

here = ARG0[1:1] eq " " ? ARG0[2:*] : ARG0 # gnuplot puts a blank in front
load here[1 : strlen(here) - 9]."common.gp"

stats input using (column("series_index")) nooutput name "SERIES"
n = int(SERIES_max) + 1
array names[n]
on = " "; off = " "; seen = " "
do for [i = 1 : n] { names[i] = "" }
add(list, i) = strstrt(list, " ".i." ") ? list : list.i." "
x_name = ""; x_unit = ""; y_name = ""; y_unit = ""; up_x = 0; up_y = 0
note(i) = (seen = add(seen, i), column("on_front") == 1 ? (on = add(on, i)) : (off = add(off, i)), 0)
stats input using (names[int(column("series_index")) + 1] = cut(stringcolumn("series"), 32), \
                   note(int(column("series_index"))), \
                   x_name = stringcolumn("x_name"), x_unit = stringcolumn("x_unit"), \
                   y_name = stringcolumn("y_name"), y_unit = stringcolumn("y_unit"), \
                   up_x = column("x_more_is_better"), up_y = column("y_more_is_better"), 0) nooutput
stats input using (column("x")) nooutput name "X"
stats input using (column("y")) nooutput name "Y"
fx = factor(x_unit, middle_of(X_min, X_max))
fy = factor(y_unit, Y_max)
log_x = is_log("x", X_min, X_max)
log_y = is_log("y", Y_min, Y_max)

width = 900
height = with_legend(480, words(seen) + 1)
eval open_figure
if (title ne "") set title title
better(up) = up == 1 ? ", more is better" : ", less is better"
set xlabel label(x_name, x_unit, fx).better(up_x)
set ylabel label(y_name, y_unit, fy).better(up_y)
if (log_x) set logscale x
if (log_y) set logscale y
pad(low, high) = padding(low, high, 0.06)
if (log_x) set xrange [X_min * fx / 1.2 : X_max * fx * 1.2]
if (!log_x) set xrange [X_min * fx - pad(X_min, X_max) * fx : X_max * fx + pad(X_min, X_max) * fx]
if (log_y) set yrange [Y_min * fy / 1.2 : Y_max * fy * 1.2]
if (!log_y) set yrange [Y_min * fy - pad(Y_min, Y_max) * fy : Y_max * fy + pad(Y_min, Y_max) * fy]

mine(i, is_on, name) = int(column("series_index")) == int(i) && column("on_front") == is_on ? column(name) : NaN
front(name) = column("on_front") == 1 ? column(name) : NaN
faint(i) = 0x70000000 + colour(i)
style = up_x == 1 ? "fsteps" : "steps"
plot input using (front("x") * fx):(front("y") * fy) smooth unique \
         with @style linewidth 2 linecolor rgb "#999999" title "Pareto front", \
     for [k = 1 : words(off)] input using (mine(nth(off, k), 0, "x") * fx):(mine(nth(off, k), 0, "y") * fy) \
         with points pointsize 1 pointtype shape(nth(off, k)) linecolor rgb faint(nth(off, k)) notitle, \
     for [i in on] input using (mine(i, 1, "x") * fx):(mine(i, 1, "y") * fy) \
         with points pointsize 1.4 pointtype shape(i) linecolor rgb colour(i) notitle, \
     for [i in seen] keyentry with points pointsize 1.2 pointtype shape(i) \
         linecolor rgb colour(i) title names[int(i) + 1]
set output
