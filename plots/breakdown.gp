# Stacked bars of energy by part, one bar per name with any: what --breakdown device, layer, state or request
# prints.
#
#   gnuplot -e "data='breakdown.csv'" plots/breakdown.gp
#
# Reads   data: the CSV of --breakdown
# Writes  breakdown.png beside where gnuplot runs, or the file given as  output='…'
# Options data, output, title, most (bars: the first so many are drawn, 60)

if (!exists("data")) data = "breakdown.csv"
if (!exists("output")) output = "breakdown.png"
if (!exists("title")) title = ""
if (!exists("most")) most = 60

set encoding utf8
set datafile separator ","
set datafile columnheaders
set datafile missing ""

# Okabe-Ito colours: told apart with any colour vision, and in grey.
parts = "idle compute transfer tx rx off"
colours = "#BBBBBB #0072B2 #D55E00 #D55E00 #E69F00 #000000"
n_parts = words(parts)
part_index(text) = text eq "idle" ? 1 : text eq "compute" ? 2 : text eq "transfer" ? 3 : \
                   text eq "tx" ? 4 : text eq "rx" ? 5 : 6
joules(x) = strlen(stringcolumn("energy_j")) ? column("energy_j") : 0

stats data using (joules(0)) nooutput name "E"
if (!exists("E_records") || E_records < 1) { printerr data.": no rows"; exit }

# Bars in the order of the file: strategy and name of the row, joined.
label(x) = stringcolumn("strategy")." ".stringcolumn("name")
last = ""; n = 0
bar(text) = (text eq last) ? n : (last = text, n = n + 1)
stats data using (bar(label(0))) nooutput name "B"
n_all = n

# One pass over the rows: energy of each bar's parts, and the bars' names.
array name[n_all]
array energy[n_all * n_parts]
do for [i = 1:n_all * n_parts] { energy[i] = 0 }
last = ""; n = 0
slot(text) = (bar(text) - 1) * n_parts + part_index(stringcolumn("part"))
add(i, x) = (energy[i] = energy[i] + x)
stats data using (add(slot(label(0)), joules(0)), name[n] = label(0), 0) nooutput name "S"

# Bars without energy say nothing.
array shown[n_all]
n_shown = 0
do for [b = 1:n_all] {
    bar_j = sum [p = 1:n_parts] energy[(b - 1) * n_parts + p]
    if (bar_j > 0) { n_shown = n_shown + 1; shown[n_shown] = b }
}
if (n_shown == 0) { printerr data.": no energy"; exit }
n_drawn = n_shown < most ? n_shown : most

bar_px = n_drawn <= 30 ? 34 : 20
set terminal pngcairo size 1000, (140 + bar_px * n_drawn) font "DejaVu Sans,10" noenhanced
set output output
set title title
set xlabel n_drawn < n_shown ? sprintf("energy (J); the first %d of %d bars", n_drawn, n_shown) : "energy (J)"
set grid xtics lc rgb "#DDDDDD"
set key outside top right
unset ytics
set lmargin 34
set style fill solid 0.9 noborder
array is_seen[n_parts]
do for [p = 1:n_parts] { is_seen[p] = 0 }
object = 1
longest = 0
do for [b = 1:n_drawn] {
    set label b name[shown[b]] at graph 0, first b right offset -1, 0
    top = 0.0
    do for [p = 1:n_parts] {
        part_j = energy[(shown[b] - 1) * n_parts + p]
        if (part_j > 0) {
            set object object rectangle from top, b - 0.35 to top + part_j, b + 0.35 \
                fc rgb word(colours, p) fs solid noborder
            object = object + 1
            top = top + part_j
            is_seen[p] = 1
        }
    }
    longest = top > longest ? top : longest
}
set yrange [n_drawn + 0.6:0.4]
set xrange [0:longest * 1.05 + 1e-12]
plot for [p = 1:n_parts] NaN with boxes lc rgb word(colours, p) title is_seen[p] ? word(parts, p) : ""
