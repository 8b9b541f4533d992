# Which strategy wins over two axes: the cell's colour; its figure, where there is room.
#
#   edgeweave plot heatmap results.db --x bandwidth_bytes_per_s --y devices -o heatmap.csv
#   gnuplot -e "input='heatmap.csv'" plots/heatmap.gp
#
# Reads   input (docs/outputs.md, Plot data)
# Writes  heatmap.png, or the file given as  output='…'
# Options input, output, format, title (plots/common.gp)

here = ARG0[1:1] eq " " ? ARG0[2:*] : ARG0 # gnuplot puts a blank in front
load here[1 : strlen(here) - 10]."common.gp"

stats input using (column("x_index")) nooutput name "X"
stats input using (column("y_index")) nooutput name "Y"
n_x = int(X_max) + 1
n_y = int(Y_max) + 1
stats input using (has("winner_index") ? column("winner_index") : -1) nooutput name "WINNER"
if (WINNER_max < 0) { printerr input.": no cell has a winner"; exit status 1 }
n = int(WINNER_max) + 1
array names[n]
array wins[n]
do for [i = 1 : n] { wins[i] = 0; names[i] = "" }
x_name = ""; x_unit = ""; y_name = ""; y_unit = ""; m_name = ""; m_unit = ""
note(i) = (wins[i] = wins[i] + 1, names[i] = cut(stringcolumn("winner"), 32), 0)
stats input using (has("winner_index") ? note(int(column("winner_index")) + 1) : 0, \
                   x_name = stringcolumn("x_name"), x_unit = stringcolumn("x_unit"), \
                   y_name = stringcolumn("y_name"), y_unit = stringcolumn("y_unit"), \
                   m_name = stringcolumn("metric_name"), m_unit = stringcolumn("metric_unit"), 0) nooutput
stats input using (or_zero("value")) nooutput name "VALUE"
fm = factor(m_unit, VALUE_max)

# Numbers as ticks get the unit's prefix; texts stay as they are.
largest_x = 0; largest_y = 0; least_x = 1e300; least_y = 1e300; longest_x = 0; longest_y = 0
stats input using (largest_x = column("x") > largest_x ? column("x") : largest_x, \
                   largest_y = column("y") > largest_y ? column("y") : largest_y, \
                   least_x = column("x") < least_x ? column("x") : least_x, \
                   least_y = column("y") < least_y ? column("y") : least_y, 0) nooutput
fx = factor(x_unit, middle_of(least_x, largest_x))
fy = factor(y_unit, middle_of(least_y, largest_y))
# As the program writes numbers; real(text) fails at 1e-05, and column() at names.
is_digit(c) = c eq "" ? 0 : strstrt("0123456789", c) > 0
begins_number(text) = is_digit(text[1:1]) || (text[1:1] eq "-" && is_digit(text[2:2]))
is_number(text, x) = text eq sprintf("%.15g", x) || text eq sprintf("%.16g", x) || text eq sprintf("%.17g", x)
tick(text, name, f) = !begins_number(text) ? cut(text, 24) \
                      : is_number(text, column(name)) ? digits(column(name) * f) : cut(text, 24)
tick_x(f) = tick(stringcolumn("x"), "x", f)
tick_y(f) = tick(stringcolumn("y"), "y", f)
stats input using (longest_x = strlen(tick_x(fx)) > longest_x ? strlen(tick_x(fx)) : longest_x, \
                   longest_y = strlen(tick_y(fy)) > longest_y ? strlen(tick_y(fy)) : longest_y, 0) nooutput

longest_name = 0
do for [i = 1 : n] { if (wins[i] > 0 && strlen(names[i]) > longest_name) { longest_name = strlen(names[i]) } }
cell_x = n_x <= 12 ? 58 : n_x <= 40 ? 26 : n_x <= 120 ? 9 : 4
cell_y = n_y <= 16 ? 34 : n_y <= 40 ? 20 : n_y <= 120 ? 9 : 4
is_slanted = longest_x * 7.5 > cell_x
left = 58 + 8 * longest_y
head = "best ".label(m_name, m_unit, fm).":"
longest_name = strlen(head) > longest_name ? strlen(head) : longest_name
right = 62 + 7.6 * longest_name
right = right > 180 ? right : 180
bottom = 58 + (is_slanted ? 7 * longest_x : 10)
top = title eq "" ? 24 : 52
n_key = 1
do for [i = 1 : n] { n_key = n_key + (wins[i] > 0) }
width = left + n_x * cell_x + right
height = n_y * cell_y
height = height > 30 * n_key ? height : 30 * n_key # or the legend runs into a second column
# The label of the y axis may be longer than the cells are high.
y_label_height = 8 * strlen(label(y_name, y_unit, fy)) - 2 * top
height = height > y_label_height ? height : y_label_height
height = height + top + bottom
eval open_figure
set lmargin at screen real(left) / width
set rmargin at screen 1 - real(right) / width
set tmargin at screen 1 - real(top) / height
set bmargin at screen real(bottom) / height
if (title ne "") set label 1 title at screen 0.02, screen 1 - 22.0 / height left
set key at screen 1 - (right - 16.0) / width, screen 1 - real(top) / height left top
unset grid
set border 0
set tics scale 0
set xrange [-0.5 : n_x - 0.5]
set yrange [-0.5 : n_y - 0.5]
if (is_slanted) set xtics rotate by 90 right
stride_x = cell_x >= 12 ? 1 : ceil(14.0 / cell_x)
stride_y = cell_y >= 12 ? 1 : ceil(14.0 / cell_y)
set xlabel label(x_name, x_unit, fx)
set ylabel label(y_name, y_unit, fy)

is_dark(c) = 0.299 * (c >> 16) + 0.587 * ((c >> 8) & 255) + 0.114 * (c & 255) < 130
# The ninth winner and later ones have the colours of the first eight mixed with white.
tint(c) = ((((c >> 16) + 510) / 3) << 16) + (((((c >> 8) & 255) + 510) / 3) << 8) + ((c & 255) + 510) / 3
fill(i) = int(i) % 16 < 8 ? colour(i) : tint(colour(i))
winner_colour(x) = has("winner_index") ? fill(column("winner_index")) : 0xF2F2F2
text(x) = has("value") && cell_x >= 50 && cell_y >= 20 ? digits(column("value") * fm) : ""
x_tick(x) = int(column("x_index")) % stride_x == 0 ? tick_x(fx) : ""
y_tick(x) = int(column("y_index")) % stride_y == 0 ? tick_y(fy) : ""
inner_x = cell_x > 10 ? 0.48 : 0.5
inner_y = cell_y > 10 ? 0.47 : 0.5
plot input using (column("x_index")):(column("y_index")):(inner_x):(inner_y):(winner_colour(0)):xtic(x_tick(0)):ytic(y_tick(0)) \
         with boxxyerror linecolor rgb variable notitle, \
     "" using (column("x_index")):(column("y_index")):(text(0)):(is_dark(winner_colour(0)) ? 0xFFFFFF : 0x000000) \
         with labels textcolor rgb variable notitle, \
     keyentry with points pointtype 0 linecolor rgb "white" title head, \
     for [i = 0 : n - 1] NaN with points pointtype 5 pointsize 1.6 linecolor rgb fill(i) \
         title (wins[i + 1] > 0 ? names[i + 1] : "")
set output
