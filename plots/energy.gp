# Energy by power state (per request; of whole runs from an energy.csv), a stacked bar per strategy.
#
#   edgeweave plot energy results.db -o energy.csv
#   gnuplot -e "input='energy.csv'" plots/energy.gp
#
# Reads   input (docs/outputs.md, Plot data)
# Writes  energy.png, or the file given as  output='…'
# Options input, output, format, title (plots/common.gp)

here = ARG0[1:1] eq " " ? ARG0[2:*] : ARG0 # gnuplot puts a blank in front
load here[1 : strlen(here) - 9]."common.gp"

stats input using (column("bar_index")) nooutput name "BAR"
n = int(BAR_max) + 1
longest = 0
y_name = ""
stats input using (longest = longest < strlen(stringcolumn("bar")) ? strlen(stringcolumn("bar")) : longest, \
                   y_name = stringcolumn("name"), 0) nooutput
stats input using (has("begin_j") ? column("begin_j") + column("energy_j") : 0) nooutput name "TOP"
top_j = TOP_max > 0 ? TOP_max : 1
f = factor("J", top_j)
longest = longest > 32 ? 32 : longest
left = 24 + 7.6 * longest
width = left + 620 + 130
top = title eq "" ? 20 : 52
row = n > 64 ? 18 : 27
height = top + row * n + 62
height = height > top + 62 + 130 ? height : top + 62 + 130
eval open_figure
set lmargin at screen left / width
set rmargin at screen (left + 620.0) / width
set tmargin at screen 1 - real(top) / height
set bmargin at screen 62.0 / height
if (title ne "") set label 1 title at screen 0.01, screen 1 - 24.0 / height left
set yrange [n - 0.4 : -0.6]
set ytics scale 0
unset grid
set grid xtics linecolor "#E0E0E0" linetype 1 linewidth 1
set xrange [0 : top_j * f * 1.12]
set xlabel label(y_name, "J", f)
set key at screen (left + 636.0) / width, screen 1 - real(top) / height left top

array parts[5] = ["idle", "computing", "sending", "receiving", "off"]
array part_colours[5] = [0xBBBBBB, 0x0072B2, 0xD55E00, 0xE69F00, 0x000000]
is_part(k) = int(column("part_index")) == k && has("energy_j")
half(k) = is_part(k) ? column("energy_j") * f / 2 : 0
middle(k) = is_part(k) ? column("begin_j") * f + half(k) : 0
total(x) = has("begin_j") && int(column("part_index")) == 4 ? (column("begin_j") + column("energy_j")) * f : 0
plot for [k = 0 : 4] input using (middle(k)):(column("bar_index")):(half(k)):(0.34):ytic(cut(stringcolumn("bar"), 32)) \
         with boxxyerror linecolor rgb part_colours[k + 1] title parts[k + 1], \
     input using (total(0)):(column("bar_index")):(total(0) > 0 ? digits(total(0)) : "") \
         with labels left offset 0.6, 0 notitle, \
     "" using (0):(column("bar_index")):(int(column("part_index")) == 0 && !has("energy_j") ? "no figure" : "") \
         with labels left offset 0.6, 0 textcolor rgb "#777777" notitle
set output
