# Stacked bars of energy by part, one bar per name: what --breakdown device, state or request prints.
#
#   gnuplot -e "data='breakdown.csv'" plots/breakdown.gp
#
# Reads   data: the CSV of --breakdown
# Writes  breakdown.png beside where gnuplot runs, or the file given as  output='…'
# Options data, output, title

if (!exists("data")) data = "breakdown.csv"
if (!exists("output")) output = "breakdown.png"
if (!exists("title")) title = ""

set encoding utf8
set datafile separator ","
set datafile columnheaders
set datafile missing ""

# Okabe-Ito colours: told apart with any colour vision, and in grey.
parts = "idle compute transfer tx rx off"
colours = "#BBBBBB #0072B2 #D55E00 #D55E00 #E69F00 #000000"

stats data using (strlen(stringcolumn("energy_j")) ? column("energy_j") : 0) nooutput name "E"
if (!exists("E_records") || E_records < 1) { printerr data.": no rows"; exit }

# Bars in the order of the file: strategy and name of the row, joined.
label(i) = stringcolumn("strategy")." ".stringcolumn("name")
bars = ""; last = ""; n = 0
count(text) = (text eq last) ? n : (last = text, bars = bars.(n ? "|" : "").text, n = n + 1)
stats data using (count(label(0))) nooutput name "B"
array top[n]
do for [i = 1:n] { top[i] = 0 }

nth(text, k) = k == 1 ? (strstrt(text, "|") ? text[1:strstrt(text, "|") - 1] : text) \
                      : nth(text[strstrt(text, "|") + 1:*], k - 1)
joules(bar, part) = (label(0) eq nth(bars, bar) && stringcolumn("part") eq part && \
                     strlen(stringcolumn("energy_j"))) ? column("energy_j") : 0

set terminal pngcairo size 1000, (140 + 34 * n) font "DejaVu Sans,10" noenhanced
set output output
set title title
set xlabel "energy (J)"
set grid xtics lc rgb "#DDDDDD"
set key outside top right
unset ytics
set lmargin 34
set style fill solid 0.9 noborder
object = 1
do for [b = 1:n] {
    set label b nth(bars, b) at graph 0, first b right offset -1, 0
    do for [p = 1:words(parts)] {
        stats data using (joules(b, word(parts, p))) nooutput name "S"
        if (S_sum > 0) {
            set object object rectangle from top[b], b - 0.35 to top[b] + S_sum, b + 0.35 \
                fc rgb word(colours, p) fs solid noborder
            object = object + 1
            top[b] = top[b] + S_sum
        }
    }
}
longest = 0
do for [b = 1:n] { longest = top[b] > longest ? top[b] : longest }
set yrange [n + 0.6:0.4]
set xrange [0:longest * 1.05 + 1e-12]
plot for [p = 1:words(parts)] NaN with boxes lc rgb word(colours, p) title word(parts, p)
