# A metric against an axis, one line per series; where points share a place, their mean and range.
#
#   edgeweave plot lines results.db --x bandwidth_bytes_per_s -o lines.csv
#   gnuplot -e "input='lines.csv'" plots/lines.gp
#
# Reads   input (docs/outputs.md, Plot data)
# Writes  lines.png, or the file given as  output='…'
# Options input, output, format, title, log (plots/common.gp)

here = ARG0[1:1] eq " " ? ARG0[2:*] : ARG0 # gnuplot puts a blank in front
load here[1 : strlen(here) - 8]."common.gp"

stats input using (column("series_index")) nooutput name "SERIES"
n = int(SERIES_max) + 1
array names[n]
x_name = ""; x_unit = ""; y_name = ""; y_unit = ""
has_texts = 0; longest = 0; is_whole = 1
seen = " "; ranges = " "
do for [i = 1 : n] { names[i] = "" }
add(list, i) = strstrt(list, " ".i." ") ? list : list.i." "
stats input using (names[int(column("series_index")) + 1] = cut(stringcolumn("series"), 32), \
                   x_name = stringcolumn("x_name"), x_unit = stringcolumn("x_unit"), \
                   y_name = stringcolumn("y_name"), y_unit = stringcolumn("y_unit"), \
                   is_whole = is_whole && column("x") == floor(column("x")), \
                   has_texts = has_texts + has("x_text"), seen = add(seen, int(column("series_index"))), \
                   ranges = column("high") > column("low") ? add(ranges, int(column("series_index"))) : ranges, \
                   longest = longest < strlen(stringcolumn("x_text")) ? strlen(stringcolumn("x_text")) : longest, 0) nooutput
stats input using (column("x")) nooutput name "X"
stats input using (column("low")) nooutput name "LOW"
stats input using (column("high")) nooutput name "HIGH"
fx = has_texts ? 1 : factor(x_unit, middle_of(X_min, X_max))
fy = factor(y_unit, HIGH_max)
log_x = !has_texts && is_log("x", X_min, X_max)
log_y = is_log("y", LOW_min, HIGH_max)

width = 900
height = with_legend(480, words(seen))
eval open_figure
if (title ne "") set title title
set xlabel label(x_name, has_texts ? "" : x_unit, fx)
set ylabel label(y_name, y_unit, fy)
if (log_x) set logscale x
if (log_y) set logscale y
if (!log_y) set yrange [LOW_min < 0 ? LOW_min * fy * 1.05 : 0 : HIGH_max > 0 ? HIGH_max * fy * 1.05 : 1]
if (log_y) set yrange [LOW_min * fy / 1.2 : HIGH_max * fy * 1.2]
if (log_x) set xrange [X_min * fx / 1.1 : X_max * fx * 1.1]
if (!log_x) {
    margin = X_max > X_min ? (X_max - X_min) * fx * (has_texts ? 0.06 : 0.02) : 0.5
    set xrange [X_min * fx - margin : X_max * fx + margin]
}
# No half devices.
if (is_whole && !log_x && !has_texts && fx == 1 && X_max - X_min <= 12) set xtics 1
if (has_texts && longest > 8) {
    set xtics rotate by -35
    set bmargin 4 + (longest > 30 ? 30 : longest) * 0.45
}

mine(i, name) = int(column("series_index")) == int(i) ? column(name) : NaN

faint(i) = 0x60000000 + colour(i)
name_tick(x) = has_texts ? cut(stringcolumn("x_text"), 30) : ""
bar_x(i) = int(column("series_index")) == int(i) && column("high") > column("low") ? column("x") * fx : NaN
if (has_texts) {
    plot for [k = 1 : words(ranges)] input using (bar_x(nth(ranges, k))):(column("low") * fy):(0):((column("high") - column("low")) * fy) \
             with vectors nohead linewidth 1.2 linecolor rgb faint(nth(ranges, k)) notitle, \
         for [i in seen] input using (mine(i, "x")):(mine(i, "value") * fy):xtic(name_tick(0)) \
             with linespoints linewidth 1.6 pointsize 0.9 pointtype shape(i) dashtype dash(i) \
             linecolor rgb colour(i) title names[int(i) + 1]
} else {
    plot for [k = 1 : words(ranges)] input using (bar_x(nth(ranges, k))):(column("low") * fy):(0):((column("high") - column("low")) * fy) \
             with vectors nohead linewidth 1.2 linecolor rgb faint(nth(ranges, k)) notitle, \
         for [i in seen] input using (mine(i, "x") * fx):(mine(i, "value") * fy) \
             with linespoints linewidth 1.6 pointsize 0.9 pointtype shape(i) dashtype dash(i) \
             linecolor rgb colour(i) title names[int(i) + 1]
}
set output
