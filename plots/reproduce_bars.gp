# One figure of 'edgeweave reproduce' as grouped bars: ours as bars, the paper's values as black
# marks on them (a hollow triangle: less than; a grey range: a band).
#
#   gnuplot -e "input='out/distredge_fig6b.csv'" plots/reproduce_bars.gp
#
# Reads   input, one PAPER_FIGURE.csv (docs/outputs.md)
# Writes  the file given as output='…', else input with the ending .png
# Options input, output, format ('png' or 'svg'), title

if (!exists("format")) format = "png"
if (!exists("output")) output = input[1:strlen(input) - 4].".".format
if (!exists("title")) title = ""

set encoding utf8
set datafile separator ","
set datafile columnheaders
set datafile missing ""

# Okabe-Ito colours first.
array colours[12] = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", \
                     "#666666", "#8C510A", "#80CDC1", "#B2182B", "#4D4D4D"]

has(name) = strlen(stringcolumn(name)) > 0
number(name) = has(name) ? column(name) : NaN

stats input using (column("series_index")) nooutput name "SERIES"
stats input using (column("case_index")) nooutput name "CASE"
if (!exists("CASE_records")) { printerr input.": no rows"; exit }
n_series = int(SERIES_max) + 1
n_cases = int(CASE_max) + 1
array names[n_series]
unit = ""
stats input using (names[int(column("series_index")) + 1] = stringcolumn("series"), \
                   unit = stringcolumn("unit"), 0) nooutput
stats input using (has("ours") ? column("ours") : 0) nooutput name "OURS"
stats input using (has("published") ? column("published") : 0) nooutput name "PAPER"
stats input using (has("published_high") ? column("published_high") : 0) nooutput name "HIGH"
top = OURS_max > PAPER_max ? OURS_max : PAPER_max
top = HIGH_max > top ? HIGH_max : top
bottom = OURS_min < 0 ? OURS_min * 1.1 : 0

width = 160 + 22 * (n_series + 1) * n_cases
width = width < 640 ? 640 : width > 2000 ? 2000 : width
height = n_cases > 8 ? 500 : 420
if (format eq "svg") {
    set terminal svg size width, height font "DejaVu Sans,11" noenhanced background "white"
} else {
    set terminal pngcairo size width, height font "DejaVu Sans,11" noenhanced background "white"
}
set output output
if (title ne "") set title title
set style fill solid 1.0 noborder
set border 1 linecolor "#666666"
set tics nomirror out scale 0.6 textcolor "black"
set grid ytics linecolor "#DDDDDD" linetype 1 linewidth 1
set xtics scale 0
if (n_cases > 8) { # long names slant down to the right
    set xtics rotate by -35
    set bmargin 8
    set rmargin 10
}
set yrange [bottom : (top > 0 ? top * 1.12 : 1)]
set key outside above horizontal Left reverse samplen 1.2 width 1

place(x) = column("case_index") * (n_series + 1.2) + column("series_index")
middle(x) = column("case_index") * (n_series + 1.2) + (n_series - 1) / 2.0
set xrange [-1 : n_cases * (n_series + 1.2) - 0.6]
set ylabel unit

mine(i) = int(column("series_index")) == i ? number("ours") : NaN
paper(kind) = stringcolumn("published_kind") eq kind ? number("published") : NaN

plot for [i = 0 : n_series - 1] input using (place(0)):(mine(i)):(0.92) \
         with boxes linecolor rgb colours[i % 12 + 1] title names[i + 1], \
     "" using (middle(0)):(0):xtic(stringcolumn("case")) with points pointtype 0 notitle, \
     "" using (place(0)):(paper("value")) with points pointtype 7 pointsize 0.8 \
         linecolor rgb "black" title "paper", \
     "" using (place(0)):(paper("below")) with points pointtype 10 pointsize 1 \
         linecolor rgb "black" notitle, \
     "" using (place(0)):(paper("band")):(0):(number("published_high") - paper("band")) \
         with vectors heads size screen 0.003, 90 linewidth 1.5 linecolor rgb "#444444" notitle
